// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a request sleeps for its way, is served in its sender's thread (which stands
// for the API's), and sleeps for its answer's way. One that is late is served by a thread of its
// own after its sender heard that nobody answered. A watch reads the store's change log and hands
// on what its selector lets through.
#include "sim/world/wire.h"
#include "model/migration/migration.h"
#include "sim/world/shim.h"
#include <string.h>

#define CONNECT_US (5 * G_USEC_PER_SEC)
#define SILENT_US (30 * G_USEC_PER_SEC)
#define TICK_US 100000

struct _FerryClient {
  FerryClientConfig *config;
};

static struct {
  FerryWorldFerryd *ferryd;
  FerryWorldWeather weather;
  GHashTable *cut; /* set of nodes */
} wire;

void ferry_wire_begin(FerryWorldFerryd *ferryd, const FerryWorldWeather *weather) {
  wire.ferryd = ferryd;
  wire.weather = *weather;
  wire.cut = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void ferry_wire_end(void) {
  g_clear_pointer(&wire.cut, g_hash_table_unref);
}

void ferry_wire_cut(const char *node, gboolean cut) {
  if (cut)
    g_hash_table_add(wire.cut, g_strdup(node));
  else
    g_hash_table_remove(wire.cut, node);
}

gboolean ferry_wire_is_cut(const char *node) {
  return g_hash_table_contains(wire.cut, node);
}

FerryClient *__wrap_ferry_client_new(const FerryClientConfig *config, GError **error) {
  FerryClient *client = g_new0(FerryClient, 1);
  client->config = ferry_client_config_copy(config);
  return client;
}

void __wrap_ferry_client_free(FerryClient *client) {
  if (!client)
    return;
  ferry_client_config_free(client->config);
  g_free(client);
}

const FerryClientConfig *__wrap_ferry_client_config(const FerryClient *client) {
  return client->config;
}

/* ---- one request ---- */

typedef struct {
  char *node, *method, *path;
  FerryWorldProcess *agent;
  json_t *body;
  gboolean strategic, telemetry;
  gint64 epoch;
} WireRequest;

static void wire_request_free(WireRequest *r) {
  g_free(r->node);
  g_free(r->method);
  g_free(r->path);
  json_decref(r->body);
  g_free(r);
}

static WireRequest *wire_request_new(const FerryClient *client, const char *method,
                                     const char *path, const json_t *body, const char *content_type,
                                     const char *const *headers) {
  WireRequest *r = g_new0(WireRequest, 1);
  r->node = g_strdup(client->config->token);
  r->method = g_strdup(method);
  r->path = g_strdup(path);
  r->agent = ferry_fiber_process();
  r->body = body ? json_deep_copy(body) : NULL;
  r->strategic = g_strcmp0(content_type, FERRY_CONTENT_STRATEGIC_PATCH) == 0;
  r->epoch = -1;
  for (gsize i = 0; headers && headers[i]; i++) {
    if (g_str_has_prefix(headers[i], "Ferry-Agent-Epoch: "))
      r->epoch = g_ascii_strtoll(headers[i] + strlen("Ferry-Agent-Epoch: "), NULL, 10);
    r->telemetry |= g_str_has_prefix(headers[i], "Ferry-Telemetry:");
  }
  return r;
}

static json_t *serve_status(const WireRequest *r, char **parts, guint n, GError **error) {
  FerryWorldPatch patch = {.node = r->node,
                           .agent = r->agent,
                           .ns = parts[n - 4],
                           .name = parts[n - 2],
                           .patch = r->body,
                           .strategic = r->strategic,
                           .telemetry = r->telemetry,
                           .epoch = r->epoch};
  return ferry_ferryd_patch(wire.ferryd, &patch, error);
}

static json_t *wire_serve(const WireRequest *r, GError **error) {
  g_auto(GStrv) parts = g_strsplit(r->path, "/", -1);
  guint n = g_strv_length(parts);
  const char *last = parts[n - 1];
  if (g_str_equal(last, "session"))
    return ferry_ferryd_session(wire.ferryd, r->node, r->agent, r->body, error);
  if (g_str_equal(last, "report"))
    return ferry_ferryd_report(wire.ferryd, r->node, r->agent, r->body, error);
  if (g_str_equal(last, "status") && n > 5)
    return serve_status(r, parts, n, error);
  if (g_str_equal(last, "events"))
    return json_object();
  if (n > 2 && g_str_equal(parts[n - 2], "nodes") && g_str_equal(r->method, "GET"))
    return ferry_ferryd_node(wire.ferryd, last, error);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "the world has no route %s", r->path);
  return NULL;
}

static gpointer serve_late(gpointer data) {
  WireRequest *r = data;
  g_autoptr(GError) error = NULL;
  ferry_fiber_sleep(ferry_world_between(200, 20000) * 1000);
  json_decref(wire_serve(r, &error));
  wire_request_free(r);
  return NULL;
}

/* Sleeps, unless the sender is killed meanwhile. */
static gboolean wire_sleep(const WireRequest *r, gint64 us) {
  gint64 until = ferry_fiber_now() + us;
  while (!(r->agent && r->agent->dead) && ferry_fiber_now() < until)
    ferry_fiber_wait(r->agent, until);
  return !(r->agent && r->agent->dead);
}

static json_t *wire_unreachable(GError **error) {
  g_clear_error(error);
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "ferryd cannot be reached");
  return NULL;
}

static json_t *wire_exchange(WireRequest *r, GError **error) {
  const FerryWorldWeather *w = &wire.weather;
  gboolean late = ferry_world_chance(w->late);
  if (!wire_sleep(r, ferry_world_between(300, 6000)) || ferry_world_chance(w->lost))
    return wire_unreachable(error);
  if (ferry_wire_is_cut(r->node)) {
    wire_sleep(r, CONNECT_US);
    return wire_unreachable(error);
  }
  if (late) {
    WireRequest *copy = g_new0(WireRequest, 1);
    *copy = (WireRequest){g_strdup(r->node),    g_strdup(r->method), g_strdup(r->path), r->agent,
                          json_incref(r->body), r->strategic,        r->telemetry,      r->epoch};
    ferry_fiber_new(NULL, serve_late, copy, FALSE);
    wire_sleep(r, ferry_world_between(100, 5000) * 1000);
    return wire_unreachable(error);
  }
  g_autoptr(GError) cause = NULL;
  g_autoptr(json_t) answer = wire_serve(r, &cause);
  if (!wire_sleep(r, ferry_world_between(300, 3000)) || ferry_world_chance(w->answer_lost) ||
      ferry_wire_is_cut(r->node))
    return wire_unreachable(error);
  if (cause)
    g_propagate_error(error, g_steal_pointer(&cause));
  return g_steal_pointer(&answer);
}

json_t *__wrap_ferry_client_request_full(FerryClient *client, const char *method, const char *path,
                                         const json_t *body, const char *content_type,
                                         const char *const *headers, GCancellable *cancellable,
                                         unsigned *status, GError **error) {
  g_autoptr(GError) cause = NULL;
  WireRequest *r = wire_request_new(client, method, path, body, content_type, headers);
  json_t *answer = r->agent && r->agent->dead ? wire_unreachable(&cause) : wire_exchange(r, &cause);
  wire_request_free(r);
  if (cause)
    g_propagate_error(error, g_steal_pointer(&cause));
  return answer;
}

json_t *__wrap_ferry_client_request(FerryClient *client, const char *method, const char *path,
                                    const json_t *body, const char *content_type,
                                    const char *const *headers, unsigned *status, GError **error) {
  return __wrap_ferry_client_request_full(client, method, path, body, content_type, headers, NULL,
                                          status, error);
}

/* ---- a watch ---- */

static gboolean is_named(const json_t *object, const char *node) {
  return ferry_json_has_word(ferry_json_get(object, "status.migrationState.agents"), node);
}

static void wake_watch(gpointer data) {
  ferry_fiber_wake(data, TRUE);
}

typedef struct {
  const char *node;
  FerryWorldProcess *agent;
  FerryWatchFunc event;
  FerryTickFunc tick;
  gpointer data;
  FerryWorldVisit visit;
  FerryWatch *watch;
} WireWatch;

static gboolean hand_on(const WireWatch *w, const FerrySeen *change) {
  gboolean now = change->type != FERRY_DELETED && is_named(change->object, w->node);
  gboolean before = change->previous && is_named(change->previous, w->node);
  if (!now && !before)
    return TRUE;
  const char *type = now && before ? "MODIFIED" : now ? "ADDED" : "DELETED";
  return w->event(type, change->object, w->data);
}

/* Until the watch ends; TRUE: its owner wants no more. */
static gboolean watch_on(WireWatch *w) {
  gint64 silent = ferry_fiber_now();
  while (!w->visit.process->dead && !w->agent->dead) {
    if (!w->tick(w->data))
      return TRUE;
    gboolean cut = ferry_wire_is_cut(w->node);
    if (!cut)
      silent = ferry_fiber_now();
    else if (ferry_fiber_now() - silent > SILENT_US)
      return FALSE;
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChange) change = cut ? NULL : ferry_watch_next(w->watch, &error);
    if (error)
      return FALSE;
    if (!change) {
      ferry_fiber_wait(w, ferry_fiber_now() + TICK_US);
      continue;
    }
    if (change->kind != &ferry_kind_vmim)
      continue;
    ferry_fiber_sleep(ferry_world_between(200, 4000));
    g_auto(FerrySeen) seen = ferry_change_see(change);
    if (w->visit.process->dead || w->agent->dead || !hand_on(w, &seen))
      return w->agent->dead;
  }
  return w->agent->dead;
}

static gboolean list_first(const WireWatch *w) {
  g_autoptr(GPtrArray) all = ferry_store_list(wire.ferryd->store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++)
    if (is_named(all->pdata[i], w->node) && !w->event("ADDED", all->pdata[i], w->data))
      return FALSE;
  return TRUE;
}

gboolean __wrap_ferry_client_watch(FerryClient *client, const char *path,
                                   const char *const *headers, guint idle_timeout_s,
                                   FerryWatchFunc event, FerryTickFunc tick, gpointer data,
                                   GCancellable *cancellable, GError **error) {
  WireWatch w = {client->config->token, ferry_fiber_process(), event, tick, data, {0}, NULL};
  gboolean ended = FALSE;
  ferry_fiber_sleep(ferry_world_between(1000, 20000));
  if (w.agent->dead || ferry_wire_is_cut(w.node) ||
      !ferry_ferryd_enter(wire.ferryd, &w.visit, NULL)) {
    wire_unreachable(error);
    return FALSE;
  }
  w.watch = ferry_store_watch_now(wire.ferryd->store, NULL, NULL, wake_watch, &w);
  ferry_fiber_become(w.agent); /* what is read is handled by its reader */
  ended = list_first(&w) && watch_on(&w);
  ferry_watch_free(w.watch);
  ferry_ferryd_leave(&w.visit, NULL);
  if (!ended)
    wire_unreachable(error);
  return ended;
}
