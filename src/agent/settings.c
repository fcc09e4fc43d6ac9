// SPDX-License-Identifier: Apache-2.0
#include "agent/settings.h"
#include "agent/link/peer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

#define AT(member) G_STRUCT_OFFSET(FerryAgentSettings, member)
#define MAX_PROGRESS_TIMEOUT_S 10000000 /* as of the verb's own */

const FerrySetting ferry_agent_settings[] = {
    {"config", FERRY_SETTING_FILE, FERRY_SETTING_COMMAND_LINE, AT(config), "FILE",
     "/etc/ferry/agent.conf", "The configuration file",
     "One that was named has to be there. The command line overrides it."},
    {"check-config", FERRY_SETTING_YES, FERRY_SETTING_COMMAND_LINE, AT(check_config), NULL, NULL,
     "Say whether command line and file are right, and exit"},
    {"server", FERRY_SETTING_TEXT, 0, AT(server), "URL", NULL,
     "ferryd's address, such as https://10.0.0.1:6443"},
    {"node", FERRY_SETTING_TEXT, 0, AT(node), "NAME", NULL, "Name of this host's Node object"},
    {"state-dir", FERRY_SETTING_FILE, 0, AT(state_dir), "DIR", "/var/lib/ferry-agent",
     "Where the agent keeps what must outlive it"},
    {"token-file", FERRY_SETTING_FILE, 0, AT(token_file), "FILE", NULL,
     "File with the one-time join token, as `ferryd token create` prints it; needed until the host "
     "has joined"},
    {"token", FERRY_SETTING_TEXT, FERRY_SETTING_COMMAND_LINE, AT(token), "TOKEN", NULL,
     "The join token itself",
     "Other users of the machine may see it in the list of processes, so prefer the file."},
    {"libvirt-uri", FERRY_SETTING_TEXT, 0, AT(uri), "URI", "qemu:///system",
     "The hypervisor to manage"},
    {"peer-uri", FERRY_SETTING_TEXT, 0, AT(peer_uri), "URI", NULL,
     "Where other hosts' libvirtd reach this host's, as qemu+tls://HOST[:PORT]/system or "
     "qemu+ssh://[USER@]HOST[:PORT]/system",
     "qemu+tcp where the cluster's allowTCPPeers allows it. Scheme, host, port and user are "
     "reported, and ferryd builds the URI of them; parameters are refused. A host that is another "
     "node's is not believed. Without this option a remote --libvirt-uri says it; on the host "
     "itself it is tls under the name in /etc/pki/libvirt/servercert.pem, where libvirt's TLS port "
     "16514 is open; else no virtual machine can come to this host, and the log says what to do."},
    {"announce", FERRY_SETTING_YES, 0, AT(announce), NULL, NULL,
     "Announce this host on the local network by DNS-SD; without --server, find ferryd so",
     "The service's type is _ferry._tcp. Without --server the agent looks there for the server "
     "whose CA its join token names or, once it has joined, whose CA it keeps, and waits for it; "
     "that server has to run with --announce too. An announcement is only a hint where to look: "
     "the server still has to prove that it belongs to that CA. It needs avahi-daemon(8)."},
    {"rpc-socket", FERRY_SETTING_FILE, 0, AT(rpc_socket), "PATH", NULL,
     "The local JSON-RPC socket, which only root can use",
     "It speaks JSON-RPC 2.0, one request or batch of requests a line, with oVirt's verbs: migrate "
     "(mode file hibernates the virtual machine into the file dst), migrateChangeParams, "
     "migrateCancel, getMigrationStatus and restore, which runs what such a file holds. A downtime "
     "without a convergenceSchedule leaves the downtime and the switch to post-copy to the caller; "
     "outgoingLimit and incomingLimit refuse a migration while as many leave this host or arrive "
     "at "
     "the other one. What runs when the agent ends is taken up by the next one with the same state "
     "directory. Each connection gets the notifications migrationProgress and migrationStalling.",
     0, 0, NULL, "agent.sock in the state directory"},
    {"migration-progress-timeout", FERRY_SETTING_SECONDS, 0, AT(progress_timeout_s), "TIME", "150s",
     "Without progress for so long a migration of the local socket's is given up, unless it has "
     "its own migrationProgressTimeout; 0 never",
     NULL, 0, MAX_PROGRESS_TIMEOUT_S},
    {"standalone", FERRY_SETTING_YES, 0, AT(standalone), NULL, NULL,
     "Work without ferryd, driven by the local socket alone"},
    FERRY_SETTINGS_OF_ALL(AT(level), AT(version)),
};

static const char agentd_description[] =
    "Command:\n  ferry-agentd join URL [--token-file FILE] [--state-dir DIR] [--no-start]\n"
    "      Join this host to the ferryd at URL, with a token that it asks for or reads from\n"
    "      standard input, and start its agent\n"
    "  ferry-agentd trust [--now | --remove]\n"
    "      Set libvirt's TLS up on this host, where ferry host trust asked for it, or renew its\n"
    "      certificate where that is due, with --now in any case; --remove takes away what\n"
    "      that has made, such as before the package is removed\n";

static gboolean settings_check(FerryAgentSettings *a, GError **error) {
  const char *wrong = a->standalone && (a->server || a->announce)
                          ? "--standalone is without ferryd: leave --server and --announce out"
                      : !a->server && !a->announce && !a->standalone
                          ? "--server URL is missing: ferry-agentd join URL keeps it (or "
                            "--announce, to find ferryd on the "
                            "local network)"
                      : !a->node                  ? "--node NAME is missing"
                      : a->token && a->token_file ? "give --token or --token-file, not both"
                                                  : NULL;
  if (wrong) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_INVALID, wrong);
    return FALSE;
  }
  GError *cause = NULL;
  g_autoptr(json_t) peer = a->peer_uri ? ferry_agent_peer(a->peer_uri, a->uri, &cause) : NULL;
  if (cause)
    g_propagate_prefixed_error(error, cause, "--peer-uri ");
  return cause == NULL;
}

char *ferry_agent_joined_path(const char *state_dir) {
  return g_build_filename(state_dir, "joined.conf", NULL);
}

/* What `join` has kept, below all that was said by people. */
static gboolean settings_read_joined(FerrySettingsRead *settings, GError **error) {
  g_autofree char *path = ferry_agent_joined_path(ferry_settings_text(settings, "state-dir"));
  ferry_settings_seal(settings);
  return g_strcmp0(ferry_settings_text(settings, "standalone"), "yes") == 0 ||
         ferry_settings_read_file(settings, path, FALSE, error);
}

gboolean ferry_agent_settings_read(FerryAgentSettings *a, int argc, char **argv,
                                   FerrySettingsRead **said, GError **error) {
  g_autoptr(FerrySettingsRead) settings = ferry_settings_new(ferry_agent_settings);
  g_autofree char **words = g_memdup2(argv, sizeof(char *) * ((gsize)argc + 1));
  if (!ferry_settings_read_argv(settings,
                                "Ferry's agent: reports one host's virtual machines to ferryd and "
                                "migrates them when it says so.",
                                agentd_description, &argc, &words, error) ||
      !ferry_settings_read_config(settings, "config", error) ||
      !settings_read_joined(settings, error) || !ferry_settings_apply(settings, a, error) ||
      (!a->version && !settings_check(a, error)))
    return FALSE;
  if (said)
    *said = g_steal_pointer(&settings);
  return TRUE;
}

void ferry_agent_settings_clear(FerryAgentSettings *a) {
  ferry_settings_unapply(ferry_agent_settings, a);
}
