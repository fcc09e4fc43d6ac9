// SPDX-License-Identifier: Apache-2.0
#include "ferryd/options.h"
#include "base/error.h"
#include "base/log.h"
#include "base/quantity.h"
#include "ferryd/hosts.h"

#define AT(member) G_STRUCT_OFFSET(FerrydOptions, member)
#define MIN_AUDIT_LOG G_GINT64_CONSTANT(65536)

/* At least as much as a small site needs to start and move a VM. */
#define MIN_OBJECTS 100
#define MAX_OBJECTS 10000000
#define MIN_BYTES FERRY_MIB

const FerrySetting ferryd_settings[] = {
    {"config", FERRY_SETTING_FILE, FERRY_SETTING_COMMAND_LINE, AT(config), "FILE",
     "/etc/ferry/ferryd.conf", "The configuration file",
     "One that was named has to be there. The command line overrides it."},
    {"check-config", FERRY_SETTING_YES, FERRY_SETTING_COMMAND_LINE, AT(check_config), NULL, NULL,
     "Say whether command line and file are right, and exit"},
    {"state-dir", FERRY_SETTING_FILE, 0, AT(state_dir), "DIR", "/var/lib/ferry",
     "Where the database, keys and the administrator's kubeconfig are kept"},
    {"listen", FERRY_SETTING_LIST, 0, AT(listen), "ADDR:PORT", NULL, "Serve the API here",
     "The file that is installed says 0.0.0.0:6443, as hosts reach ferryd by it: whoever comes has "
     "to show a certificate or a token.",
     0, 0, NULL, "the sockets that systemd hands over, else 127.0.0.1:6443", "0.0.0.0:6443"},
    {"tls-san", FERRY_SETTING_LIST, 0, AT(tls_sans), "NAME_OR_IP", NULL,
     "One more name or address for the server's certificate, by which others reach it",
     "Where ferryd listens for other machines as well, this machine's names and addresses are in "
     "it by themselves."},
    {"server-url", FERRY_SETTING_TEXT, 0, AT(server_url), "URL", NULL,
     "URL that admin.kubeconfig names", NULL, 0, 0, NULL, "the first address listened on"},
    {"proxy", FERRY_SETTING_LIST, 0, AT(proxies), "ADDR[/PREFIX]", NULL,
     "A load balancer, or a network of them, that passes TLS on and says before it, by the PROXY "
     "protocol, version 2, whose connection it is",
     "Limits and logs then go by that address. From any other address such a header is refused, as "
     "it is not TLS."},
    {"host", FERRY_SETTING_LIST, FERRY_SETTING_RELOADS, AT(hosts),
     "NAME=LIBVIRT_URI[,peer=PEER_URI]", NULL,
     "Manage the host NAME at this libvirt URI, with an agent started here",
     "As in h1=qemu+ssh://root@h1/system. Nothing is installed there. PEER_URI is how other hosts' "
     "libvirtd reach it; without it that is scheme, user, host and port of the same URI."},
    {"agent", FERRY_SETTING_FILE, 0, AT(agent), "PATH", NULL,
     "The ferry-agentd to start for --host", NULL, 0, 0, NULL, "beside ferryd, then in PATH"},
    {"announce", FERRY_SETTING_YES, 0, AT(announce), NULL, NULL,
     "Announce the API on the local network by DNS-SD and list other ferryds under /peers",
     "The service's type is _ferry._tcp. It needs avahi-daemon(8) and a --listen address that "
     "others can reach. Nothing that was discovered is trusted."},
    {"audit-log", FERRY_SETTING_FILE, 0, AT(audit_log), "FILE", NULL,
     "Write the audit's lines to this file as well as to the journal",
     "One JSON object for every write and every refusal; the file's mode is 0600. In the journal "
     "they have the field FERRY_AUDIT=1 whatever --log-level says. docs/audit.md describes a "
     "line's members."},
    {"audit-log-max-size", FERRY_SETTING_SIZE, 0, AT(audit_log_max_bytes), "SIZE", "100Mi",
     "Rotate that file beyond this size", "At least 64Ki.", MIN_AUDIT_LOG},
    {"audit-log-keep", FERRY_SETTING_NUMBER, 0, AT(audit_log_keep), "N", "10",
     "Keep that many older ones", "They are FILE.1, FILE.2 and so on.", 0, 1000},
    {"max-objects", FERRY_SETTING_NUMBER, 0, AT(max_objects), "N", "200000",
     "Keep at most that many objects of a kind",
     "From 100 to 10000000. What would be one more is refused with 429 and says so; deletes, and "
     "changes of what is there, go on.",
     MIN_OBJECTS, MAX_OBJECTS},
    {"max-bytes", FERRY_SETTING_SIZE, 0, AT(max_bytes), "SIZE", "2Gi",
     "Keep at most so much of all objects' text together", "At least 1Mi; refused likewise.",
     MIN_BYTES},
    {"oidc-issuer", FERRY_SETTING_TEXT, 0, AT(oidc.issuer), "URL", NULL,
     "Accept the tokens of this OpenID Connect provider",
     "docs/users.md says which. The URL is https, or http on this machine, and equal to the "
     "tokens' iss."},
    {"oidc-audience", FERRY_SETTING_TEXT, 0, AT(oidc.audience), "ID", NULL,
     "The client id that its tokens must be for", "Needed with --oidc-issuer."},
    {"oidc-username-claim", FERRY_SETTING_TEXT, 0, AT(oidc.username_claim), "CLAIM", NULL,
     "The claim that names the user", NULL, 0, 0, NULL, "sub"},
    {"oidc-groups-claim", FERRY_SETTING_TEXT, 0, AT(oidc.groups_claim), "CLAIM", NULL,
     "The claim that lists the user's groups", NULL, 0, 0, NULL, "groups"},
    {"oidc-username-prefix", FERRY_SETTING_TEXT, 0, AT(oidc.username_prefix), "PREFIX", NULL,
     "What is put before users' names; - for none", NULL, 0, 0, NULL,
     "ISSUER#, and none for the claim email"},
    {"oidc-groups-prefix", FERRY_SETTING_TEXT, 0, AT(oidc.groups_prefix), "PREFIX", NULL,
     "What is put before groups' names", NULL, 0, 0, NULL, "none"},
    {"oidc-jwks", FERRY_SETTING_TEXT, 0, AT(oidc.jwks), "FILE_OR_URL", NULL,
     "The provider's public keys", "A file is read again when it changes.", 0, 0, NULL,
     "what its discovery document names"},
    {"oidc-ca", FERRY_SETTING_FILE, 0, AT(oidc.ca), "FILE", NULL,
     "Trust these CAs for the provider's servers", NULL, 0, 0, NULL, "the system's"},
    FERRY_SETTINGS_OF_ALL(AT(log_level), AT(version)),
};

static const char ferryd_description[] =
    "Commands:\n  ferryd token create --node NAME [--state-dir DIR]\n"
    "      Print a one-time token with which the agent of host NAME joins\n"
    "  ferryd certs [--state-dir DIR]\n"
    "      Show every certificate and when it ends\n"
    "  ferryd ca rotate begin|status|finish [--force] [--state-dir DIR]\n"
    "      Change the CA while everybody stays connected\n\n"
    "The first start makes a CA, the server's certificate and admin.kubeconfig in the\n"
    "state directory; then: ferry --kubeconfig DIR/admin.kubeconfig get nodes\n";

static gboolean options_check(const FerrydOptions *o, GError **error) {
  const FerryOidcConfig *oidc = &o->oidc;
  gboolean any = oidc->audience || oidc->username_claim || oidc->groups_claim ||
                 oidc->groups_prefix || oidc->username_prefix || oidc->jwks || oidc->ca;
  if (oidc->issuer ? !oidc->audience : any) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "tokens of an OpenID Connect provider need --oidc-issuer and --oidc-audience");
    return FALSE;
  }
  for (char **host = o->hosts; host && *host; host++)
    if (!ferryd_hosts_check(*host, error))
      return FALSE;
  return TRUE;
}

gboolean ferryd_options_read(FerrydOptions *o, int argc, char **argv, FerrySettingsRead **said,
                             GError **error) {
  g_autoptr(FerrySettingsRead) settings = ferry_settings_new(ferryd_settings);
  g_autofree char **words = g_memdup2(argv, sizeof(char *) * ((gsize)argc + 1));
  if (!ferry_settings_read_argv(settings, "Ferry's control plane: API, store and controllers",
                                ferryd_description, &argc, &words, error) ||
      !ferry_settings_read_config(settings, "config", error) ||
      !ferry_settings_apply(settings, o, error) || !options_check(o, error))
    return FALSE;
  if (said)
    *said = g_steal_pointer(&settings);
  return TRUE;
}

void ferryd_options_clear(FerrydOptions *o) {
  ferry_settings_unapply(ferryd_settings, o);
}
