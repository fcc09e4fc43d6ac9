// SPDX-License-Identifier: Apache-2.0
// The settings of ferryd: its command line and /etc/ferry/ferryd.conf.
#pragma once
#include "api/oidc/oidc_config.h"
#include "base/settings/settings.h"

G_BEGIN_DECLS

typedef struct {
  char *state_dir;
  char *log_level;
  char *agent; /* path of ferry-agentd for --host */
  char *server_url;
  char *config;
  GStrv listen, tls_sans, proxies, hosts;
  char *audit_log; /* NULL: the journal alone */
  gint64 audit_log_max_bytes, audit_log_keep;
  gint64 max_objects, max_bytes; /* of the store */
  FerryOidcConfig oidc;
  gboolean announce, version, check_config;
} FerrydOptions;

/** What can be set, for ferry_settings_new and what is written of it. */
extern const FerrySetting ferryd_settings[];

/** Reads the command line, then the configuration file, and checks both; FALSE with a message for
 * people. argv is left as it was, so that a reload can read it again. What was said is in `said`,
 * if not NULL: free with ferry_settings_free. */
gboolean ferryd_options_read(FerrydOptions *options, int argc, char **argv,
                             FerrySettingsRead **said, GError **error);
void ferryd_options_clear(FerrydOptions *options);

/** The subcommand `ferryd token ...` (argv[0] is "token"); returns the exit code. */
int ferryd_token_main(int argc, char **argv);
/** The subcommand `ferryd certs`; returns the exit code. */
int ferryd_certs_main(int argc, char **argv);
/** The subcommand `ferryd ca rotate ...`; returns the exit code. */
int ferryd_ca_main(int argc, char **argv);

G_END_DECLS
