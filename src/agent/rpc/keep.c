// SPDX-License-Identifier: Apache-2.0
// A local migration has no server that remembers it: what the next agent needs to adopt it lies in
// state_dir/local, one file a VM, written before it begins and at each step, gone when it has
// ended.
#include "agent/rpc/keep.h"
#include "agent/core/records.h"

static const FerryRecords kept_migrations = {"local", "a kept local migration", 1024 * 1024, 256};

void ferry_local_keep(const char *state_dir, const char *vm, const json_t *record) {
  ferry_record_write(state_dir, &kept_migrations, vm, record);
}

void ferry_local_forget(const char *state_dir, const char *vm) {
  ferry_record_remove(state_dir, &kept_migrations, vm);
}

typedef struct {
  void (*func)(const char *vm, const json_t *record, gpointer data);
  gpointer data;
} Kept;

static gboolean tell_kept(const char *vm, json_t *record, gpointer data) {
  const Kept *kept = data;
  if (!g_uuid_string_is_valid(vm))
    return FALSE;
  kept->func(vm, record, kept->data);
  return TRUE;
}

void ferry_local_kept(const char *state_dir,
                      void (*func)(const char *vm, const json_t *record, gpointer data),
                      gpointer data) {
  Kept kept = {func, data};
  ferry_records_each(state_dir, &kept_migrations, tell_kept, &kept);
}
