// SPDX-License-Identifier: Apache-2.0
// What the store's tests share: two kinds of their own, and short forms of the calls. A step that
// must succeed aborts the test with the store's own words where it does not.
#pragma once
#include "store/state.h"
#include "store/store.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static const FerryKind kind_vm = {
    .group = "kubevirt.io", .version = "v1", .kind = "Vm", .plural = "vms", .namespaced = TRUE};
static const FerryKind kind_host = {
    .group = "", .version = "v1", .kind = "Host", .plural = "hosts", .namespaced = FALSE};

/** {metadata{name,uid?}, spec{value}}: a new reference. */
static inline json_t *thing(const char *name, const char *uid, gint64 value) {
  json_t *object =
      json_pack("{s:{s:s}, s:{s:I}}", "metadata", "name", name, "spec", "value", (json_int_t)value);
  if (uid != NULL)
    json_object_set_new(json_object_get(object, "metadata"), "uid", json_string(uid));
  return object;
}

/** The state that a text of `object` is. */
static inline FerryStored *stored_of(FerryViews *views, const json_t *object, gint64 revision) {
  g_auto(FerryText) text;
  g_assert_true(ferry_text_init(&text, object));
  return ferry_stored_new(views, &text, revision, NULL);
}

static inline gint64 thing_value(const json_t *object) {
  return json_integer_value(json_object_get(json_object_get(object, "spec"), "value"));
}

static inline gint64 thing_revision(const json_t *object) {
  json_t *text = json_object_get(json_object_get(object, "metadata"), "resourceVersion");
  return g_ascii_strtoll(json_string_value(text) != NULL ? json_string_value(text) : "-1", NULL,
                         10);
}

static inline const char *thing_name(const json_t *object) {
  return json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
}

/** Commits one write of a thing; returns its revision, or 0 with `error`. */
static inline gint64 try_write(FerryStore *store, FerryWriteOp op, const FerryKind *kind,
                               const char *ns, const char *name, gint64 value, gint64 revision,
                               gboolean telemetry, GError **error) {
  json_auto_t *object = op == FERRY_WRITE_DELETE ? NULL : thing(name, NULL, value);
  json_t *result = NULL;
  FerryWrite write = {op, kind, ns, name, object, revision, telemetry};
  if (!ferry_store_commit(store, &write, 1, &result, error)) {
    g_assert_null(result);
    return 0;
  }
  gint64 got = thing_revision(result);
  json_decref(result);
  return got;
}

static inline gint64 must_write(FerryStore *store, FerryWriteOp op, const FerryKind *kind,
                                const char *ns, const char *name, gint64 value) {
  g_autoptr(GError) error = NULL;
  gint64 revision = try_write(store, op, kind, ns, name, value, 0, FALSE, &error);
  g_assert_no_error(error);
  return revision;
}

static inline FerryStore *must_open(const char *path, const FerryStoreOptions *options) {
  g_autoptr(GError) error = NULL;
  FerryStore *store = ferry_store_open(path, options, &error);
  g_assert_no_error(error);
  return store;
}

/** The value of a stored thing, or -1 where there is none. */
static inline gint64 stored_value(FerryStore *store, const FerryKind *kind, const char *ns,
                                  const char *name) {
  json_auto_t *object = ferry_store_get(store, kind, ns, name);
  return object == NULL ? -1 : thing_value(object);
}

/** A new folder with the path of a database in it; free with folder_remove. */
static inline char *folder_new(void) {
  g_autofree char *folder = g_dir_make_tmp("ferry-store-XXXXXX", NULL);
  g_assert_nonnull(folder);
  return g_build_filename(folder, "store.db", NULL);
}

static inline void folder_remove(char *path) {
  static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock", ".reserve"};
  for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
    g_autofree char *file = g_strconcat(path, ends[i], NULL);
    g_unlink(file);
  }
  g_autofree char *folder = g_path_get_dirname(path);
  g_assert_cmpint(g_rmdir(folder), ==, 0);
  g_free(path);
}
