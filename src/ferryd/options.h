// SPDX-License-Identifier: Apache-2.0
// The command line of ferryd.
#pragma once
#include "api/oidc/oidc_config.h"
#include "store/store.h"

G_BEGIN_DECLS

typedef struct {
  char *state_dir;
  char *log_level;
  char *agent; /* path of ferry-agentd for --host */
  char *server_url;
  GStrv listen, tls_sans, proxies, hosts;
  char *audit_log; /* NULL: the journal alone */
  gint64 audit_log_max_bytes;
  gint audit_log_keep;
  FerryOidcConfig oidc;
  FerryStoreOptions store; /* its limits; zeroes: the defaults */
  gboolean announce, version;
} FerrydOptions;

/** Parses the options of the daemon; FALSE with a message for people on a usage error. */
gboolean ferryd_options_parse(FerrydOptions *options, int *argc, char ***argv, GError **error);
void ferryd_options_clear(FerrydOptions *options);

/** The subcommand `ferryd token ...` (argv[0] is "token"); returns the exit code. */
int ferryd_token_main(int argc, char **argv);
/** The subcommands `ferryd certs` and `ferryd ca rotate ...`; they return the exit code. */
int ferryd_certs_main(int argc, char **argv);
int ferryd_ca_main(int argc, char **argv);

G_END_DECLS
