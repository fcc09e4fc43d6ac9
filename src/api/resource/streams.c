// SPDX-License-Identifier: Apache-2.0
// All open streams, watches and events alike: how many there may be, the ticker that lets them look
// at the time (and has free memory given back), and the end of those whose credential or right does
// not hold any more.
#include "api/internal.h"
#include "api/auth/kept_right.h"
#include "api/http/front.h"
#include "api/http/stream.h"
#include "base/memory.h"

#define TICK_US (G_USEC_PER_SEC / 2)
#define TRIM_US (5 * G_USEC_PER_SEC)

typedef void (*StreamFunc)(FerryStreamBase *stream, gpointer data);

/* `watches` is held. Each kind of stream begins with its base. */
static void foreach_stream(FerryApi *api, StreamFunc func, gpointer data) {
  for (guint i = 0; i < api->streams->len; i++)
    func((FerryStreamBase *)g_ptr_array_index(api->streams, i), data);
  for (guint i = 0; i < api->event_streams->len; i++)
    func((FerryStreamBase *)g_ptr_array_index(api->event_streams, i), data);
}

/* ---- how many ---- */

static void add_to_user(FerryStreamBase *stream, gpointer data) {
  FerryUserStreams *s = g_hash_table_lookup(data, stream->user->name);
  if (!s)
    g_hash_table_insert(data, stream->user->name, s = g_new0(FerryUserStreams, 1));
  s->count++;
  s->stay += !g_atomic_int_get(&stream->revoked);
  s->buffered += (guint64)g_atomic_int_get(&stream->buffered);
}

/* What is served of each user, who is borrowed. */
static GHashTable *users_of(FerryApi *api) {
  GHashTable *users = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
  foreach_stream(api, add_to_user, users);
  return users;
}

/* The user who has most of those that go on, where that is more than the newcomer would have. */
static const char *crowding_user(GHashTable *users, guint own) {
  const char *most = NULL;
  guint n = own + 1;
  GHashTableIter iter;
  gpointer name, value;
  g_hash_table_iter_init(&iter, users);
  while (g_hash_table_iter_next(&iter, &name, &value)) {
    if (((const FerryUserStreams *)value)->stay > n) {
      n = ((const FerryUserStreams *)value)->stay;
      most = name;
    }
  }
  return most;
}

typedef struct {
  const char *user;
  gboolean done;
} StreamsSearch;

static void send_one_away(FerryStreamBase *stream, gpointer data) {
  StreamsSearch *search = data;
  if (search->done || g_atomic_int_get(&stream->revoked) ||
      !g_str_equal(stream->user->name, search->user))
    return;
  g_atomic_int_set(&stream->revoked, FERRY_STREAM_CROWDED);
  ferry_stream_wake(stream);
  search->done = TRUE;
}

gboolean ferry_streams_enter(FerryRequest *req, GPtrArray *list, FerryStreamBase *stream,
                             GError **error) {
  FerryApi *api = req->api;
  if (!(stream->right = ferry_kept_right_new(req, error)))
    return FALSE;
  const FerryHttpLimits *limits = ferry_front_limits(api->front);
  const char *user = stream->user->name;
  g_mutex_lock(&api->watches);
  g_autoptr(GHashTable) users = users_of(api);
  const FerryUserStreams *has = g_hash_table_lookup(users, user);
  guint own = has ? has->count : 0, all = 0;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, users);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    all += ((const FerryUserStreams *)value)->stay;
  StreamsSearch search = {.user = all >= limits->streams ? crowding_user(users, own) : NULL};
  gboolean room = own < limits->streams_per_identity && (all < limits->streams || search.user);
  if (room && search.user)
    foreach_stream(api, send_one_away, &search);
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
              all, own, user, limits->streams, limits->streams_per_identity);
  return FALSE;
}

void ferry_streams_figures(FerryApi *api, FerryStreamFigures *figures) {
  *figures = (FerryStreamFigures){0};
  g_mutex_lock(&api->watches);
  figures->watches = api->streams->len;
  figures->event_streams = api->event_streams->len;
  figures->refused = api->streams_refused;
  figures->revoked = api->streams_revoked;
  figures->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GHashTable) users = users_of(api);
  GHashTableIter iter;
  gpointer name, value;
  g_hash_table_iter_init(&iter, users);
  while (g_hash_table_iter_next(&iter, &name, &value)) {
    figures->buffered += ((const FerryUserStreams *)value)->buffered;
    g_hash_table_insert(figures->users, g_strdup(name), g_memdup2(value, sizeof(FerryUserStreams)));
  }
  g_mutex_unlock(&api->watches);
}

void ferry_streams_figures_clear(FerryStreamFigures *figures) {
  g_clear_pointer(&figures->users, g_hash_table_unref);
}

/* ---- credentials and rights ---- */

/* What one stream goes on by, held while it is judged. */
typedef struct {
  FerryUser *user;
  FerryKeptRight *right;
} StreamsHeld;

static void held_clear(gpointer data) {
  StreamsHeld *held = data;
  ferry_user_unref(held->user);
  ferry_kept_right_unref(held->right);
}

static void streams_hold(FerryStreamBase *stream, gpointer data) {
  StreamsHeld held = {ferry_user_ref(stream->user), ferry_kept_right_ref(stream->right)};
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
static void streams_judge(FerryApi *api, const GArray *all, GHashTable *lost) {
  g_autoptr(GHashTable) asked = g_hash_table_new(NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const StreamsHeld *held = &g_array_index(all, StreamsHeld, i);
    if (g_hash_table_add(asked, held->user) && !ferry_auth_is_valid(api, held->user, NULL))
      g_hash_table_insert(lost, held->user, GINT_TO_POINTER(FERRY_STREAM_CREDENTIAL_ENDED));
    if (!ferry_kept_right_holds(api, held->user, held->right))
      g_hash_table_insert(lost, held->right, GINT_TO_POINTER(FERRY_STREAM_RIGHT_LOST));
  }
}

/* The questions may take locks that are taken before `watches`: they are asked without it, of users
 * and rights that are held meanwhile. `watches` is held before and after. */
static void check_streams(FerryApi *api) {
  g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(StreamsHeld));
  g_autoptr(GHashTable) lost = g_hash_table_new(NULL, NULL);
  g_array_set_clear_func(all, held_clear);
  foreach_stream(api, streams_hold, all);
  g_mutex_unlock(&api->watches);
  streams_judge(api, all, lost);
  g_mutex_lock(&api->watches);
  api->streams_revoked += g_hash_table_size(lost);
  if (g_hash_table_size(lost))
    foreach_stream(api, revoke_stream, lost);
}

/* ---- the ticker ---- */

/* What requests took for a moment and the allocator kept. */
static void give_memory_back(gsize *settled, gint64 *next_us, gint64 now_us) {
  if (now_us < *next_us)
    return;
  *next_us = now_us + TRIM_US;
  ferry_memory_trim(settled);
}

static gpointer streams_ticker(gpointer data) {
  FerryApi *api = data;
  gsize settled = 0;
  gint64 trim_us = 0;
  g_mutex_lock(&api->watches);
  while (!api->stop) {
    gint64 now = g_get_monotonic_time();
    check_streams(api);
    ferry_watches_tick(api, FALSE);
    ferry_event_streams_tick(api);
    g_mutex_unlock(&api->watches);
    give_memory_back(&settled, &trim_us, now);
    g_mutex_lock(&api->watches);
    if (!api->stop)
      g_cond_wait_until(&api->watch_stop, &api->watches, now + TICK_US);
  }
  ferry_watches_tick(api, TRUE);
  ferry_event_streams_tick(api);
  g_mutex_unlock(&api->watches);
  return NULL;
}

void ferry_watch_start(FerryApi *api) {
  api->ticker = g_thread_new("ferry-watches", streams_ticker, api);
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
