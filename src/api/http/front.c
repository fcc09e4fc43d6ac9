// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a user has an allowance (requests at once, and a token bucket; beyond it
// 429), which is counted by name, so that users behind one proxy don't share one; who isn't known
// has that of the address. What is cheap is answered by the HTTP library's own threads; all else
// suspends its connection and waits for a seat of its level. What a list will cost is guessed from
// the bytes of the latest list of its kind; it weighs in the queue alone, so that a user's lists
// leave his other requests their allowance. A list of 20 MB is asked for with 100 bytes, and who
// reads it slowly keeps it here: what a user has not read is counted, when he asks and again when
// it is his turn.
#include "api/http/front.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/http/acceptor.h"
#include "api/http/allowance.h"
#include "api/http/dispatch.h"
#include "api/http/level.h"
#include "base/metrics_text.h"

#include <string.h>

#define TICK_MOST_MS 500
#define TICK_LEAST_MS 10
#define BYTES_A_COST (16 * 1024)
#define ADDRESS_IN_FLIGHT 32

struct FerryFront {
  FerryApi *api;
  FerryHttpLimits limits;
  FerryConnections *connections;
  FerryAcceptor *acceptor;
  FerryDispatch *dispatch;
  GMutex lock; /* below */
  FerryAllowances *allowances;
  GHashTable *widths; /* FerryKind -> bytes of its latest list */
};

FerryConnections *ferry_front_connections(FerryFront *front) {
  return front->connections;
}

const FerryHttpLimits *ferry_front_limits(const FerryFront *front) {
  return &front->limits;
}

guint ferry_front_most_connections(const FerryFront *front) {
  return front->limits.anonymous + front->limits.authenticated;
}

/* ---- answers on a seat ---- */

static void front_resume(FerryRequest *req) {
  FerryApi *api = req->api;
  MHD_resume_connection(req->connection); /* req may be gone from here on */
  g_atomic_int_dec_and_test(&api->requests);
}

static void front_refuse(FerryRequest *req, const char *reason, guint retry_s,
                         const char *message) {
  g_autoptr(GError) error =
      g_error_new_literal(FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS, message);
  req->seat.retry_after_s = retry_s;
  ferry_dispatch_count_refusal(req->api->front->dispatch, req->seat.level, reason);
  ferry_respond_error(req, error);
}

static void remember_width(FerryRequest *req) {
  gsize bytes = ferry_respond_size(req);
  if (!req->seat.wide || !req->found.kind || !bytes || req->answer.status != 200)
    return;
  FerryFront *front = req->api->front;
  g_mutex_lock(&front->lock);
  g_hash_table_insert(front->widths, (gpointer)req->found.kind, GSIZE_TO_POINTER(bytes));
  g_mutex_unlock(&front->lock);
}

/* FALSE: it was answered with 429. Cancels get through, whose answers are small. */
static gboolean leave_to_answer(FerryRequest *req) {
  FerryFront *front = req->api->front;
  if (req->seat.level == FERRY_LEVEL_CONTROL)
    return TRUE;
  g_mutex_lock(&front->lock);
  gboolean ok = !req->seat.flow || ferry_allowances_may_answer(front->allowances, req->seat.flow,
                                                               front->limits.unread_per_identity);
  g_mutex_unlock(&front->lock);
  if (!ok)
    front_refuse(
        req, ferry_refusal_unread, 1,
        "too much is unread: this user or address has asked for answers and does not read them; "
        "read or close some first");
  return ok;
}

/* Routes it, and counts its answer until ferry_front_release. */
static void route_and_hold(FerryRequest *req) {
  FerryFront *front = req->api->front;
  req->api->stages->route(req);
  req->seat.unread = req->seat.admitted ? ferry_respond_size(req) : 0;
  if (!req->seat.unread)
    return;
  g_mutex_lock(&front->lock);
  ferry_allowances_hold(front->allowances, req->seat.flow, req->seat.unread);
  g_mutex_unlock(&front->lock);
}

static void on_work(gpointer data) {
  FerryRequest *req = data;
  if (leave_to_answer(req))
    route_and_hold(req);
  remember_width(req);
  front_resume(req);
}

static void on_late(gpointer data) {
  FerryRequest *req = data;
  front_refuse(
      req, ferry_refusal_wait, 5,
      "the server has too much to do: the request waited too long for its turn; try again later");
  front_resume(req);
}

static void on_tick(gpointer data, gint64 now_us) {
  FerryFront *front = data;
  ferry_connections_reap(front->connections, now_us);
  ferry_dispatch_tick(front->dispatch, now_us);
}

/* ---- life ---- */

static guint tick_of(const FerryHttpLimits *l) {
  guint least = MIN(MIN(l->handshake_ms, l->header_ms), MIN(l->body_ms, l->grace_ms));
  least = MIN(least, MIN(l->idle_ms, l->stall_ms));
  return CLAMP(least / 4, TICK_LEAST_MS, TICK_MOST_MS);
}

FerryFront *ferry_front_new(FerryApi *api, const FerryHttpLimits *limits,
                            const char *const *proxies, FerryHandFunc hand, GError **error) {
  g_autoptr(GArray) nets = g_array_new(FALSE, FALSE, sizeof(FerryProxyNet));
  for (gsize i = 0; proxies && proxies[i]; i++) {
    FerryProxyNet net;
    if (!ferry_proxy_net_parse(proxies[i], &net, error))
      return NULL;
    g_array_append_val(nets, net);
  }
  static const FerryDispatchHooks work = {.work = on_work, .late = on_late};
  FerryFront *front = g_new0(FerryFront, 1);
  front->api = api;
  front->limits = ferry_http_limits_resolve(limits);
  front->connections = ferry_connections_new(&front->limits);
  FerryAcceptorHooks hooks = {
      .hand = hand, .tick = on_tick, .data = front, .tick_ms = tick_of(&front->limits)};
  front->acceptor =
      ferry_acceptor_new(front->connections, (const FerryProxyNet *)nets->data, nets->len, &hooks);
  front->dispatch = ferry_dispatch_new(ferry_level_rules, &work);
  g_mutex_init(&front->lock);
  front->allowances = ferry_allowances_new(front->limits.unread);
  front->widths = g_hash_table_new(NULL, NULL);
  return front;
}

void ferry_front_listen(FerryFront *front, int fd, gpointer listener) {
  ferry_acceptor_listen(front->acceptor, fd, listener);
}

void ferry_front_start(FerryFront *front) {
  ferry_acceptor_start(front->acceptor);
}

void ferry_front_stop(FerryFront *front) {
  g_clear_pointer(&front->acceptor, ferry_acceptor_free);
}

void ferry_front_free(FerryFront *front) {
  if (!front)
    return;
  ferry_acceptor_free(front->acceptor);
  ferry_dispatch_free(front->dispatch);
  ferry_connections_free(front->connections);
  ferry_allowances_free(front->allowances);
  g_hash_table_unref(front->widths);
  g_mutex_clear(&front->lock);
  g_free(front);
}

/* ---- allowances ---- */

static double cost_of(FerryRequest *req, const FerryLevelChoice *choice) {
  if (!choice->wide)
    return 1;
  FerryFront *front = req->api->front;
  gsize bytes = 0;
  GHashTableIter iter;
  gpointer kind, width;
  g_mutex_lock(&front->lock);
  g_hash_table_iter_init(&iter, front->widths);
  while (choice->plural && g_hash_table_iter_next(&iter, &kind, &width))
    if (g_str_equal(((const FerryKind *)kind)->plural, choice->plural))
      bytes = GPOINTER_TO_SIZE(width);
  g_mutex_unlock(&front->lock);
  return 1 + (double)bytes / BYTES_A_COST;
}

static gboolean take_allowance(FerryRequest *req, const FerryAllowance *rule) {
  FerryFront *front = req->api->front;
  guint retry_s;
  g_mutex_lock(&front->lock);
  FerryAllowed allowed = ferry_allowances_begin(front->allowances, req->seat.flow, rule, 1,
                                                g_get_monotonic_time(), &retry_s);
  g_mutex_unlock(&front->lock);
  req->seat.admitted = allowed == FERRY_ALLOWED;
  if (allowed == FERRY_ALLOWED_NO_RATE)
    front_refuse(req, ferry_refusal_rate, retry_s,
                 "too many requests: this user or address asks for more in a second than one may");
  else if (allowed == FERRY_ALLOWED_NO_FLIGHT)
    front_refuse(req, ferry_refusal_in_flight, retry_s,
                 "too many requests: this user or address has more of them under way than one may");
  return req->seat.admitted && leave_to_answer(req);
}

static gboolean admit_address(FerryRequest *req) {
  const FerryHttpLimits *l = &req->api->front->limits;
  const FerryAllowance rule = {l->address_rate, l->address_burst, ADDRESS_IN_FLIGHT};
  req->seat.flow =
      g_strdup(req->reading.conn ? ferry_conn_address(req->reading.conn) : "address:?");
  return take_allowance(req, &rule);
}

gboolean ferry_front_admit_stranger(FerryRequest *req) {
  req->seat.level = FERRY_LEVEL_ANONYMOUS;
  req->seat.cost = 1;
  return admit_address(req);
}

gboolean ferry_front_admit(FerryRequest *req) {
  const FerryUser *user = req->user;
  const FerryHttpLimits *l = &req->api->front->limits;
  FerryAsker asker = user->anonymous ? FERRY_ASKER_UNKNOWN
                     : user->node    ? FERRY_ASKER_AGENT
                                     : FERRY_ASKER_USER;
  FerryLevelChoice choice = ferry_level_choose(req->asked.method, req->asked.segments,
                                               ferry_query_bool(req, "watch"), asker);
  req->seat.level = choice.level;
  req->seat.quick = choice.quick;
  req->seat.wide = choice.wide;
  req->seat.cost = cost_of(req, &choice);
  if (req->seat.level == FERRY_LEVEL_EXEMPT)
    return TRUE;
  if (user->anonymous)
    return admit_address(req);
  const FerryAllowance rule = {l->rate, l->burst, l->in_flight};
  req->seat.flow =
      g_strconcat("user:", user->impersonator ? user->impersonator->name : user->name, NULL);
  return take_allowance(req, &rule);
}

void ferry_front_release(FerryRequest *req) {
  if (!req->seat.admitted)
    return;
  FerryFront *front = req->api->front;
  req->seat.admitted = FALSE;
  g_mutex_lock(&front->lock);
  ferry_allowances_end(front->allowances, req->seat.flow, req->seat.unread);
  req->seat.unread = 0;
  g_mutex_unlock(&front->lock);
}

gboolean ferry_front_answer(FerryRequest *req) {
  FerryApi *api = req->api;
  guint retry_s = 1;
  if (req->seat.quick) {
    route_and_hold(req);
    return TRUE;
  }
  g_atomic_int_inc(&api->requests);
  if (g_atomic_int_get(&api->stopping)) {
    g_atomic_int_dec_and_test(&api->requests);
    g_autoptr(GError) error =
        g_error_new_literal(FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "the server is shutting down");
    ferry_respond_error(req, error);
    return TRUE;
  }
  /* First: a seat may have the answer, and wake the connection, before the next line runs. */
  MHD_suspend_connection(req->connection);
  if (!ferry_dispatch_put(api->front->dispatch, req->seat.level, req->seat.flow, req->seat.cost,
                          req, &retry_s)) {
    front_refuse(req, ferry_refusal_queue, retry_s,
                 "too many requests: the queue for requests of this sort is full; try again later");
    front_resume(req);
  }
  return FALSE;
}

void ferry_front_put_metrics(FerryFront *front, GString *out) {
  g_mutex_lock(&front->lock);
  gsize unread = ferry_allowances_unread(front->allowances);
  g_mutex_unlock(&front->lock);
  ferry_metrics_figure(out, "ferry_api_unread_bytes", "gauge",
                       "Memory of answers that are being written to their clients.",
                       (double)unread);
  ferry_connections_put_metrics(front->connections, out);
  ferry_dispatch_put_metrics(front->dispatch, out);
}
