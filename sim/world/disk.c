// SPDX-License-Identifier: Apache-2.0
#include "sim/world/disk.h"
#include "sim/world/shim.h"
#include <string.h>

typedef struct {
  char *group, *plural, *ns, *name, *data;
  gsize len;
  gint64 revision;
} DiskRow;

typedef struct {
  FerryBackend base;
  FerryWorldDisk *disk;
  FerryWorldProcess *process;
} DiskBackend;

static void row_free(gpointer data) {
  DiskRow *row = data;
  g_free(row->group);
  g_free(row->plural);
  g_free(row->ns);
  g_free(row->name);
  g_free(row->data);
  g_free(row);
}

FerryWorldDisk *ferry_disk_new(void) {
  FerryWorldDisk *disk = g_new0(FerryWorldDisk, 1);
  disk->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, row_free);
  return disk;
}

void ferry_disk_free(FerryWorldDisk *disk) {
  g_hash_table_unref(disk->rows);
  g_free(disk);
}

static gboolean disk_load(FerryBackend *base, FerryBackendLoadFunc func, gpointer user,
                          gint64 *high_water, GError **error) {
  const FerryWorldDisk *disk = ((DiskBackend *)base)->disk;
  GHashTableIter iter;
  gpointer value;
  *high_water = disk->mark;
  g_hash_table_iter_init(&iter, disk->rows);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const DiskRow *r = value;
    FerryBackendRow row = {r->group, r->plural, r->ns, r->name, r->revision, r->data, r->len};
    if (!func(&row, user, error))
      return FALSE;
  }
  return TRUE;
}

static void disk_keep(FerryWorldDisk *disk, const FerryBackendRow *row) {
  char *key = g_strjoin("/", row->group, row->plural, row->ns, row->name, NULL);
  if (!row->data) {
    g_hash_table_remove(disk->rows, key);
    g_free(key);
    return;
  }
  DiskRow *r = g_new(DiskRow, 1);
  *r = (DiskRow){g_strdup(row->group), g_strdup(row->plural),          g_strdup(row->ns),
                 g_strdup(row->name),  g_strndup(row->data, row->len), row->len,
                 row->revision};
  g_hash_table_replace(disk->rows, key, r);
}

static gboolean disk_apply(FerryBackend *base, const FerryBackendRow *rows, gsize n,
                           gint64 high_water, GError **error) {
  DiskBackend *b = (DiskBackend *)base;
  if (!b->process->dead)
    ferry_fiber_sleep(ferry_world_between(200, 4000));
  if (b->process->dead)
    return TRUE; /* it was killed before the disk had it */
  if (b->disk->full && n > 0) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                        "the disk is full: make room on it");
    return FALSE;
  }
  b->disk->mark = high_water;
  for (gsize i = 0; i < n && !b->disk->forgets; i++)
    disk_keep(b->disk, &rows[i]);
  return TRUE;
}

FerryBackend *ferry_disk_backend(FerryWorldDisk *disk, FerryWorldProcess *process) {
  DiskBackend *b = g_new0(DiskBackend, 1);
  b->base.keeps_data = TRUE;
  b->base.load = disk_load;
  b->base.apply = disk_apply;
  b->base.close = (void (*)(FerryBackend *))g_free;
  b->disk = disk;
  b->process = process;
  return &b->base;
}

/* ---- an agent's files ---- */

static GHashTable *disk_records; /* "state_dir/folder/name" -> json_t* */

static GHashTable *all_records(void) {
  if (!disk_records)
    disk_records =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
  return disk_records;
}

void ferry_disk_drop_records(void) {
  g_hash_table_remove_all(all_records());
}

static gboolean disk_writes(void) {
  const FerryWorldProcess *process = ferry_fiber_process();
  return !process || !process->dead;
}

void __wrap_ferry_record_write(const char *state_dir, const FerryRecords *of, const char *name,
                               const json_t *record) {
  if (disk_writes())
    g_hash_table_replace(all_records(), g_strjoin("/", state_dir, of->folder, name, NULL),
                         json_deep_copy(record));
}

void __wrap_ferry_record_remove(const char *state_dir, const FerryRecords *of, const char *name) {
  g_autofree char *key = g_strjoin("/", state_dir, of->folder, name, NULL);
  if (disk_writes())
    g_hash_table_remove(all_records(), key);
}

static gpointer disk_copy_key(gconstpointer key, gpointer data) {
  return g_strdup(key);
}

void __wrap_ferry_records_each(const char *state_dir, const FerryRecords *of,
                               gboolean (*take)(const char *name, json_t *record, gpointer data),
                               gpointer data) {
  g_autofree char *prefix = g_strjoin("/", state_dir, of->folder, "", NULL);
  GList *all = g_hash_table_get_keys(all_records());
  GList *keys = g_list_sort(g_list_copy_deep(all, disk_copy_key, NULL), (GCompareFunc)strcmp);
  g_list_free(all);
  for (GList *k = keys; k; k = k->next) {
    /* whoever takes one may remove it, or others */
    g_autoptr(json_t) record = json_incref(g_hash_table_lookup(disk_records, k->data));
    if (record && g_str_has_prefix(k->data, prefix))
      take((const char *)k->data + strlen(prefix), record, data);
  }
  g_list_free_full(keys, g_free);
}
