// SPDX-License-Identifier: Apache-2.0
// All open streams, watches and events alike: how many there may be, the ticker that lets them look
// at the time (and has free memory given back), and the end of those whose credential or right does
// not hold any more.
#include "api/resource/streams.h"
#include "api/auth/kept_right.h"
#include "api/auth/validity.h"
#include "api/http/front.h"
#include "base/memory.h"

#define TICK_US (G_USEC_PER_SEC / 2)
#define TRIM_US (5 * G_USEC_PER_SEC)

struct FerryStreams {
  FerryApi *api;
  GMutex lock; /* all below, but the thread */
  GCond stopped;
  gboolean stop;
  GPtrArray *open; /* FerryStream, borrowed */
  guint64 refused, revoked;
  GThread *ticker;
};

typedef void (*StreamFunc)(FerryStream *stream, gpointer data);

/* The lock is held. */
static void foreach_stream(FerryStreams *all, StreamFunc func, gpointer data) {
  for (guint i = 0; i < all->open->len; i++)
    func(g_ptr_array_index(all->open, i), data);
}

/* ---- how many ---- */

static void add_to_user(FerryStream *stream, gpointer data) {
  FerryUserStreams *s = g_hash_table_lookup(data, stream->user->name);
  if (!s)
    g_hash_table_insert(data, stream->user->name, s = g_new0(FerryUserStreams, 1));
  s->count++;
  s->stay += !g_atomic_int_get(&stream->revoked);
  s->buffered += (guint64)g_atomic_int_get(&stream->buffered);
}

/* What is served of each user, who is borrowed. */
static GHashTable *users_of(FerryStreams *streams) {
  GHashTable *users = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
  foreach_stream(streams, add_to_user, users);
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

static void send_one_away(FerryStream *stream, gpointer data) {
  StreamsSearch *search = data;
  if (search->done || g_atomic_int_get(&stream->revoked) ||
      !g_str_equal(stream->user->name, search->user))
    return;
  g_atomic_int_set(&stream->revoked, FERRY_STREAM_CROWDED);
  ferry_stream_wake(stream);
  search->done = TRUE;
}

gboolean ferry_streams_enter(FerryRequest *req, FerryStream *stream, GError **error) {
  FerryStreams *streams = req->api->streams;
  if (!(stream->right = ferry_kept_right_new(req, error)))
    return FALSE;
  const FerryHttpLimits *limits = ferry_front_limits(req->api->front);
  const char *user = stream->user->name;
  g_mutex_lock(&streams->lock);
  g_autoptr(GHashTable) users = users_of(streams);
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
    foreach_stream(streams, send_one_away, &search);
  if (room)
    g_ptr_array_add(streams->open, stream);
  else
    streams->refused++;
  g_mutex_unlock(&streams->lock);
  if (room)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
              "%u watches and event streams are open, %u of them of \"%s\"; at most %u and %u are "
              "served: end some, or try again later",
              all, own, user, limits->streams, limits->streams_per_identity);
  return FALSE;
}

void ferry_streams_leave(FerryStreams *streams, FerryStream *stream) {
  g_mutex_lock(&streams->lock);
  g_ptr_array_remove_fast(streams->open, stream);
  g_mutex_unlock(&streams->lock);
  ferry_kept_right_unref(g_steal_pointer(&stream->right));
}

static void count_stream(FerryStream *stream, gpointer data) {
  FerryStreamFigures *figures = data;
  figures->watches += !stream->type->events;
  figures->event_streams += stream->type->events;
}

void ferry_streams_figures(FerryStreams *streams, FerryStreamFigures *figures) {
  *figures = (FerryStreamFigures){0};
  g_mutex_lock(&streams->lock);
  foreach_stream(streams, count_stream, figures);
  figures->refused = streams->refused;
  figures->revoked = streams->revoked;
  figures->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GHashTable) users = users_of(streams);
  GHashTableIter iter;
  gpointer name, value;
  g_hash_table_iter_init(&iter, users);
  while (g_hash_table_iter_next(&iter, &name, &value)) {
    figures->buffered += ((const FerryUserStreams *)value)->buffered;
    g_hash_table_insert(figures->users, g_strdup(name), g_memdup2(value, sizeof(FerryUserStreams)));
  }
  g_mutex_unlock(&streams->lock);
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

static void streams_hold(FerryStream *stream, gpointer data) {
  StreamsHeld held = {ferry_user_ref(stream->user), ferry_kept_right_ref(stream->right)};
  g_array_append_val((GArray *)data, held);
}

/* `lost`: FerryUser or FerryKeptRight that does not hold any more -> FerryStreamRevoked. */
static void revoke_stream(FerryStream *stream, gpointer lost) {
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

/* The questions may take locks that are taken before this one: they are asked without it, of users
 * and rights that are held meanwhile. The lock is held before and after. */
static void check_streams(FerryStreams *streams) {
  g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(StreamsHeld));
  g_autoptr(GHashTable) lost = g_hash_table_new(NULL, NULL);
  g_array_set_clear_func(all, held_clear);
  foreach_stream(streams, streams_hold, all);
  g_mutex_unlock(&streams->lock);
  streams_judge(streams->api, all, lost);
  g_mutex_lock(&streams->lock);
  streams->revoked += g_hash_table_size(lost);
  if (g_hash_table_size(lost))
    foreach_stream(streams, revoke_stream, lost);
}

/* ---- the ticker ---- */

/* What requests took for a moment and the allocator kept. */
static void give_memory_back(gsize *settled, gint64 *next_us, gint64 now_us) {
  if (now_us < *next_us)
    return;
  *next_us = now_us + TRIM_US;
  ferry_memory_trim(settled);
}

static void wake_due(FerryStreams *streams, gboolean all) {
  gint64 now = g_get_monotonic_time();
  for (guint i = 0; i < streams->open->len; i++) {
    FerryStream *s = g_ptr_array_index(streams->open, i);
    if (all || g_atomic_int_get(&s->revoked) || !s->type->is_due || s->type->is_due(s, now))
      ferry_stream_wake(s);
  }
}

static gpointer streams_ticker(gpointer data) {
  FerryStreams *streams = data;
  gsize settled = 0;
  gint64 trim_us = 0;
  g_mutex_lock(&streams->lock);
  while (!streams->stop) {
    gint64 now = g_get_monotonic_time();
    check_streams(streams);
    wake_due(streams, FALSE);
    g_mutex_unlock(&streams->lock);
    give_memory_back(&settled, &trim_us, now);
    g_mutex_lock(&streams->lock);
    if (!streams->stop)
      g_cond_wait_until(&streams->stopped, &streams->lock, now + TICK_US);
  }
  wake_due(streams, TRUE);
  g_mutex_unlock(&streams->lock);
  return NULL;
}

void ferry_streams_wake_all(FerryStreams *streams) {
  g_mutex_lock(&streams->lock);
  wake_due(streams, TRUE);
  g_mutex_unlock(&streams->lock);
}

FerryStreams *ferry_streams_start(FerryApi *api) {
  FerryStreams *streams = g_new0(FerryStreams, 1);
  streams->api = api;
  g_mutex_init(&streams->lock);
  g_cond_init(&streams->stopped);
  streams->open = g_ptr_array_new();
  streams->ticker = g_thread_new("ferry-streams", streams_ticker, streams);
  return streams;
}

void ferry_streams_stop(FerryStreams *streams) {
  if (!streams)
    return;
  g_mutex_lock(&streams->lock);
  streams->stop = TRUE;
  g_cond_signal(&streams->stopped);
  g_mutex_unlock(&streams->lock);
  g_thread_join(g_steal_pointer(&streams->ticker));
}

void ferry_streams_free(FerryStreams *streams) {
  if (!streams)
    return;
  g_ptr_array_unref(streams->open);
  g_cond_clear(&streams->stopped);
  g_mutex_clear(&streams->lock);
  g_free(streams);
}
