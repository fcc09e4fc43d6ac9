// SPDX-License-Identifier: Apache-2.0
// The token says for which host it is and by which CA ferryd is known, so the address is all that
// has to be typed. The certificate is fetched at once, while somebody is there to see what is
// wrong; then the service needs no token. What was joined is kept beside the certificate and not in
// agent.conf, which is its administrator's.
#include "agent/join_main.h"
#include "agent/link/identity.h"
#include "agent/link/join.h"
#include "agent/settings.h"
#include "agent/trust/files.h"
#include "base/file.h"
#include "base/limits.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

typedef struct {
  char *token_file, *state_dir;
  gboolean no_start;
} JoinWish;

static void join_wish_clear(JoinWish *wish) {
  g_free(wish->token_file);
  g_free(wish->state_dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(JoinWish, join_wish_clear)

static int join_fail(const char *text) {
  fprintf(stderr, "ferry-agentd join: %s\n", text);
  return 1;
}

/* From a terminal unseen. */
static char *join_read_line(void) {
  char line[FERRY_TOKEN_FILE_MAX] = "";
  struct termios before, silent;
  gboolean tty = tcgetattr(STDIN_FILENO, &before) == 0;
  if (tty) {
    fputs("Token of this host (ferry host add NAME prints it): ", stderr);
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  gboolean got = fgets(line, sizeof line, stdin) != NULL;
  if (tty) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
  }
  return got ? g_strdup(g_strstrip(line)) : NULL;
}

static char *join_read_token(const JoinWish *wish, GError **error) {
  char *token = wish->token_file
                    ? ferry_file_read(wish->token_file, FERRY_TOKEN_FILE_MAX, NULL, error)
                    : join_read_line();
  return token ? g_strstrip(token) : NULL;
}

static gboolean join_keep(const char *state_dir, const char *server, const char *node,
                          GError **error) {
  g_autofree char *path = ferry_agent_joined_path(state_dir);
  g_autofree char *text = g_strdup_printf("server = %s\nnode = %s\n", server, node);
  return ferry_file_write(path, text, strlen(text), 0600, error);
}

/* Whether its administrator has said how other hosts reach it. */
static gboolean join_has_peer(void) {
  g_auto(FerryAgentSettings) a = {0};
  char *argv[] = {"ferry-agentd", NULL};
  return ferry_agent_settings_read(&a, 1, argv, NULL, NULL) && a.peer_uri;
}

/* The agent first, as ferryd has to know the host's addresses before it gives a certificate for
 * libvirt's TLS, for new keys. Whether that works is told by `ferry-agentd trust`. */
static int join_start(const char *state_dir) {
  ferry_trust_files_forget(state_dir);
  g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
  const char *script = self && !join_has_peer() ? "systemctl enable --now ferry-agentd || exit; "
                                                  "\"$1\" trust --state-dir \"$2\" || :"
                                                : "exec systemctl enable --now ferry-agentd";
  execl("/bin/sh", "sh", "-c", script, "sh", self ? self : "", state_dir, (char *)NULL);
  return join_fail("systemctl cannot be run; start ferry-agentd by hand");
}

static int join_do(const JoinWish *wish, const char *server) {
  g_autoptr(GError) error = NULL;
  g_autofree char *token = join_read_token(wish, &error);
  g_autofree char *node = token ? ferry_agent_token_node(token) : NULL;
  if (!node)
    return join_fail(error ? error->message
                           : "that is not a join token; ferry host add NAME prints one");
  FerryAgentOptions options = {
      .server = server, .node = node, .state_dir = wish->state_dir, .token = token};
  if (g_mkdir_with_parents(wish->state_dir, 0700) < 0)
    return join_fail(g_strerror(errno));
  if (!ferry_identity_lock(wish->state_dir, &error))
    return join_fail(error->message);
  g_autoptr(FerryClientConfig) config = ferry_agent_join(&options, &error);
  if (!config || !join_keep(wish->state_dir, server, node, &error))
    return join_fail(error->message);
  printf("This host has joined %s as %s.\n", server, node);
  fflush(stdout);
  if (wish->no_start || !g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR)) {
    printf("Start its agent: systemctl enable --now ferry-agentd, or ferry-agentd\n");
    return 0;
  }
  return join_start(wish->state_dir);
}

int ferry_agent_join_main(int argc, char **argv) {
  g_auto(JoinWish) wish = {0};
  const GOptionEntry entries[] = {
      {"token-file", 0, 0, G_OPTION_ARG_FILENAME, &wish.token_file,
       "The token's file (default: standard input)", "FILE"},
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &wish.state_dir,
       "Where certificate and key are kept (default /var/lib/ferry-agent)", "DIR"},
      {"no-start", 0, 0, G_OPTION_ARG_NONE, &wish.no_start,
       "Leave it to you to start the agent's service", NULL},
      {NULL},
  };
  g_autoptr(GOptionContext) context = g_option_context_new("URL");
  g_autoptr(GError) error = NULL;
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_set_summary(context,
                               "Joins this host to the ferryd at URL and starts its agent.");
  if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
    fprintf(stderr, "ferry-agentd join: %s\n",
            error ? error->message : "expected ferryd's URL, such as https://f:6443");
    return 2;
  }
  if (!wish.state_dir)
    wish.state_dir = g_strdup("/var/lib/ferry-agent");
  return join_do(&wish, argv[1]);
}
