// SPDX-License-Identifier: Apache-2.0
// Each host has one child process; the child's end is a GLib child watch on ferryd's main context,
// which starts it anew after a pause that doubles while it keeps ending early. A child that has no
// certificate yet gets a fresh one-time token in a file of mode 0600. A change of the Nodes wakes
// the main context: whose Node somebody deleted is not to be a host any more, so its child is ended
// and its void certificate removed; ferryd's next start with that --host joins it anew.
#include "ferryd/hosts.h"
#include "base/file.h"
#include "base/log.h"
#include "model/validate/validate.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000
#define STOP_GRACE_US (5 * G_USEC_PER_SEC)

typedef struct {
  FerrydHosts *all;
  char *name, *uri, *peer;
  GPid pid; /* 0: not running */
  gint64 started_us;
  guint backoff_ms;
  gboolean removed; /* its Node was deleted: not to be started again */
  GSource *child, *timer;
} Host;

struct FerrydHosts {
  GMainContext *context;
  FerryApi *api;
  FerryStore *store;
  FerryWatch *nodes;
  char *state_dir, *agent, *log_level;
  GPtrArray *hosts;
};

static void start_host(Host *h);

static void hosts_drop(GSource **source) {
  if (*source) {
    g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
  }
}

static void hosts_free_one(gpointer p) {
  Host *h = p;
  hosts_drop(&h->child);
  hosts_drop(&h->timer);
  g_free(h->name);
  g_free(h->uri);
  g_free(h->peer);
  g_free(h);
}

static gboolean on_timer(gpointer data) {
  Host *h = data;
  hosts_drop(&h->timer);
  start_host(h);
  return G_SOURCE_REMOVE;
}

static void start_later(Host *h) {
  if (g_get_monotonic_time() - h->started_us > 60 * G_USEC_PER_SEC)
    h->backoff_ms = BACKOFF_MIN_MS;
  h->timer = g_timeout_source_new(h->backoff_ms);
  g_source_set_callback(h->timer, on_timer, h, NULL);
  g_source_attach(h->timer, h->all->context);
  h->backoff_ms = MIN(h->backoff_ms * 2, BACKOFF_MAX_MS);
}

static char *agent_dir(const Host *h) {
  return g_build_filename(h->all->state_dir, "agents", h->name, NULL);
}

static void forget_certificate(const Host *h) {
  g_autofree char *dir = agent_dir(h);
  g_autofree char *certificate = g_build_filename(dir, "agent.crt", NULL);
  g_autofree char *next = g_build_filename(dir, "agent.next", NULL);
  g_unlink(certificate);
  g_unlink(next);
}

static void on_child_end(GPid pid, int status, gpointer data) {
  Host *h = data;
  g_autoptr(GError) error = NULL;
  if (h->removed) {
    h->pid = 0;
    hosts_drop(&h->child);
    forget_certificate(h);
    return;
  }
  g_spawn_check_wait_status(status, &error);
  ferry_warning("the agent of a managed host ended; it is started again", "FERRY_NODE", h->name,
                "FERRY_ERROR", error ? error->message : "exit status 0");
  h->pid = 0;
  hosts_drop(&h->child);
  start_later(h);
}

static void die_with_parent(gpointer data) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static gboolean write_token(Host *h, const char *dir, const char *path, GError **error) {
  g_autofree char *certificate = g_build_filename(dir, "agent.crt", NULL);
  if (g_file_test(certificate, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autofree char *token = ferry_api_token_new(h->all->api, h->name, error);
  return token && ferry_file_write(path, token, strlen(token), 0600, error);
}

static void start_host(Host *h) {
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = agent_dir(h);
  g_autofree char *token = g_build_filename(dir, "join-token", NULL);
  const char *argv[] = {h->all->agent,
                        "--config", /* this machine's agent.conf is about this machine */
                        "/dev/null",
                        "--server",
                        ferry_api_url(h->all->api),
                        "--node",
                        h->name,
                        "--state-dir",
                        dir,
                        "--token-file",
                        token,
                        "--libvirt-uri",
                        h->uri,
                        "--log-level",
                        h->all->log_level,
                        h->peer ? "--peer-uri" : NULL, /* else the agent takes it from its URI */
                        h->peer,
                        NULL};
  g_mkdir_with_parents(dir, 0700);
  h->started_us = g_get_monotonic_time();
  if (!write_token(h, dir, token, &error) ||
      !g_spawn_async(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                     die_with_parent, NULL, &h->pid, &error)) {
    ferry_warning("cannot start the agent of a managed host", "FERRY_NODE", h->name, "FERRY_ERROR",
                  error->message);
    h->pid = 0;
    start_later(h);
    return;
  }
  h->child = g_child_watch_source_new(h->pid);
  g_source_set_callback(h->child, G_SOURCE_FUNC(on_child_end), h, NULL);
  g_source_attach(h->child, h->all->context);
}

static void remove_host(Host *h) {
  if (h->removed)
    return;
  h->removed = TRUE;
  ferry_warning("the node of a managed host was deleted: its agent is stopped until ferryd is "
                "started again with this --host",
                "FERRY_NODE", h->name);
  hosts_drop(&h->timer);
  if (h->pid)
    kill(h->pid, SIGTERM);
  else
    forget_certificate(h);
}

static void wake_nodes(gpointer data);

static void watch_nodes(FerrydHosts *all) {
  g_clear_pointer(&all->nodes, ferry_watch_free);
  all->nodes = ferry_store_watch_now(all->store, &ferry_kind_node, NULL, wake_nodes, all);
}

static gboolean on_nodes(gpointer data) {
  FerrydHosts *all = data;
  FerryChange *change;
  g_autoptr(GError) error = NULL;
  while (all->nodes && (change = ferry_watch_next(all->nodes, &error))) {
    for (guint i = 0; change->type == FERRY_DELETED && i < all->hosts->len; i++) {
      Host *h = g_ptr_array_index(all->hosts, i);
      if (g_strcmp0(h->name, change->name) == 0)
        remove_host(h);
    }
    ferry_change_unref(change);
  }
  if (error) /* the log has moved past this cursor */
    watch_nodes(all);
  return G_SOURCE_REMOVE;
}

static void wake_nodes(gpointer data) {
  FerrydHosts *all = data;
  GSource *source = g_idle_source_new();
  g_source_set_callback(source, on_nodes, all, NULL);
  g_source_attach(source, all->context);
  g_source_unref(source);
}

static Host *hosts_parse(const char *text, GError **error) {
  const char *equals = strchr(text, '=');
  g_autofree char *name = equals ? g_strndup(text, (gsize)(equals - text)) : NULL;
  if (!name || !equals[1] || !ferry_format_check("dns-subdomain", name, NULL)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "--host %s: expected NAME=LIBVIRT_URI[,peer=PEER_URI], as in "
                "h1=qemu+ssh://root@h1/system, with a DNS name before the \"=\"",
                text);
    return NULL;
  }
  Host *h = g_new0(Host, 1);
  const char *peer = strstr(equals + 1, ",peer=");
  h->uri = peer ? g_strndup(equals + 1, (gsize)(peer - equals - 1)) : g_strdup(equals + 1);
  h->peer = peer ? g_strdup(peer + strlen(",peer=")) : NULL;
  h->name = g_steal_pointer(&name);
  h->backoff_ms = BACKOFF_MIN_MS;
  return h;
}

gboolean ferryd_hosts_check(const char *host, GError **error) {
  Host *h = hosts_parse(host, error);
  if (h)
    hosts_free_one(h);
  return h != NULL;
}

/* beside ferryd (an installed tree, or a build tree), else by PATH */
static char *find_agent(void) {
  g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
  g_autofree char *dir = self ? g_path_get_dirname(self) : NULL;
  static const char *const places[] = {"ferry-agentd", "../agent/ferry-agentd",
                                       "../sbin/ferry-agentd"};
  for (gsize i = 0; dir && i < G_N_ELEMENTS(places); i++) {
    g_autofree char *path = g_build_filename(dir, places[i], NULL);
    if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
      return g_steal_pointer(&path);
  }
  return g_strdup("ferry-agentd");
}

FerrydHosts *ferryd_hosts_start(GMainContext *context, FerryApi *api, FerryStore *store,
                                const char *state_dir, const char *agent, const char *log_level,
                                const char *const *hosts, GError **error) {
  FerrydHosts *all = g_new0(FerrydHosts, 1);
  all->context = context;
  all->api = api;
  all->store = store;
  all->state_dir = g_strdup(state_dir);
  all->agent = agent ? g_strdup(agent) : find_agent();
  all->log_level = g_strdup(log_level);
  all->hosts = g_ptr_array_new_with_free_func(hosts_free_one);
  for (; hosts && *hosts; hosts++) {
    Host *h = hosts_parse(*hosts, error);
    if (!h) {
      ferryd_hosts_stop(all);
      return NULL;
    }
    h->all = all;
    g_ptr_array_add(all->hosts, h);
  }
  if (all->hosts->len)
    watch_nodes(all);
  for (guint i = 0; i < all->hosts->len; i++)
    start_host(g_ptr_array_index(all->hosts, i));
  return all;
}

static void end_child(Host *h) {
  if (h->pid == 0)
    return;
  kill(h->pid, SIGTERM);
  gint64 until = g_get_monotonic_time() + STOP_GRACE_US;
  pid_t got;
  while ((got = waitpid(h->pid, NULL, WNOHANG)) == 0 && g_get_monotonic_time() < until)
    g_usleep(20000);
  if (got == 0) {
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
  }
  h->pid = 0;
}

static gboolean hosts_same(const Host *a, const Host *b) {
  return g_str_equal(a->name, b->name) && g_str_equal(a->uri, b->uri) &&
         g_strcmp0(a->peer, b->peer) == 0;
}

static Host *hosts_find(GPtrArray *hosts, const Host *like) {
  for (guint i = 0; i < hosts->len; i++)
    if (hosts_same(g_ptr_array_index(hosts, i), like))
      return g_ptr_array_index(hosts, i);
  return NULL;
}

void ferryd_hosts_reload(FerrydHosts *all, const char *const *wanted) {
  g_autoptr(GPtrArray) next = g_ptr_array_new_with_free_func(hosts_free_one);
  for (; wanted && *wanted; wanted++)
    g_ptr_array_add(next, hosts_parse(*wanted, NULL));
  for (guint i = all->hosts->len; i-- > 0;) {
    Host *h = g_ptr_array_index(all->hosts, i);
    if (hosts_find(next, h))
      continue;
    ferry_info("a host is no longer managed from here", "FERRY_NODE", h->name);
    hosts_drop(&h->child);
    hosts_drop(&h->timer);
    end_child(h);
    g_ptr_array_remove_index(all->hosts, i);
  }
  if (next->len && !all->nodes)
    watch_nodes(all);
  for (guint i = 0; i < next->len;) {
    Host *h = g_ptr_array_index(next, i);
    if (hosts_find(all->hosts, h)) {
      i++;
      continue;
    }
    g_ptr_array_steal_index(next, i);
    h->all = all;
    g_ptr_array_add(all->hosts, h);
    start_host(h);
  }
}

void ferryd_hosts_stop(FerrydHosts *all) {
  if (!all)
    return;
  g_clear_pointer(&all->nodes, ferry_watch_free);
  for (guint i = 0; i < all->hosts->len; i++) {
    Host *h = g_ptr_array_index(all->hosts, i);
    hosts_drop(&h->child);
    hosts_drop(&h->timer);
    end_child(h);
  }
  g_ptr_array_unref(all->hosts);
  g_free(all->state_dir);
  g_free(all->agent);
  g_free(all->log_level);
  g_free(all);
}
