// SPDX-License-Identifier: Apache-2.0
// The settings of ferry-agentd: its command line and /etc/ferry/agent.conf.
#pragma once
#include "base/settings/settings.h"

G_BEGIN_DECLS

typedef struct {
  char *config;
  char *server, *node, *state_dir, *token_file, *token, *uri, *peer_uri, *level, *rpc_socket;
  gint64 progress_timeout_s;
  gboolean announce, version, standalone, check_config;
} FerryAgentSettings;

/** What can be set, for ferry_settings_new and what is written of it. */
extern const FerrySetting ferry_agent_settings[];

/** Reads the command line, then the configuration file, and checks both; FALSE with a message for
 * people. argv is left as it was, so that a reload can read it again. What was said is in `said`,
 * if not NULL: free with ferry_settings_free. */
gboolean ferry_agent_settings_read(FerryAgentSettings *settings, int argc, char **argv,
                                   FerrySettingsRead **said, GError **error);
/** The file of a state directory that says which ferryd the host has joined, and as what: settings
 * below those of agent.conf. Free with g_free. */
char *ferry_agent_joined_path(const char *state_dir);
void ferry_agent_settings_clear(FerryAgentSettings *settings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryAgentSettings, ferry_agent_settings_clear)

G_END_DECLS
