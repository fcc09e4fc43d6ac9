// SPDX-License-Identifier: Apache-2.0
#include "agent/core/records.h"
#include "base/file.h"
#include "base/log.h"
#include <glib/gstdio.h>
#include <string.h>

#define SUFFIX ".json"

static char *record_path(const char *state_dir, const FerryRecords *of, const char *name) {
  g_autofree char *file = g_strconcat(name, SUFFIX, NULL);
  return g_build_filename(state_dir, of->folder, file, NULL);
}

void ferry_record_write(const char *state_dir, const FerryRecords *of, const char *name,
                        const json_t *record) {
  g_autofree char *dir = g_build_filename(state_dir, of->folder, NULL);
  g_autofree char *path = record_path(state_dir, of, name);
  g_autofree char *text = ferry_json_dump(record);
  g_autoptr(GError) error = NULL;
  g_mkdir_with_parents(dir, 0700);
  if (!ferry_file_write(path, text, strlen(text), 0600, &error))
    ferry_warning(error->message, "FERRY_FILE", path);
}

json_t *ferry_record_read(const char *state_dir, const FerryRecords *of, const char *name) {
  g_autofree char *path = record_path(state_dir, of, name);
  gsize len = 0;
  g_autofree char *text = ferry_file_read(path, of->max_bytes, &len, NULL);
  g_autoptr(json_t) record = text ? ferry_json_parse(text, len, NULL) : NULL;
  return json_is_object(record) ? g_steal_pointer(&record) : NULL;
}

void ferry_record_remove(const char *state_dir, const FerryRecords *of, const char *name) {
  g_autofree char *path = record_path(state_dir, of, name);
  g_unlink(path);
}

void ferry_records_each(const char *state_dir, const FerryRecords *of,
                        gboolean (*take)(const char *name, json_t *record, gpointer data),
                        gpointer data) {
  g_autofree char *dir_path = g_build_filename(state_dir, of->folder, NULL);
  g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
  const char *file;
  for (guint n = 0; dir && n < of->max && (file = g_dir_read_name(dir)); n++) {
    if (!g_str_has_suffix(file, SUFFIX))
      continue;
    g_autofree char *name = g_strndup(file, strlen(file) - strlen(SUFFIX));
    g_autoptr(json_t) record = ferry_record_read(state_dir, of, name);
    if (record && take(name, record, data))
      continue;
    g_autofree char *path = record_path(state_dir, of, name);
    g_autofree char *said = g_strconcat(of->what, " can't be read and is left alone", NULL);
    ferry_warning(said, "FERRY_FILE", path);
  }
}
