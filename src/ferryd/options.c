// SPDX-License-Identifier: Apache-2.0
#include "ferryd/options.h"
#include "base/quantity.h"

#define MIN_AUDIT_LOG 65536
#define MAX_AUDIT_KEEP 1000
#define MIN_OBJECTS 100
#define MAX_OBJECTS 10000000
#define MIN_BYTES (1024 * 1024)

static gboolean check_audit(FerrydOptions *o, const char *max_size, GError **error) {
  o->audit_log_max_bytes = G_GINT64_CONSTANT(100) << 20;
  if (max_size && (!ferry_quantity_parse(max_size, &o->audit_log_max_bytes, NULL) ||
                   o->audit_log_max_bytes < MIN_AUDIT_LOG)) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--audit-log-max-size %s: expected a size of at least 64Ki, such as 100Mi",
                max_size);
    return FALSE;
  }
  if (o->audit_log_keep < 0 || o->audit_log_keep > MAX_AUDIT_KEEP) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--audit-log-keep %d: expected 0 to %d", o->audit_log_keep, MAX_AUDIT_KEEP);
    return FALSE;
  }
  return TRUE;
}

/* At least as much as a small site needs to start and move a VM. */
static gboolean limit_store(FerrydOptions *o, gint max_objects, const char *max_bytes,
                            GError **error) {
  gint64 bytes = 0;
  if (max_objects && (max_objects < MIN_OBJECTS || max_objects > MAX_OBJECTS)) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--max-objects %d: expected %d to %d", max_objects, MIN_OBJECTS, MAX_OBJECTS);
    return FALSE;
  }
  if (max_bytes && (!ferry_quantity_parse(max_bytes, &bytes, NULL) || bytes < MIN_BYTES)) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--max-bytes %s: expected a size of at least 1Mi, such as 2Gi", max_bytes);
    return FALSE;
  }
  o->store = (FerryStoreOptions){.max_objects = (gsize)max_objects, .max_bytes = (gsize)bytes};
  return TRUE;
}

static gboolean check_oidc(const FerryOidcConfig *oidc, GError **error) {
  const char *const others[] = {oidc->audience,
                                oidc->username_claim,
                                oidc->groups_claim,
                                oidc->groups_prefix,
                                oidc->username_prefix,
                                oidc->jwks,
                                oidc->ca};
  gboolean any = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
    any = any || others[i];
  if (oidc->issuer ? oidc->audience != NULL : !any)
    return TRUE;
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
              "tokens of an OpenID Connect provider need --oidc-issuer and --oidc-audience");
  return FALSE;
}

static void add_oidc(GOptionContext *context, FerryOidcConfig *oidc) {
  const GOptionEntry entries[] = {
      {"oidc-issuer", 0, 0, G_OPTION_ARG_STRING, &oidc->issuer,
       "Accept the tokens of this OpenID Connect provider", "URL"},
      {"oidc-audience", 0, 0, G_OPTION_ARG_STRING, &oidc->audience, "That are for this client id",
       "ID"},
      {"oidc-username-claim", 0, 0, G_OPTION_ARG_STRING, &oidc->username_claim,
       "The claim that names the user (default sub)", "CLAIM"},
      {"oidc-groups-claim", 0, 0, G_OPTION_ARG_STRING, &oidc->groups_claim,
       "The claim that lists the user's groups (default groups)", "CLAIM"},
      {"oidc-username-prefix", 0, 0, G_OPTION_ARG_STRING, &oidc->username_prefix,
       "Put before users' names; - for none (default: ISSUER#, none for the claim email)",
       "PREFIX"},
      {"oidc-groups-prefix", 0, 0, G_OPTION_ARG_STRING, &oidc->groups_prefix,
       "Put before groups' names (default: none)", "PREFIX"},
      {"oidc-jwks", 0, 0, G_OPTION_ARG_STRING, &oidc->jwks,
       "The provider's public keys (default: as its discovery document says)", "FILE|URL"},
      {"oidc-ca", 0, 0, G_OPTION_ARG_FILENAME, &oidc->ca,
       "Trust these CAs for the provider's servers (default: the system's)", "FILE"},
      {NULL},
  };
  g_option_context_add_main_entries(context, entries, NULL);
}

/* Values that are to be looked at before they are options. */
typedef struct {
  char *max_size, *max_bytes;
  gint max_objects;
} Sizes;

static void sizes_clear(Sizes *sizes) {
  g_free(sizes->max_size);
  g_free(sizes->max_bytes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sizes, sizes_clear)

/* What is kept, and how much of it. */
static void add_kept(GOptionContext *context, FerrydOptions *o, Sizes *sizes) {
  const GOptionEntry entries[] = {
      {"audit-log", 0, 0, G_OPTION_ARG_FILENAME, &o->audit_log,
       "Write the audit's lines to this file as well as to the journal", "FILE"},
      {"audit-log-max-size", 0, 0, G_OPTION_ARG_STRING, &sizes->max_size,
       "Rotate it beyond this size (default 100Mi)", "SIZE"},
      {"audit-log-keep", 0, 0, G_OPTION_ARG_INT, &o->audit_log_keep,
       "Keep that many older ones (default 10)", "N"},
      {"max-objects", 0, 0, G_OPTION_ARG_INT, &sizes->max_objects,
       "Keep at most so many objects of a kind (default 200000)", "N"},
      {"max-bytes", 0, 0, G_OPTION_ARG_STRING, &sizes->max_bytes,
       "Keep at most so much of all objects together (default 2Gi)", "SIZE"},
      {NULL},
  };
  g_option_context_add_main_entries(context, entries, NULL);
}

gboolean ferryd_options_parse(FerrydOptions *o, int *argc, char ***argv, GError **error) {
  g_auto(Sizes) sizes = {0};
  o->audit_log_keep = 10;
  const GOptionEntry entries[] = {
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->state_dir,
       "Database, keys and kubeconfig (default /var/lib/ferry)", "DIR"},
      {"listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->listen,
       "Serve the API here; repeatable (default 127.0.0.1:6443)", "ADDR:PORT"},
      {"tls-san", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->tls_sans,
       "One more name or address for the server's certificate, beside this machine's own; "
       "repeatable",
       "NAME|IP"},
      {"server-url", 0, 0, G_OPTION_ARG_STRING, &o->server_url,
       "URL that admin.kubeconfig names (default: the first --listen)", "URL"},
      {"proxy", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->proxies,
       "A load balancer that says by the PROXY protocol, version 2, for whom it speaks; repeatable",
       "ADDR[/PREFIX]"},
      {"host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->hosts,
       "Manage this libvirt host with an agent started here; repeatable. PEER_URI is how other "
       "hosts' libvirtd reach it (default: the same URI)",
       "NAME=LIBVIRT_URI[,peer=PEER_URI]"},
      {"agent", 0, 0, G_OPTION_ARG_FILENAME, &o->agent,
       "The ferry-agentd to start for --host (default: beside ferryd, then in PATH)", "PATH"},
      {"announce", 0, 0, G_OPTION_ARG_NONE, &o->announce,
       "Announce the API on the local network by DNS-SD and list other ferryds under /peers", NULL},
      {"log-level", 0, 0, G_OPTION_ARG_STRING, &o->log_level,
       "debug, info, warning or error (default info)", "LEVEL"},
      {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "Print the version and exit", NULL},
      {NULL},
  };
  g_autoptr(GOptionContext) context =
      g_option_context_new("- Ferry's control plane: API, store and controllers");
  g_option_context_add_main_entries(context, entries, NULL);
  add_kept(context, o, &sizes);
  add_oidc(context, &o->oidc);
  g_option_context_set_description(
      context, "Commands:\n  ferryd token create --node NAME [--state-dir DIR]\n"
               "      Print a one-time token with which the agent of host NAME joins\n"
               "  ferryd certs [--state-dir DIR]\n"
               "      Show every certificate and when it ends\n"
               "  ferryd ca rotate begin|status|finish [--force] [--state-dir DIR]\n"
               "      Change the CA while everybody stays connected\n\n"
               "The first start makes a CA, the server's certificate and admin.kubeconfig in the\n"
               "state directory; then: ferry --kubeconfig DIR/admin.kubeconfig get nodes\n");
  if (!g_option_context_parse(context, argc, argv, error))
    return FALSE;
  if (*argc > 1) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                "unknown argument \"%s\"; see ferryd --help", (*argv)[1]);
    return FALSE;
  }
  if (!check_audit(o, sizes.max_size, error) ||
      !limit_store(o, sizes.max_objects, sizes.max_bytes, error) || !check_oidc(&o->oidc, error))
    return FALSE;
  if (!o->state_dir)
    o->state_dir = g_strdup("/var/lib/ferry");
  if (!o->log_level)
    o->log_level = g_strdup("info");
  return TRUE;
}

void ferryd_options_clear(FerrydOptions *o) {
  g_free(o->state_dir);
  g_free(o->log_level);
  g_free(o->audit_log);
  g_free(o->agent);
  g_free(o->server_url);
  ferry_oidc_config_clear(&o->oidc);
  g_strfreev(o->listen);
  g_strfreev(o->tls_sans);
  g_strfreev(o->proxies);
  g_strfreev(o->hosts);
}
