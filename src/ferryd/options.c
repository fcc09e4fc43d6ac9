// SPDX-License-Identifier: Apache-2.0
#include "ferryd/options.h"

gboolean ferryd_options_parse(FerrydOptions *o, int *argc, char ***argv, GError **error) {
  const GOptionEntry entries[] = {
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &o->state_dir,
       "Database, keys and kubeconfig (default /var/lib/ferry)", "DIR"},
      {"listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->listen,
       "Serve the API here; repeatable (default 127.0.0.1:6443)", "ADDR:PORT"},
      {"tls-san", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->tls_sans,
       "One more name or address for the server's certificate; repeatable", "NAME|IP"},
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
  if (!o->state_dir)
    o->state_dir = g_strdup("/var/lib/ferry");
  if (!o->log_level)
    o->log_level = g_strdup("info");
  return TRUE;
}

void ferryd_options_clear(FerrydOptions *o) {
  g_free(o->state_dir);
  g_free(o->log_level);
  g_free(o->agent);
  g_free(o->server_url);
  g_strfreev(o->listen);
  g_strfreev(o->tls_sans);
  g_strfreev(o->proxies);
  g_strfreev(o->hosts);
}
