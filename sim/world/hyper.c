// SPDX-License-Identifier: Apache-2.0
// Hosts, VMs and what can happen to them.
//
// Theory of operation: each copy of a VM is a record of its host, and what is done to one is done
// to both sides of it: to what is true, and to what libvirtd says where it is there to say it.
// Whoever waits is woken and looks for himself.
#include "sim/world/hyper.h"
#include "base/random.h"
#include <string.h>

FerryHyper *ferry_hyper_new(double link) {
  FerryHyper *h = g_new0(FerryHyper, 1);
  h->vms = g_ptr_array_new();
  h->moves = g_ptr_array_new();
  h->link = link;
  return h;
}

static void hyper_free_host(FerryWorldHost *host) {
  g_hash_table_unref(host->copies);
  g_hash_table_unref(host->volumes);
  g_ptr_array_unref(host->handles);
  g_free(host->name);
  g_free(host->address);
  g_free(host);
}

void ferry_hyper_free(FerryHyper *h) {
  for (guint i = 0; i < h->n_hosts; i++)
    hyper_free_host(h->hosts[i]);
  for (guint i = 0; i < h->vms->len; i++) {
    FerryWorldVm *vm = h->vms->pdata[i];
    g_free(vm->uuid);
    g_free(vm->name);
    g_free(vm);
  }
  g_ptr_array_unref(h->vms);
  g_ptr_array_unref(h->moves);
  g_free(h);
}

FerryWorldHost *ferry_hyper_add_host(FerryHyper *h, const char *name, const char *address) {
  FerryWorldHost *host = g_new0(FerryWorldHost, 1);
  host->name = g_strdup(name);
  host->address = g_strdup(address);
  host->index = h->n_hosts;
  host->hyper = h;
  host->power = host->daemon = TRUE;
  host->life = 1;
  host->next_id = 1;
  host->copies = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
  host->volumes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  host->handles = g_ptr_array_new();
  h->hosts[h->n_hosts++] = host;
  return host;
}

void ferry_hyper_changed(FerryHyper *h) {
  h->changed = TRUE;
}

void ferry_copy_set(FerryWorldCopy *copy, FerryVmState state, const char *reason) {
  copy->state = state;
  copy->reason = reason;
  ferry_hyper_changed(copy->host->hyper);
}

FerryWorldCopy *ferry_copy_new(FerryWorldHost *host, FerryWorldVm *vm) {
  FerryWorldCopy *copy = g_new0(FerryWorldCopy, 1);
  copy->vm = vm;
  copy->host = host;
  copy->id = host->next_id++;
  copy->qemu = TRUE;
  g_hash_table_insert(host->copies, vm->uuid, copy);
  ferry_hyper_changed(host->hyper);
  return copy;
}

FerryWorldVm *ferry_hyper_add_vm(FerryHyper *h, FerryWorldHost *host, const char *name,
                                 const FerrySimGuestSpec *guest, gboolean persistent) {
  FerryWorldVm *vm = g_new0(FerryWorldVm, 1);
  vm->uuid = ferry_random_uuid();
  vm->name = g_strdup(name);
  vm->guest = *guest;
  vm->both_since = vm->both_us = vm->unguarded_us = vm->moved_us = vm->excused_us = -1;
  g_ptr_array_add(h->vms, vm);
  FerryWorldCopy *copy = ferry_copy_new(host, vm);
  copy->persistent = persistent;
  copy->runs = copy->whole = TRUE;
  ferry_copy_set(copy, FERRY_VM_RUNNING, "booted");
  return vm;
}

FerryWorldHost *ferry_hyper_find(FerryHyper *h, const char *name) {
  for (guint i = 0; name && i < h->n_hosts; i++) {
    const char *found = strstr(name, h->hosts[i]->name);
    if (found)
      return h->hosts[i];
  }
  return NULL;
}

FerryWorldCopy *ferry_hyper_copy(const FerryWorldHost *host, const char *uuid) {
  return g_hash_table_lookup(host->copies, uuid);
}

guint ferry_hyper_running(const FerryHyper *h, const FerryWorldVm *vm) {
  guint n = 0;
  for (guint i = 0; i < h->n_hosts; i++) {
    const FerryWorldCopy *copy = ferry_hyper_copy(h->hosts[i], vm->uuid);
    n += copy && copy->qemu && copy->runs;
  }
  return n;
}

FerryWorldHost *ferry_hyper_where(const FerryHyper *h, const FerryWorldVm *vm) {
  FerryWorldHost *waits = NULL, *comes = NULL;
  for (guint i = 0; i < h->n_hosts; i++) {
    const FerryWorldCopy *copy = ferry_hyper_copy(h->hosts[i], vm->uuid);
    if (!copy || !copy->qemu || !copy->whole)
      continue;
    if (copy->runs)
      return h->hosts[i];
    if (copy->incoming)
      comes = comes ? comes : h->hosts[i];
    else
      waits = waits ? waits : h->hosts[i];
  }
  return waits ? waits : comes;
}

gboolean ferry_hyper_has_two(const FerryHyper *h, const FerryWorldVm *vm) {
  guint n = 0;
  for (guint i = 0; i < h->n_hosts; i++) {
    const FerryWorldCopy *copy = ferry_hyper_copy(h->hosts[i], vm->uuid);
    n += copy && copy->qemu;
  }
  return n > 1;
}

gboolean ferry_hyper_halves(const FerryHyper *h, const FerryWorldVm *vm) {
  for (guint i = 0; i < h->moves->len; i++) {
    const FerryWorldMove *move = h->moves->pdata[i];
    if (move->vm == vm && move->stage == FERRY_MOVE_POSTCOPY) {
      const FerryWorldCopy *a = ferry_hyper_copy(move->from, vm->uuid);
      const FerryWorldCopy *b = ferry_hyper_copy(move->to, vm->uuid);
      return a && b && a->qemu && b->qemu;
    }
  }
  return FALSE;
}

gboolean ferry_hyper_answers(const FerryWorldHost *host) {
  return host->power && host->daemon && !host->hung;
}

gboolean ferry_hyper_reaches(const FerryWorldHost *a, const FerryWorldHost *b) {
  return a->power && b->power && !a->hyper->cut_management[a->index][b->index];
}

gboolean ferry_hyper_carries(const FerryWorldHost *a, const FerryWorldHost *b) {
  return a->power && b->power && !a->hyper->cut_data[a->index][b->index];
}

gboolean ferry_hyper_error(GError **error, int code, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_set_error_literal(error, FERRY_HOST_ERROR, code, text);
  return FALSE;
}

/* ---- faults ---- */
