// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a process of its own, for a moment, as it needs what the agent must not have
// (root's files, systemd). `join` runs it at once; later the agent leaves a file where a path unit
// of systemd looks (deploy/systemd/ferry-trust.path.in) and a timer has it renew. What somebody
// else has set up is left alone. The key stays on the host; ferryd says which names the certificate
// has, and nothing is done where nobody has asked ferryd for it.
#include "agent/trust_main.h"
#include "agent/link/identity.h"
#include "agent/link/peer.h"
#include "agent/settings.h"
#include "agent/trust/certificate.h"
#include "agent/trust/files.h"
#include "agent/trust/libvirtd.h"
#include "agent/trust/wish.h"
#include "base/log.h"
#include "host/libvirt/libvirt_moving.h"
#include "host/machine/interfaces.h"
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_US (10 * 60 * G_USEC_PER_SEC) /* with migrations; the timer tries again */
#define APPEARS_US (30 * G_USEC_PER_SEC)       /* until libvirtd's port is open */
#define PAUSE_US (G_USEC_PER_SEC / 2)

typedef struct {
  const char *state_dir, *server, *node;
  gboolean now;  /* also where the certificate is good for long */
  gint64 end_us; /* of the patience with migrations */
  gboolean told; /* that they are waited for */
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

/* Whether other hosts reach libvirtd over TLS, which takes a moment after a restart. */
static gboolean trust_appears(void) {
  gint64 until = g_get_monotonic_time() + APPEARS_US;
  do {
    g_autoptr(json_t) peer = ferry_agent_peer(NULL, "qemu:///system", NULL);
    if (peer)
      return TRUE;
    g_usleep(PAUSE_US);
  } while (g_get_monotonic_time() < until);
  return FALSE;
}

static gboolean trust_install(TrustWish *wish, FerryClient *client, const FerryTrustPlace *place,
                              GError **error) {
  char hostname[256] = "";
  gethostname(hostname, sizeof hostname - 1);
  g_autofree char *key = ferry_trust_files_key(place, error);
  if (!key)
    return FALSE;
  g_autoptr(json_t) network = ferry_host_local_network(NULL);
  g_autoptr(json_t) names = ferry_trust_names(hostname, json_object_get(network, "interfaces"));
  g_autoptr(json_t) got = ferry_trust_certificate(client, wish->node, key, names, error);
  gboolean ok = got && ferry_trust_files_write(place, ferry_json_str(got, "certificate"), key,
                                               ferry_json_str(got, "ca"), error);
  explicit_bzero(key, strlen(key));
  json_t *out = json_object_get(got, "leftOut"), *name;
  gsize i;
  json_array_foreach(out, i, name) {
    printf("The certificate is not for %s, which is another host's.\n", json_string_value(name));
  }
  FerryTrustMachine machine = {machine_run, machine_moving, machine_wait, wish};
  wish->end_us = g_get_monotonic_time() + PATIENCE_US;
  if (!ok || !ferry_trust_libvirtd_serve(&machine, error))
    return FALSE;
  if (trust_appears())
    return TRUE;
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                      "libvirtd does not serve its TLS port 16514; its journal may say why");
  return FALSE;
}

/* FALSE with FORBIDDEN: nobody wants it. */
static gboolean trust_do(TrustWish *wish, GError **error) {
  FerryTrustPlace place = {"", wish->state_dir};
  FerryTrustFound found = ferry_trust_files_found(&place);
  if (found == FERRY_TRUST_FOREIGN) {
    printf("This host has certificates for libvirt's TLS that Ferry did not make; they stay.\n");
    return TRUE;
  }
  g_autofree char *cert = ferry_trust_files_certificate(&place);
  if (found == FERRY_TRUST_OURS && cert && !wish->now &&
      !ferry_identity_is_due(cert, g_get_real_time() / G_USEC_PER_SEC) && trust_appears())
    return TRUE;
  FerryAgentOptions options = {
      .server = wish->server, .node = wish->node, .state_dir = wish->state_dir};
  g_autoptr(FerryClientConfig) config = ferry_identity_load(&options, error);
  g_autoptr(FerryClient) client = config ? ferry_client_new(config, error) : NULL;
  if (!client) {
    if (error && !*error)
      g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                          "this host has not joined yet: ferry-agentd join URL");
    return FALSE;
  }
  g_autoptr(GError) cause = NULL;
  if (trust_install(wish, client, &place, &cause)) {
    printf("Other hosts' libvirtds reach this one's over TLS.\n");
    return TRUE;
  }
  if (!g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_FORBIDDEN))
    ferry_trust_tell(client, wish->node, cause->message);
  g_propagate_error(error, g_steal_pointer(&cause));
  return FALSE;
}

void ferry_agent_trust_joined(const char *state_dir, const char *server, const char *node) {
  TrustWish wish = {state_dir, server, node, TRUE, 0, FALSE};
  g_autoptr(GError) error = NULL;
  if (!trust_do(&wish, &error) && !g_error_matches(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN))
    fprintf(stderr, "libvirt's TLS could not be set up: %s\n", error->message);
  fflush(stdout);
}

int ferry_agent_trust_main(int argc, char **argv) {
  gboolean now = argc > 1 && g_str_equal(argv[1], "--now");
  g_auto(FerryAgentSettings) a = {0};
  g_autoptr(GError) error = NULL;
  argv[now] = argv[0];
  if (!ferry_agent_settings_read(&a, argc - now, argv + now, NULL, &error)) {
    fprintf(stderr, "ferry-agentd trust: %s\n", error->message);
    return 2;
  }
  ferry_log_init("ferry-agentd", a.level);
  ferry_trust_wish_take(a.state_dir);
  if (a.peer_uri || !g_str_has_prefix(a.uri, "qemu:///")) {
    printf("How other hosts reach this one is said by its settings; nothing is to be done.\n");
    return 0;
  }
  TrustWish wish = {a.state_dir, a.server, a.node, now, 0, FALSE};
  FerryTrustPlace place = {"", a.state_dir};
  gboolean first = ferry_trust_files_found(&place) == FERRY_TRUST_NONE;
  if (!trust_do(&wish, &error)) {
    fprintf(stderr, "ferry-agentd trust: %s\n", error->message);
    return first && g_error_matches(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN) ? 0 : 1;
  }
  /* the agent looks for it when it starts */
  const char *restart[] = {"systemctl", "try-restart", "ferry-agentd.service", NULL};
  if (first && !machine_run(restart, NULL, &error))
    fprintf(stderr, "ferry-agentd trust: %s\n", error->message);
  return 0;
}
