// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a process of its own, for a moment, as it needs what the agent must not have
// (root's files, systemd). `join` runs it at once; later the agent leaves a file where a path unit
// of systemd looks (deploy/systemd/ferry-trust.path) and a timer has it renew. What somebody
// else has set up is left alone. The keys stay on the host; ferryd says which names the certificate
// has, and nothing is done where nobody has asked ferryd for it. A renewal is for the same keys;
// there are new ones where somebody says --now, after a join (which removes the old ones), and
// where ferryd's CA is another one, as after a theft. ferryd takes those only once its
// administrator has said so. What is done is in trust/renewal.c; ferryd is told what came of it.
#include "agent/trust_main.h"
#include "agent/link/identity.h"
#include "agent/link/peer.h"
#include "agent/settings.h"
#include "agent/trust/certificate.h"
#include "agent/trust/renewal.h"
#include "agent/trust/libvirtd.h"
#include "agent/trust/wish.h"
#include "base/log.h"
#include "host/libvirt/libvirt_moving.h"
#include "host/machine/interfaces.h"
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_US (10 * 60 * G_USEC_PER_SEC) /* with migrations; the timer tries again */
#define APPEARS_US (30 * G_USEC_PER_SEC)       /* until libvirtd's port is open */
#define PAUSE_US (G_USEC_PER_SEC / 2)
#define REPORT_US (60 * G_USEC_PER_SEC) /* until ferryd knows this host's addresses */
#define STATE_DIR "/var/lib/ferry-agent"

typedef struct {
  const char *state_dir, *server, *node;
  gboolean now;        /* with new keys, also where the certificate is good for long */
  FerryClient *client; /* borrowed; NULL: this host has not joined */
  const json_t *names; /* likewise */
  gint64 end_us;       /* of the patience with migrations */
  gboolean told;       /* that they are waited for */
  gboolean unwanted;   /* nobody has asked ferryd for it */
} TrustWish;

static gboolean machine_run(const char *const *argv, gpointer data, GError **error) {
  g_autoptr(GSubprocess) child = g_subprocess_newv(
      argv, G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error);
  g_autofree char *said = NULL;
  if (!child || !g_subprocess_communicate_utf8(child, NULL, NULL, NULL, &said, error))
    return FALSE;
  if (g_subprocess_get_successful(child))
    return TRUE;
  g_autofree char *line = g_strjoinv(" ", (char **)argv);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "%s: %s", line,
              said && *said ? g_strstrip(said) : "it failed");
  return FALSE;
}

static char *machine_moving(gpointer data) {
  return ferry_libvirt_moving("qemu:///system");
}

static gboolean machine_wait(gpointer data) {
  TrustWish *wish = data;
  if (!wish->told)
    printf("Waiting with libvirtd's restart until no VM migrates.\n");
  fflush(stdout);
  wish->told = TRUE;
  g_usleep(PAUSE_US);
  return g_get_monotonic_time() < wish->end_us;
}

static gboolean machine_taken(gpointer data) {
  return ferry_agent_peer_tls_is_open();
}

/* Whether other hosts reach libvirtd over TLS, which takes a moment after a restart. */
static gboolean trust_appears(gpointer data) {
  gint64 until = g_get_monotonic_time() + APPEARS_US;
  do {
    g_autoptr(json_t) peer = ferry_agent_peer(NULL, "qemu:///system", NULL);
    if (peer)
      return TRUE;
    g_usleep(PAUSE_US);
  } while (g_get_monotonic_time() < until);
  return FALSE;
}

/* Asks until ferryd knows the host's addresses, which right after a join takes a moment. */
static json_t *trust_ask(const char *key, const char *qemu, gpointer data, GError **error) {
  const TrustWish *wish = data;
  gint64 until = g_get_monotonic_time() + REPORT_US;
  if (!wish->client) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                        "this host has not joined yet: ferry-agentd join URL");
    return NULL;
  }
  for (;;) {
    GError *cause = NULL;
    json_t *got = ferry_trust_certificate(wish->client, wish->node, key, qemu, wish->names, &cause);
    if (got)
      return got;
    if (!g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE) ||
        g_get_monotonic_time() >= until) {
      g_propagate_error(error, cause);
      return NULL;
    }
    g_error_free(cause);
    g_usleep(PAUSE_US);
  }
}

static gboolean trust_serve(gpointer data, GError **error) {
  TrustWish *wish = data;
  FerryTrustMachine machine = {machine_run, machine_moving, machine_wait, machine_taken, wish};
  wish->end_us = g_get_monotonic_time() + PATIENCE_US;
  if (!ferry_trust_libvirtd_serve(&machine, error))
    return FALSE;
  if (trust_appears(wish))
    return TRUE;
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                      "libvirtd does not serve its TLS port 16514; its journal may say why");
  return FALSE;
}

/* To ferryd, which shows it at the Node; and here. */
static void trust_tell(TrustWish *wish, FerryTrustEnd end, const GError *cause) {
  static const char left[] =
      "this host has certificates for libvirt's TLS that Ferry did not make; "
      "they stay, and nothing listens at libvirt's TLS port 16514";
  gboolean shown = end != FERRY_TRUST_LEFT || ferry_agent_peer_tls_is_open();
  g_autoptr(GError) error = NULL;
  if (end == FERRY_TRUST_LEFT)
    printf("This host has certificates for libvirt's TLS that Ferry did not make; they stay.\n");
  else if (end == FERRY_TRUST_DONE)
    printf("Other hosts' libvirtds reach this one's over TLS.\n");
  if (wish->client && !(end == FERRY_TRUST_LEFT && shown) &&
      !ferry_trust_tell(wish->client, wish->node,
                        cause   ? cause->message
                        : shown ? NULL
                                : left,
                        &error))
    wish->unwanted = g_error_matches(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN);
}

static FerryTrustEnd trust_do(TrustWish *wish, GError **error) {
  char hostname[256] = "";
  gethostname(hostname, sizeof hostname - 1);
  g_autoptr(json_t) network = ferry_host_local_network(NULL);
  g_autoptr(json_t) names = ferry_trust_names(hostname, json_object_get(network, "interfaces"));
  FerryAgentOptions options = {
      .server = wish->server, .node = wish->node, .state_dir = wish->state_dir};
  g_autoptr(FerryClientConfig) config = ferry_identity_load(&options, error);
  g_autoptr(FerryClient) client = config ? ferry_client_new(config, error) : NULL;
  if (error && *error)
    return FERRY_TRUST_FAILED;
  wish->client = client;
  wish->names = names;
  FerryTrustPorts ports = {trust_ask, trust_serve, trust_appears, wish};
  FerryTrustTask task = {
      {"", wish->state_dir}, names, wish->now, g_get_real_time() / G_USEC_PER_SEC};
  GError *cause = NULL;
  FerryTrustEnd end = ferry_trust_renewal(&task, &ports, &cause);
  trust_tell(wish, end, cause);
  wish->client = NULL;
  wish->names = NULL;
  if (cause)
    g_propagate_error(error, cause);
  return end;
}

/* After a join both that and the agent's wish lead here. */
static void trust_lock(const char *state_dir) {
  g_autofree char *path = g_build_filename(state_dir, "trust.lock", NULL);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0 && flock(fd, LOCK_EX) < 0) /* until the process ends */
    close(fd);
}

/* Ends what Ferry has set up; what somebody else has stays. */
static int trust_remove(const char *state_dir) {
  FerryTrustPlace place = {"", state_dir};
  FerryTrustMachine machine = {machine_run, machine_moving, machine_wait, machine_taken, NULL};
  g_autoptr(GError) error = NULL;
  if (ferry_trust_files_found(&place) != FERRY_TRUST_OURS)
    return 0;
  if (!ferry_trust_libvirtd_leave(&machine, &error) || !ferry_trust_files_remove(&place, &error)) {
    fprintf(stderr, "ferry-agentd trust: %s\n", error->message);
    return 1;
  }
  printf("libvirt's TLS is taken away; libvirtd has the port until it is restarted.\n");
  return 0;
}

int ferry_agent_trust_main(int argc, char **argv) {
  umask(022); /* whoever starts it: others read what is no key */
  /* before anything can fail: a wish that stays starts this again at once */
  const char *state = g_getenv("STATE_DIRECTORY");
  ferry_trust_wish_take(state ? state : STATE_DIR);
  gboolean now = argc > 1 && g_str_equal(argv[1], "--now");
  gboolean removes = argc > 1 && g_str_equal(argv[1], "--remove"), own = now || removes;
  g_auto(FerryAgentSettings) a = {0};
  g_autoptr(GError) error = NULL;
  argv[own] = argv[0];
  if (!ferry_agent_settings_read(&a, argc - own, argv + own, NULL, &error)) {
    fprintf(stderr, "ferry-agentd trust: %s\n", error->message);
    return 2;
  }
  ferry_log_init("ferry-agentd", a.level);
  ferry_trust_wish_take(a.state_dir);
  if (a.peer_uri || !g_str_has_prefix(a.uri, "qemu:///")) {
    printf("How other hosts reach this one is set in its configuration; there is nothing to do.\n");
    return 0;
  }
  trust_lock(a.state_dir);
  if (removes)
    return trust_remove(a.state_dir);
  TrustWish wish = {.state_dir = a.state_dir, .server = a.server, .node = a.node, .now = now};
  FerryTrustPlace place = {"", a.state_dir};
  gboolean first = ferry_trust_files_found(&place) == FERRY_TRUST_NONE;
  gboolean served = ferry_agent_peer_tls_is_open();
  FerryTrustEnd end = trust_do(&wish, &error);
  if (end == FERRY_TRUST_FAILED) {
    fprintf(stderr, "ferry-agentd trust: %s\n", error->message);
    return first && wish.unwanted ? 0 : 1;
  }
  fflush(stdout);
  const char *restart[] = {"systemctl", "try-restart", "ferry-agentd.service", NULL};
  if (ferry_trust_restarts(end, first, served) && !machine_run(restart, NULL, &error))
    fprintf(stderr, "ferry-agentd trust: %s\n", error->message);
  return 0;
}
