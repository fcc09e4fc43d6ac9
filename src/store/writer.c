// SPDX-License-Identifier: Apache-2.0
// The writer thread: the only one that changes the state.
//
// It takes all batches that wait (up to FERRY_STORE_GROUP_MAX writes) and goes through them twice:
// first those that are only telemetry, which are shown at once, then the others, which share one
// transaction of the backend and are shown after it. None of their callers has an answer yet, so
// this is one of the orders in which they might have come.
//
// A pass works on a stage: a table of the objects that the pass has changed, laid over the index,
// and the list of changes to publish. Each batch is tried on a layer of its own, which becomes part
// of the stage when all its writes fit and is dropped when one does not: a refused batch leaves
// nothing and takes no revision. When the transaction fails, the whole stage is dropped, and every
// caller in it hears UNAVAILABLE (a refusal may have been due to a write that now did not happen);
// the revisions are burnt, so that no number can mean two things even if the disk kept some of it.
//
// A disk that is full still takes what makes room: when a transaction fails, the batches in it that
// only delete or cancel are tried once more by themselves, after the backend has given up what it
// had set aside for that, and without the telemetry.
//
// Telemetry: the entry is marked dirty, and every transaction writes the dirty entries too; where
// none comes, the writer makes one when the oldest is due. The high-water mark of revisions is
// reserved in blocks, since a revision of telemetry may be seen and then lost with a crash.
#include "store/writer.h"
#include "store/keys.h"
#include "store/state.h"
#include "store/watch.h"
#include "base/log.h"

#include <string.h>

/* An object as a stage sees it. Strings are borrowed from the write. */
typedef struct {
  const FerryKind *kind;
  const char *ns, *name;
  FerryStored *object; /* owned; NULL: deleted */
  gint64 revision;
} Staged;

typedef struct {
  FerryStore *store;
  gboolean durable;
  GHashTable *state;  /* Staged -> itself: what accepted batches made */
  GHashTable *layer;  /* the same of the batch being tried */
  GPtrArray *changes; /* FerryChange, in order of revision */
  gint64 revision;    /* newest one given out */
  gboolean rescue;    /* written from what was set aside for a full disk */
  gboolean flush;     /* needs a transaction though nothing changes */
} Stage;

static guint staged_hash(gconstpointer key) {
  const Staged *staged = key;
  return (g_str_hash(staged->kind->plural) * 31 + g_str_hash(staged->ns)) * 31 +
         g_str_hash(staged->name);
}

static gboolean staged_equal(gconstpointer a, gconstpointer b) {
  const Staged *x = a, *y = b;
  return strcmp(x->name, y->name) == 0 && strcmp(x->ns, y->ns) == 0 &&
         strcmp(x->kind->plural, y->kind->plural) == 0 &&
         strcmp(x->kind->group, y->kind->group) == 0;
}

static void staged_free(gpointer data) {
  Staged *staged = data;
  ferry_stored_unref(staged->object);
  g_free(staged);
}

static void stage_init(Stage *stage, FerryStore *store, gboolean durable) {
  *stage = (Stage){.store = store,
                   .durable = durable,
                   .state = g_hash_table_new_full(staged_hash, staged_equal, NULL, staged_free),
                   .layer = g_hash_table_new_full(staged_hash, staged_equal, NULL, staged_free),
                   .changes = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_change_unref),
                   .revision = store->assigned};
}

static void stage_clear(Stage *stage) {
  g_hash_table_unref(stage->state);
  g_hash_table_unref(stage->layer);
  g_ptr_array_unref(stage->changes);
}

/* The object as this batch sees it: borrowed, NULL where there is none. */
static FerryStored *stage_lookup(Stage *stage, const FerryWrite *write, gint64 *revision) {
  Staged probe = {.kind = write->kind, .ns = write->ns, .name = write->name};
  Staged *staged = g_hash_table_lookup(stage->layer, &probe);
  if (staged == NULL)
    staged = g_hash_table_lookup(stage->state, &probe);
  if (staged != NULL) {
    *revision = staged->revision;
    return staged->object;
  }
  FerryEntry *entry = ferry_index_find(stage->store->index, write->kind->group, write->kind->plural,
                                       write->ns, write->name);
  if (entry == NULL)
    return NULL;
  *revision = ferry_stored_revision(entry->stored);
  return entry->stored;
}

static gboolean writer_refuse(const FerryWrite *write, FerryErrorCode code, GError **error,
                              const char *format, ...) G_GNUC_PRINTF(4, 5);
static gboolean writer_refuse(const FerryWrite *write, FerryErrorCode code, GError **error,
                              const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *what = g_strdup_vprintf(format, args);
  va_end(args);
  g_autofree char *resource = ferry_store_resource_name(write->kind->group, write->kind->plural);
  g_set_error(error, FERRY_ERROR, code, "%s \"%s\" %s", resource, write->name, what);
  return FALSE;
}

static gboolean check_against(const FerryWrite *write, const FerryStored *current, gint64 revision,
                              GError **error) {
  if (write->op == FERRY_WRITE_CREATE)
    return current == NULL ||
           writer_refuse(write, FERRY_ERROR_ALREADY_EXISTS, error, "already exists");
  if (current == NULL)
    return writer_refuse(write, FERRY_ERROR_NOT_FOUND, error, "not found");
  if (write->revision != 0 && write->revision != revision)
    return writer_refuse(write, FERRY_ERROR_CONFLICT, error,
                         "has changed: its resourceVersion is %" G_GINT64_FORMAT
                         ", the request expects %" G_GINT64_FORMAT
                         "; read it again and repeat the change",
                         revision, write->revision);
  return TRUE;
}

/* Batches of one transaction do not see each other here: the limits are no finer than that. */
static gboolean check_quota(const FerryStore *store, const FerryWrite *write, gsize bytes,
                            GError **error) {
  gsize n = ferry_index_count(store->index, write->kind->group, write->kind->plural, NULL);
  if (n >= store->max_objects)
    return writer_refuse(
        write, FERRY_ERROR_TOO_MANY_REQUESTS, error,
        "cannot be created: there are %zu objects of this kind, at most %zu are kept; "
        "delete some",
        n, store->max_objects);
  if (store->bytes + bytes > store->max_bytes)
    return writer_refuse(
        write, FERRY_ERROR_TOO_MANY_REQUESTS, error,
        "cannot be created: all objects together have %zu bytes, at most %zu are kept; "
        "delete some",
        store->bytes, store->max_bytes);
  return TRUE;
}

/* Looked at here and not by who asks: nothing comes between this and the commit. */
static gboolean check_namespace(Stage *stage, const FerryWrite *write, GError **error) {
  FerryWrite probe = {.kind = &ferry_kind_namespace, .ns = "", .name = write->ns};
  gint64 revision;
  g_autoptr(json_t) ns = ferry_stored_view(stage_lookup(stage, &probe, &revision));
  if (ns != NULL && ferry_json_str(ns, "metadata.deletionTimestamp") == NULL)
    return TRUE;
  return writer_refuse(write, FERRY_ERROR_CONFLICT, error,
                       "cannot be created: namespace \"%s\" is not there or is being deleted",
                       write->ns);
}

static gboolean writer_is_there(Stage *stage, const FerryKind *kind, const char *ns,
                                const char *name) {
  FerryWrite probe = {.kind = kind, .ns = ns, .name = name};
  gint64 revision;
  return stage_lookup(stage, &probe, &revision) != NULL;
}

/* The name of something that `staged` puts into namespace `ns`: borrowed, or NULL. */
static const char *staged_in(Stage *stage, GHashTable *staged, const char *ns) {
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init(&iter, staged);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    const Staged *one = key;
    if (strcmp(one->ns, ns) == 0 && writer_is_there(stage, one->kind, ns, one->name))
      return one->name;
  }
  return NULL;
}

static gboolean check_empty(Stage *stage, const FerryWrite *write, GError **error) {
  const char *ns = write->name, *left = staged_in(stage, stage->layer, ns);
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  if (left == NULL)
    left = staged_in(stage, stage->state, ns);
  for (gsize i = 0; i < n && left == NULL; i++) {
    if (!kinds[i]->namespaced)
      continue;
    GTreeNode *node =
        ferry_index_walk(stage->store->index, kinds[i]->group, kinds[i]->plural, ns, NULL, NULL);
    for (; node != NULL && left == NULL; node = g_tree_node_next(node)) {
      const FerryEntry *entry = g_tree_node_value(node);
      if (strcmp(entry->ns, ns) != 0)
        break;
      left = writer_is_there(stage, kinds[i], ns, entry->name) ? entry->name : NULL;
    }
  }
  return left == NULL ||
         writer_refuse(write, FERRY_ERROR_CONFLICT, error,
                       "has something new in it since it was looked at: \"%s\"", left);
}

/* Whether an update says what is there already. Texts of one length may differ by the order of
 * members alone. */
static gboolean says_the_same(FerryStored *current, const FerryWrite *write, const FerryText *text,
                              gint64 revision) {
  if (ferry_stored_is_text(current, text))
    return TRUE;
  if (!ferry_stored_is_as_long(current, text))
    return FALSE;
  g_autoptr(json_t) view = ferry_stored_view(current);
  g_autoptr(json_t) wanted = ferry_view_with_revision(write->object, revision);
  return json_equal(view, wanted);
}

/* The state that a write makes: of its object, which is its view from now on, or of the last one.
 */
static FerryStored *stage_state(Stage *stage, const FerryWrite *write, const FerryText *text,
                                FerryStored *current) {
  if (write->object == NULL)
    return ferry_stored_with_revision(current, stage->revision);
  return ferry_stored_new(stage->store->views, text, stage->revision,
                          ferry_view_with_revision(write->object, stage->revision));
}

/* Tries one write on the batch's layer; `result` (may be NULL) gets a new reference. */
static gboolean stage_write(Stage *stage, const FerryWrite *write, const FerryText *text,
                            json_t **result, GError **error) {
  gint64 revision = 0;
  FerryStored *current = stage_lookup(stage, write, &revision);
  if (!check_against(write, current, revision, error) ||
      (write->op == FERRY_WRITE_CREATE &&
       !check_quota(stage->store, write, text->bytes->len, error)) ||
      (write->op == FERRY_WRITE_CREATE && write->in_namespace &&
       !check_namespace(stage, write, error)))
    return FALSE;

  if (write->op == FERRY_WRITE_UPDATE && says_the_same(current, write, text, revision)) {
    /* Durable means that this state is on disk when the caller goes on: it may be telemetry. */
    stage->flush = stage->flush || stage->durable;
    if (result != NULL)
      *result = ferry_stored_view(current);
    return TRUE;
  }
  stage->revision++;
  g_autoptr(FerryStored) object = stage_state(stage, write, text, current);
  gboolean deleted = write->op == FERRY_WRITE_DELETE;
  FerryChangeType type = deleted                           ? FERRY_DELETED
                         : write->op == FERRY_WRITE_CREATE ? FERRY_ADDED
                                                           : FERRY_MODIFIED;
  g_ptr_array_add(stage->changes, ferry_change_new(stage->revision, type, write->kind, write->ns,
                                                   write->name, object, current));
  if (result != NULL)
    *result = ferry_stored_view(object);

  Staged *staged = g_new0(Staged, 1);
  *staged = (Staged){.kind = write->kind,
                     .ns = write->ns,
                     .name = write->name,
                     .object = deleted ? NULL : ferry_stored_ref(object),
                     .revision = stage->revision};
  g_hash_table_replace(stage->layer, staged, staged);
  return TRUE;
}

static void request_drop_results(FerryStoreRequest *request) {
  for (gsize i = 0; request->results != NULL && i < request->n; i++) {
    json_decref(request->results[i]);
    request->results[i] = NULL;
  }
}

static void stage_batch(Stage *stage, FerryStoreRequest *request) {
  guint changes = stage->changes->len;
  gint64 revision = stage->revision;
  request->ok = TRUE;
  for (gsize i = 0; request->ok && i < request->n; i++)
    request->ok =
        stage_write(stage, &request->writes[i], &request->texts[i],
                    request->results != NULL ? &request->results[i] : NULL, &request->error);
  for (gsize i = 0; request->ok && i < request->n; i++)
    request->ok = !request->writes[i].leaves_empty ||
                  check_empty(stage, &request->writes[i], &request->error);
  if (!request->ok) {
    request_drop_results(request);
    g_ptr_array_set_size(stage->changes, (gint)changes);
    stage->revision = revision;
    g_hash_table_remove_all(stage->layer);
    return;
  }
  GHashTableIter iter;
  gpointer staged;
  g_hash_table_iter_init(&iter, stage->layer);
  while (g_hash_table_iter_next(&iter, &staged, NULL)) {
    g_hash_table_iter_steal(&iter);
    g_hash_table_replace(stage->state, staged, staged);
  }
}

/* Adds rows for the telemetry that is only in memory, but for what the stage writes anyway. */
static void add_dirty_rows(FerryStore *store, Stage *stage, GArray *rows) {
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init(&iter, store->dirty);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    FerryEntry *entry = key;
    FerryKind kind = {.group = entry->group, .plural = entry->plural};
    Staged probe = {.kind = &kind, .ns = entry->ns, .name = entry->name};
    if (stage != NULL && g_hash_table_contains(stage->state, &probe))
      continue;
    FerryBackendRow row = {.group = entry->group,
                           .plural = entry->plural,
                           .ns = entry->ns,
                           .name = entry->name,
                           .revision = ferry_stored_revision(entry->stored)};
    row.data = ferry_stored_text(entry->stored, &row.len);
    g_array_append_val(rows, row);
  }
}

/* What readers of the store's health see; logged when it changes, not each time. */
static void note_disk(FerryStore *store, const GError *trouble) {
  pthread_mutex_lock(&store->queue_lock);
  gboolean changed = (store->trouble == NULL) != (trouble == NULL);
  g_free(store->trouble);
  store->trouble = trouble ? g_strdup(trouble->message) : NULL;
  if (trouble)
    store->stats.failed_transactions++;
  else
    store->stats.transactions++;
  pthread_mutex_unlock(&store->queue_lock);
  store->retry_due = trouble ? g_get_monotonic_time() + FERRY_STORE_RETRY_US : 0;
  if (changed && trouble)
    ferry_warning("the store cannot write; reads, deletes and cancels go on", "FERRY_ERROR",
                  trouble->message);
  else if (changed)
    ferry_log(G_LOG_LEVEL_MESSAGE, "the store can write again", NULL);
}

/* One transaction: the stage's changes (may be NULL), the dirty entries, the mark. */
static gboolean writer_transact(FerryStore *store, Stage *stage, GError **error) {
  g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(FerryBackendRow));
  if (store->backend->keeps_data) {
    for (guint i = 0; stage != NULL && stage->durable && i < stage->changes->len; i++) {
      const FerryChange *change = g_ptr_array_index(stage->changes, i);
      FerryBackendRow row = {.group = change->kind->group,
                             .plural = change->kind->plural,
                             .ns = change->ns,
                             .name = change->name,
                             .revision = change->revision};
      if (change->type != FERRY_DELETED)
        row.data = ferry_stored_text(change->object, &row.len);
      g_array_append_val(rows, row);
    }
    if (stage == NULL || !stage->rescue)
      add_dirty_rows(store, stage != NULL && stage->durable ? stage : NULL, rows);
  }
  gint64 newest = stage != NULL ? stage->revision : store->assigned;
  gint64 mark = store->reserved;
  if (mark - newest < FERRY_STORE_RESERVE / 4)
    mark = newest + FERRY_STORE_RESERVE;
  else if (store->retry_due > 0)
    mark++; /* so that there is something to write, and the disk is really tried */
  GError *problem = NULL;
  if (!store->backend->apply(store->backend, (const FerryBackendRow *)rows->data, rows->len, mark,
                             &problem)) {
    note_disk(store, problem);
    g_propagate_error(error, problem);
    return FALSE;
  }
  store->reserved = mark;
  if (stage != NULL && stage->rescue)
    return TRUE; /* written from the reserve: not well yet */
  g_hash_table_remove_all(store->dirty);
  note_disk(store, NULL);
  return TRUE;
}

static gsize text_bytes(const FerryStored *stored) {
  gsize len = 0;
  if (stored != NULL)
    ferry_stored_text(stored, &len);
  return len;
}

/* Puts one change into the index, or takes its object out; the state lock is held for writing. */
static void publish_change(FerryStore *store, const FerryChange *change, const json_t *view,
                           gboolean durable) {
  const char *group = change->kind->group, *plural = change->kind->plural;
  FerryEntry *entry = ferry_index_find(store->index, group, plural, change->ns, change->name);
  store->bytes -= entry == NULL ? 0 : text_bytes(entry->stored);
  if (change->type == FERRY_DELETED) {
    g_hash_table_remove(store->dirty, entry);
    ferry_index_remove(store->index, entry);
    return;
  }
  entry =
      ferry_index_put(store->index, group, plural, change->ns, change->name, change->object, view);
  store->bytes += text_bytes(change->object);
  if (durable)
    g_hash_table_remove(store->dirty, entry);
  else
    g_hash_table_add(store->dirty, entry);
}

static void writer_publish(Stage *stage) {
  FerryStore *store = stage->store;
  if (stage->changes->len == 0)
    return;
  g_autoptr(GPtrArray) fallen = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_change_unref);
  /* the states that are replaced and what they were seen as end after the lock */
  g_autoptr(GPtrArray) views = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  for (guint i = 0; i < stage->changes->len; i++) {
    const FerryChange *change = g_ptr_array_index(stage->changes, i);
    g_ptr_array_add(views,
                    change->type == FERRY_DELETED ? NULL : ferry_stored_view(change->object));
  }
  pthread_rwlock_wrlock(&store->state_lock);
  for (guint i = 0; i < stage->changes->len; i++) {
    FerryChange *change = g_ptr_array_index(stage->changes, i);
    publish_change(store, change, g_ptr_array_index(views, i), stage->durable);
    ferry_log_ring_append(&store->log, ferry_change_ref(change), fallen);
  }
  store->revision = stage->revision;
  pthread_rwlock_unlock(&store->state_lock);
}

static void writer_answer(FerryStore *store, FerryStoreRequest *const *requests, guint n) {
  pthread_mutex_lock(&store->queue_lock);
  for (guint i = 0; i < n; i++) {
    requests[i]->done = TRUE;
    pthread_cond_signal(&requests[i]->ready);
  }
  pthread_mutex_unlock(&store->queue_lock);
}

static void refuse_all(FerryStoreRequest *const *requests, guint n, const GError *error) {
  for (guint i = 0; i < n; i++) {
    request_drop_results(requests[i]);
    g_clear_error(&requests[i]->error);
    requests[i]->error = g_error_copy(error);
    requests[i]->ok = FALSE;
  }
}

static gboolean only_frees(const FerryStoreRequest *request) {
  for (gsize i = 0; i < request->n; i++)
    if (request->writes[i].op != FERRY_WRITE_DELETE && !request->writes[i].frees)
      return FALSE;
  return TRUE;
}

static void run_pass(FerryStore *store, GPtrArray *requests, gboolean durable, gboolean rescue);

/* After a transaction failed: what makes room is tried once more, the rest is refused. */
static void refuse_or_rescue(FerryStore *store, GPtrArray *requests, const GError *error) {
  g_autoptr(GPtrArray) freeing = g_ptr_array_new(), others = g_ptr_array_new();
  for (guint i = 0; i < requests->len; i++) {
    FerryStoreRequest *request = g_ptr_array_index(requests, i);
    g_ptr_array_add(only_frees(request) ? freeing : others, request);
    request_drop_results(request);
    g_clear_error(&request->error);
  }
  refuse_all((FerryStoreRequest *const *)others->pdata, others->len, error);
  writer_answer(store, (FerryStoreRequest *const *)others->pdata, others->len);
  if (freeing->len > 0 && store->backend->release != NULL)
    store->backend->release(store->backend);
  run_pass(store, freeing, TRUE, TRUE);
}

static void run_pass(FerryStore *store, GPtrArray *requests, gboolean durable, gboolean rescue) {
  if (requests->len == 0)
    return;
  FerryStoreRequest *const *all = (FerryStoreRequest *const *)requests->pdata;
  gboolean was_clean = g_hash_table_size(store->dirty) == 0;
  Stage stage;
  stage_init(&stage, store, durable);
  stage.rescue = rescue;
  for (guint i = 0; i < requests->len; i++)
    stage_batch(&stage, all[i]);

  gboolean needed = durable ? stage.changes->len > 0 || (stage.flush && !was_clean)
                            : stage.revision > store->reserved;
  g_autoptr(GError) error = NULL;
  gboolean ok = !needed || writer_transact(store, &stage, &error);
  store->assigned = stage.revision;
  if (ok) {
    writer_publish(&stage);
    if (!durable && was_clean)
      store->dirty_due = g_get_monotonic_time() + store->telemetry_us;
  } else if (durable && !rescue) {
    stage_clear(&stage);
    refuse_or_rescue(store, requests, error);
    return;
  } else {
    refuse_all(all, requests->len, error);
  }
  writer_answer(store, all, requests->len);
  if (ok && stage.changes->len > 0)
    ferry_watch_wake_all(store, stage.changes);
  stage_clear(&stage);
}

/* A failure is noted there; progress of migrations stays in memory meanwhile. */
static void flush_dirty(FerryStore *store) {
  if (!writer_transact(store, NULL, NULL))
    store->dirty_due = g_get_monotonic_time() + store->telemetry_us;
}

/* When the thread has something to do though nobody asks, monotonic us; 0: never. */
static gint64 next_due(const FerryStore *store) {
  gint64 due = g_hash_table_size(store->dirty) > 0 ? store->dirty_due : 0;
  return due == 0 || (store->retry_due > 0 && store->retry_due < due) ? store->retry_due : due;
}

/* A clean end lets the next start go on with the very next revision. */
static void write_final_mark(FerryStore *store) {
  g_autoptr(GError) error = NULL;
  if (g_hash_table_size(store->dirty) > 0)
    flush_dirty(store);
  if (store->reserved != store->assigned &&
      !store->backend->apply(store->backend, NULL, 0, store->assigned, &error))
    ferry_warning("the store's last revision cannot be written; numbers will be left out",
                  "FERRY_ERROR", error->message);
}

/* Waits for requests or for telemetry to be due; FALSE where the thread is to end. */
static gboolean next_group(FerryStore *store, GPtrArray *telemetry, GPtrArray *durable) {
  pthread_mutex_lock(&store->queue_lock);
  while (store->queue_first == NULL && !store->stopping) {
    gint64 when = next_due(store);
    if (when == 0) {
      pthread_cond_wait(&store->queue_filled, &store->queue_lock);
      continue;
    }
    if (g_get_monotonic_time() >= when)
      break;
    struct timespec due = {.tv_sec = when / G_USEC_PER_SEC,
                           .tv_nsec = when % G_USEC_PER_SEC * 1000};
    pthread_cond_timedwait(&store->queue_filled, &store->queue_lock, &due);
  }
  gsize writes = 0;
  while (store->queue_first != NULL) {
    FerryStoreRequest *request = store->queue_first;
    if (writes > 0 && writes + request->n > FERRY_STORE_GROUP_MAX)
      break;
    writes += request->n;
    store->queue_first = request->next;
    if (store->queue_first == NULL)
      store->queue_end = &store->queue_first;
    g_ptr_array_add(request->durable ? durable : telemetry, request);
  }
  gboolean go_on = writes > 0 || !store->stopping;
  pthread_mutex_unlock(&store->queue_lock);
  return go_on;
}

void *ferry_store_writer(void *data) {
  FerryStore *store = data;
  g_autoptr(GPtrArray) telemetry = g_ptr_array_new();
  g_autoptr(GPtrArray) durable = g_ptr_array_new();
  while (next_group(store, telemetry, durable)) {
    run_pass(store, telemetry, FALSE, FALSE);
    run_pass(store, durable, TRUE, FALSE);
    g_ptr_array_set_size(telemetry, 0);
    g_ptr_array_set_size(durable, 0);
    gint64 due = next_due(store);
    if (due > 0 && g_get_monotonic_time() >= due)
      flush_dirty(store);
  }
  write_final_mark(store);
  return NULL;
}
