// SPDX-License-Identifier: Apache-2.0
// Theory of operation: an object's text is a tenth of what jansson's tree of it takes, so the text
// is what is kept, and the trees of those objects that were looked at last. A tree is made by the
// first who looks, outside the lock; two who look at once may both make one, of which one is kept.
// Who has a view has a reference of his own, so that it may go from here at any time.
//
// The lock is innermost: nothing is called while it is held.
#include "store/views.h"

#include <pthread.h>
#include <string.h>

struct FerryStored {
  FerryViews *views; /* NULL: has none, for tests */
  gint64 revision;
  /* under the views' lock */
  json_t *view;
  FerryStored *hotter, *colder;
  gint refs;
  guint32 len, slot;
  guint8 digits;
  char text[];
};

struct FerryViews {
  pthread_mutex_t lock;
  FerryStored *hottest, *coldest;
  gsize bytes, max_bytes;
  guint64 parsed;
  gint refs;
};

FerryViews *ferry_views_new(gsize max_bytes) {
  FerryViews *views = g_new0(FerryViews, 1);
  pthread_mutex_init(&views->lock, NULL);
  views->max_bytes = max_bytes;
  views->refs = 1;
  return views;
}

static FerryViews *views_ref(FerryViews *views) {
  g_atomic_int_inc(&views->refs);
  return views;
}

void ferry_views_unref(FerryViews *views) {
  if (!views || !g_atomic_int_dec_and_test(&views->refs))
    return;
  pthread_mutex_destroy(&views->lock);
  g_free(views);
}

void ferry_views_stats(FerryViews *views, gsize *bytes, guint64 *parsed) {
  pthread_mutex_lock(&views->lock);
  *bytes = views->bytes;
  *parsed = views->parsed;
  pthread_mutex_unlock(&views->lock);
}

static gsize view_bytes(const FerryStored *stored) {
  return (gsize)stored->len * FERRY_VIEW_FACTOR;
}

/* ---- the order of heat; the lock is held ---- */

static void views_leave(FerryViews *views, FerryStored *stored) {
  *(stored->hotter ? &stored->hotter->colder : &views->hottest) = stored->colder;
  *(stored->colder ? &stored->colder->hotter : &views->coldest) = stored->hotter;
  stored->hotter = stored->colder = NULL;
}

static void views_enter(FerryViews *views, FerryStored *stored) {
  stored->colder = views->hottest;
  *(stored->colder ? &stored->colder->hotter : &views->coldest) = stored;
  views->hottest = stored;
}

static void views_touch(FerryViews *views, FerryStored *stored) {
  if (views->hottest == stored)
    return;
  views_leave(views, stored);
  views_enter(views, stored);
}

/* Takes the view out of its object; the caller releases it after the lock. */
static json_t *views_drop(FerryViews *views, FerryStored *stored) {
  views_leave(views, stored);
  views->bytes -= view_bytes(stored);
  return g_steal_pointer(&stored->view);
}

/* ---- objects ---- */

static void keep_view(FerryStored *stored, json_t *view) {
  FerryViews *views = stored->views;
  json_t *cold[16];
  for (gboolean over = TRUE; over;) {
    guint n = 0;
    pthread_mutex_lock(&views->lock);
    if (view && !stored->view) {
      stored->view = json_incref(view);
      views_enter(views, stored);
      views->bytes += view_bytes(stored);
    }
    view = NULL;
    while (views->bytes > views->max_bytes && views->coldest != stored && n < G_N_ELEMENTS(cold))
      cold[n++] = views_drop(views, views->coldest);
    over = n == G_N_ELEMENTS(cold);
    pthread_mutex_unlock(&views->lock);
    while (n > 0)
      json_decref(cold[--n]);
  }
}

FerryStored *ferry_stored_new(FerryViews *views, const FerryText *text, gint64 revision,
                              json_t *view) {
  char digits[24];
  gsize n = (gsize)g_snprintf(digits, sizeof digits, "%" G_GINT64_FORMAT, revision);
  gsize len = text->bytes->len, rest = len - text->slot;
  FerryStored *stored = g_malloc(sizeof *stored + len + n + 1);
  *stored = (FerryStored){.views = views_ref(views),
                          .revision = revision,
                          .refs = 1,
                          .len = (guint32)(len + n),
                          .slot = (guint32)text->slot,
                          .digits = (guint8)n};
  memcpy(stored->text, text->bytes->str, text->slot);
  memcpy(stored->text + text->slot, digits, n);
  memcpy(stored->text + text->slot + n, text->bytes->str + text->slot, rest);
  stored->text[stored->len] = '\0';
  if (view) {
    keep_view(stored, view);
    json_decref(view);
  }
  return stored;
}

json_t *ferry_view_with_revision(const json_t *object, gint64 revision) {
  char digits[24];
  g_snprintf(digits, sizeof digits, "%" G_GINT64_FORMAT, revision);
  json_t *copy = json_copy((json_t *)object);
  json_t *metadata = json_object_get(copy, "metadata");
  metadata = json_is_object(metadata) ? json_copy(metadata) : json_object();
  json_object_set_new(metadata, "resourceVersion", json_string(digits));
  json_object_set_new(copy, "metadata", metadata);
  return copy;
}

FerryStored *ferry_stored_with_revision(FerryStored *stored, gint64 revision) {
  g_autoptr(GString) bytes = g_string_sized_new(stored->len);
  g_string_append_len(bytes, stored->text, stored->slot);
  g_string_append(bytes, stored->text + stored->slot + stored->digits);
  FerryText text = {.bytes = bytes, .slot = stored->slot};
  json_t *view = ferry_stored_hot_view(stored);
  json_t *changed = view ? ferry_view_with_revision(view, revision) : NULL;
  json_decref(view);
  return ferry_stored_new(stored->views, &text, revision, changed);
}

FerryStored *ferry_stored_ref(FerryStored *stored) {
  if (stored)
    g_atomic_int_inc(&stored->refs);
  return stored;
}

void ferry_stored_unref(FerryStored *stored) {
  if (!stored || !g_atomic_int_dec_and_test(&stored->refs))
    return;
  json_t *view = NULL;
  pthread_mutex_lock(&stored->views->lock);
  if (stored->view)
    view = views_drop(stored->views, stored);
  pthread_mutex_unlock(&stored->views->lock);
  json_decref(view);
  ferry_views_unref(stored->views);
  g_free(stored);
}

const char *ferry_stored_text(const FerryStored *stored, gsize *len) {
  if (len)
    *len = stored->len;
  return stored->text;
}

gint64 ferry_stored_revision(const FerryStored *stored) {
  return stored->revision;
}

gsize ferry_stored_size(const FerryStored *stored) {
  return sizeof *stored + stored->len + 1;
}

gboolean ferry_stored_is_as_long(const FerryStored *stored, const FerryText *text) {
  return stored->len - stored->digits == text->bytes->len;
}

gboolean ferry_stored_is_text(const FerryStored *stored, const FerryText *text) {
  return stored->slot == text->slot && ferry_stored_is_as_long(stored, text) &&
         memcmp(stored->text, text->bytes->str, text->slot) == 0 &&
         memcmp(stored->text + stored->slot + stored->digits, text->bytes->str + text->slot,
                text->bytes->len - text->slot) == 0;
}

json_t *ferry_stored_hot_view(FerryStored *stored) {
  pthread_mutex_lock(&stored->views->lock);
  json_t *view = json_incref(stored->view);
  if (view)
    views_touch(stored->views, stored);
  pthread_mutex_unlock(&stored->views->lock);
  return view;
}

static gint verify_every, hot_looks; /* atomic */

void ferry_views_verify_every(guint n) {
  g_atomic_int_set(&verify_every, (gint)n);
}

/* A view is what was written as well as what was parsed, and shared with who reads it. */
static void views_verify(const FerryStored *stored, const json_t *view) {
  json_t *written = json_loadb(stored->text, stored->len, JSON_ALLOW_NUL, NULL);
  if (!json_equal(written, view)) {
    g_autofree char *changed = json_dumps(view, JSON_COMPACT);
    g_error("a stored object was changed in place: stored %s, now %s", stored->text, changed);
  }
  json_decref(written);
}

json_t *ferry_stored_view(FerryStored *stored) {
  if (!stored)
    return NULL;
  json_t *view = ferry_stored_hot_view(stored);
  gint every = g_atomic_int_get(&verify_every);
  if (view && every && g_atomic_int_add(&hot_looks, 1) % every == 0)
    views_verify(stored, view);
  if (view)
    return view;
  view = json_loadb(stored->text, stored->len, JSON_ALLOW_NUL, NULL);
  g_assert(view); /* it was written by ferry_text_init */
  pthread_mutex_lock(&stored->views->lock);
  stored->views->parsed++;
  pthread_mutex_unlock(&stored->views->lock);
  keep_view(stored, view);
  return view;
}
