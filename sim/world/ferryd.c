// SPDX-License-Identifier: Apache-2.0
#include "sim/world/ferryd.h"
#include "store/open_backend.h"

FerryWorldFerryd *ferry_ferryd_new(void) {
  FerryWorldFerryd *f = g_new0(FerryWorldFerryd, 1);
  f->disk = ferry_disk_new();
  f->old = g_ptr_array_new_with_free_func(g_free);
  f->served = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  f->fences = TRUE;
  return f;
}

void ferry_ferryd_free(FerryWorldFerryd *f) {
  ferry_disk_free(f->disk);
  g_ptr_array_unref(f->old);
  g_hash_table_unref(f->served);
  g_free(f);
}

static void note_change(gpointer data) {
  FerryWorldFerryd *f = data;
  f->changed = TRUE;
}

/* Its threads are its process's, so they are made by a thread of it. */
static gpointer ferryd_main(gpointer data) {
  FerryWorldFerryd *f = data;
  g_autoptr(GError) error = NULL;
  f->store = ferry_store_open_backend(ferry_disk_backend(f->disk, f->process), NULL, &error);
  if (!f->store)
    g_error("ferryd cannot open its store: %s", error->message);
  f->watch = ferry_store_watch_now(f->store, NULL, NULL, note_change, f);
  f->control = ferry_control_start(f->store, ferry_clock_system());
  return NULL;
}

void ferry_ferryd_start(FerryWorldFerryd *f) {
  FerryWorldProcess *process = g_new0(FerryWorldProcess, 1);
  process->name = "ferryd";
  g_ptr_array_add(f->old, process);
  f->process = process;
  ferry_fiber_join(ferry_fiber_new(process, ferryd_main, f, TRUE));
  f->changed = TRUE;
}

gboolean ferry_ferryd_serves(const FerryWorldFerryd *f) {
  return f->process && !f->process->dead && f->control;
}

void ferry_ferryd_kill(FerryWorldFerryd *f) {
  FerryWorldProcess *process = f->process;
  if (!process)
    return;
  process->dead = TRUE;
  if (process->frozen)
    ferry_fiber_thaw(process);
  ferry_fiber_wake(f, TRUE); /* who waits for it */
  while (f->inside)
    ferry_fiber_wait(&f->inside, -1);
  g_clear_pointer(&f->control, ferry_control_stop);
  g_clear_pointer(&f->watch, ferry_watch_free);
  g_clear_pointer(&f->store, ferry_store_free);
  f->process = NULL;
}
