// SPDX-License-Identifier: Apache-2.0
// A local migration has no server that remembers it: what the next agent needs to adopt it lies in
// state_dir/local, one file a VM, written before it begins and at each step, gone when it has
// ended.
#include "agent/agent_private.h"
#include "base/error.h"
#include "base/file.h"
#include <glib/gstdio.h>
#include <string.h>

#define MAX_RECORD (1024 * 1024)
#define MAX_RECORDS 256

static char *path_of(FerryAgent *agent, const char *vm) {
  g_autofree char *file = g_strdup_printf("%s.json", vm);
  return g_build_filename(agent->state_dir, "local", file, NULL);
}

void ferry_local_keep(FerryAgent *agent, const char *vm, const json_t *record) {
  g_autofree char *dir = g_build_filename(agent->state_dir, "local", NULL);
  g_autofree char *path = path_of(agent, vm);
  g_autofree char *text = ferry_json_dump(record);
  g_autoptr(GError) error = NULL;
  g_mkdir_with_parents(dir, 0700);
  if (!ferry_file_write(path, text, strlen(text), 0600, &error))
    ferry_warning(error->message, "FERRY_FILE", path);
}

void ferry_local_forget(FerryAgent *agent, const char *vm) {
  g_autofree char *path = path_of(agent, vm);
  g_unlink(path);
}

void ferry_local_kept(FerryAgent *agent,
                      void (*func)(const char *vm, const json_t *record, gpointer data),
                      gpointer data) {
  g_autofree char *dir_path = g_build_filename(agent->state_dir, "local", NULL);
  g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
  const char *file;
  for (guint n = 0; dir && n < MAX_RECORDS && (file = g_dir_read_name(dir)); n++) {
    if (!g_str_has_suffix(file, ".json"))
      continue;
    g_autofree char *vm = g_strndup(file, strlen(file) - strlen(".json"));
    g_autofree char *path = path_of(agent, vm);
    gsize len = 0;
    g_autofree char *text = ferry_file_read(path, MAX_RECORD, &len, NULL);
    g_autoptr(json_t) record = text ? ferry_json_parse(text, len, NULL) : NULL;
    if (g_uuid_string_is_valid(vm) && json_is_object(record))
      func(vm, record, data);
    else
      ferry_warning("a kept local migration can't be read and is left alone", "FERRY_FILE", path);
  }
}
