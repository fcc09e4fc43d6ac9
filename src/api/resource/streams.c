// SPDX-License-Identifier: Apache-2.0
// All open streams, watches and events alike: how many there may be, the ticker that lets them look
// at the time, and the end of those whose credential or right does not hold any more.
#include "api/internal.h"
#include "api/auth/kept_right.h"
#include "api/http/front.h"
#include "api/http/stream.h"

#define TICK_US (G_USEC_PER_SEC / 2)

typedef void (*StreamFunc)(FerryStreamBase *stream, gpointer data);

/* `watches` is held. Each kind of stream begins with its base. */
static void foreach_stream(FerryApi *api, StreamFunc func, gpointer data) {
  for (guint i = 0; i < api->streams->len; i++)
    func((FerryStreamBase *)g_ptr_array_index(api->streams, i), data);
  for (guint i = 0; i < api->event_streams->len; i++)
    func((FerryStreamBase *)g_ptr_array_index(api->event_streams, i), data);
}

/* ---- how many ---- */

typedef struct {
  const char *user;
  guint count;
} Count;

static void count_of_user(FerryStreamBase *stream, gpointer data) {
  Count *count = data;
  count->count += g_strcmp0(stream->user->name, count->user) == 0;
}

gboolean ferry_streams_enter(FerryRequest *req, GPtrArray *list, FerryStreamBase *stream,
                             GError **error) {
  FerryApi *api = req->api;
  if (!(stream->right = ferry_kept_right_new(req, error)))
    return FALSE;
  const FerryHttpLimits *limits = ferry_front_limits(api->front);
  Count own = {.user = stream->user->name};
  g_mutex_lock(&api->watches);
  guint all = api->streams->len + api->event_streams->len;
  foreach_stream(api, count_of_user, &own);
  gboolean room = all < limits->streams && own.count < limits->streams_per_identity;
  if (room)
    g_ptr_array_add(list, stream);
  else
    api->streams_refused++;
  g_mutex_unlock(&api->watches);
  if (room)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
              "%u watches and event streams are open, %u of them of \"%s\"; at most %u and %u are "
              "served: end some, or try again later",
              all, own.count, own.user, limits->streams, limits->streams_per_identity);
  return FALSE;
}

static void add_buffered(FerryStreamBase *stream, gpointer data) {
  *(guint64 *)data += (guint64)g_atomic_int_get(&stream->buffered);
}

void ferry_streams_figures(FerryApi *api, FerryStreamFigures *figures) {
  *figures = (FerryStreamFigures){0};
  g_mutex_lock(&api->watches);
  figures->watches = api->streams->len;
  figures->event_streams = api->event_streams->len;
  figures->refused = api->streams_refused;
  figures->revoked = api->streams_revoked;
  foreach_stream(api, add_buffered, &figures->buffered);
  g_mutex_unlock(&api->watches);
}

/* ---- credentials and rights ---- */

/* What one stream goes on by, held while it is judged. */
typedef struct {
  FerryUser *user;
  FerryKeptRight *right;
} Held;

static void held_clear(gpointer data) {
  Held *held = data;
  ferry_user_unref(held->user);
  ferry_kept_right_unref(held->right);
}

static void hold(FerryStreamBase *stream, gpointer data) {
  Held held = {ferry_user_ref(stream->user), ferry_kept_right_ref(stream->right)};
  g_array_append_val((GArray *)data, held);
}

/* `lost`: FerryUser or FerryKeptRight that does not hold any more -> FerryStreamRevoked. */
static void revoke_stream(FerryStreamBase *stream, gpointer lost) {
  int why = GPOINTER_TO_INT(g_hash_table_lookup(lost, stream->user));
  if (!why)
    why = GPOINTER_TO_INT(g_hash_table_lookup(lost, stream->right));
  if (why)
    g_atomic_int_set(&stream->revoked, why);
}

/* Each user once, though he may have many streams. */
static void judge(FerryApi *api, const GArray *all, GHashTable *lost) {
  g_autoptr(GHashTable) asked = g_hash_table_new(NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const Held *held = &g_array_index(all, Held, i);
    if (g_hash_table_add(asked, held->user) && !ferry_auth_is_valid(api, held->user, NULL))
      g_hash_table_insert(lost, held->user, GINT_TO_POINTER(FERRY_STREAM_CREDENTIAL_ENDED));
    if (!ferry_kept_right_holds(api, held->user, held->right))
      g_hash_table_insert(lost, held->right, GINT_TO_POINTER(FERRY_STREAM_RIGHT_LOST));
  }
}

/* The questions may take locks that are taken before `watches`: they are asked without it, of users
 * and rights that are held meanwhile. `watches` is held before and after. */
static void check_streams(FerryApi *api) {
  g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Held));
  g_autoptr(GHashTable) lost = g_hash_table_new(NULL, NULL);
  g_array_set_clear_func(all, held_clear);
  foreach_stream(api, hold, all);
  g_mutex_unlock(&api->watches);
  judge(api, all, lost);
  g_mutex_lock(&api->watches);
  api->streams_revoked += g_hash_table_size(lost);
  if (g_hash_table_size(lost))
    foreach_stream(api, revoke_stream, lost);
}

/* ---- the ticker ---- */

static gpointer ticker(gpointer data) {
  FerryApi *api = data;
  g_mutex_lock(&api->watches);
  while (!api->stop) {
    gint64 now = g_get_monotonic_time();
    check_streams(api);
    ferry_watches_tick(api, FALSE);
    ferry_event_streams_tick(api);
    if (!api->stop)
      g_cond_wait_until(&api->watch_stop, &api->watches, now + TICK_US);
  }
  ferry_watches_tick(api, TRUE);
  ferry_event_streams_tick(api);
  g_mutex_unlock(&api->watches);
  return NULL;
}

void ferry_watch_start(FerryApi *api) {
  api->ticker = g_thread_new("ferry-watches", ticker, api);
}

void ferry_watch_stop_all(FerryApi *api) {
  if (!api->ticker)
    return;
  g_mutex_lock(&api->watches);
  api->stop = TRUE;
  g_cond_signal(&api->watch_stop);
  g_mutex_unlock(&api->watches);
  g_thread_join(g_steal_pointer(&api->ticker));
}
