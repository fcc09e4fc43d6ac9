// SPDX-License-Identifier: Apache-2.0
// What befalls hosts and VMs.
//
// Theory of operation: a fault changes the truth at once; a libvirtd that was away finds out when
// it starts (recover_copy), as the real one does from QEMU's monitor.
#include "sim/world/hyper.h"
#include <string.h>

static void hyper_excuse(FerryWorldVm *vm, const char *why) {
  vm->excused_us = ferry_fiber_now();
  vm->excuse = why;
}

void ferry_hyper_kill_daemon(FerryWorldHost *host) {
  host->daemon = host->hung = FALSE;
  ferry_fiber_wake(host, TRUE);
  ferry_fiber_wake(host->hyper, TRUE);
  ferry_hyper_tell(
      host, &(FerryHostEvent){.type = FERRY_HOST_EVENT_DISCONNECTED, .detail = "libvirtd is gone"});
  ferry_hyper_changed(host->hyper);
}

/* What libvirtd does with what it finds when it starts. */
static void recover_copy(FerryWorldCopy *copy) {
  FerryWorldHost *host = copy->host;
  const char *uuid = copy->vm->uuid;
  if (copy->id < 0)
    return;
  if (!copy->qemu) { /* it died meanwhile */
    copy->move = NULL;
    ferry_copy_stop(copy, "crashed", copy->incoming);
  } else if (copy->move && copy->move->post_copy) {
    return; /* both sides go on by themselves */
  } else if (copy->incoming && !copy->runs) {
    copy->move = NULL;
    ferry_copy_stop(copy, "failed", TRUE);
  } else if (copy->runs && copy->state != FERRY_VM_RUNNING) {
    ferry_copy_set(copy, FERRY_VM_RUNNING, copy->incoming ? "migrated" : "migration-canceled");
    copy->incoming = FALSE;
    ferry_hyper_tell_state(host, uuid, FERRY_HOST_PAUSE_ENDED);
  }
}

void ferry_hyper_start_daemon(FerryWorldHost *host) {
  if (host->daemon || !host->power)
    return;
  host->daemon = TRUE;
  host->life++;
  GList *copies = g_hash_table_get_values(host->copies);
  for (GList *c = copies; c; c = c->next)
    recover_copy(c->data);
  g_list_free(copies);
  ferry_fiber_wake(host, TRUE);
  ferry_hyper_tell(host, &(FerryHostEvent){.type = FERRY_HOST_EVENT_CONNECTED, .detail = ""});
  ferry_hyper_changed(host->hyper);
}

/* Who talks to a libvirtd that hangs gives it up after its keepalive. */
static gpointer hang_watch(gpointer data) {
  FerryWorldHost *host = data;
  gint64 since = host->hung_us;
  ferry_fiber_sleep(FERRY_WORLD_KEEPALIVE_US);
  if (host->hung && host->hung_us == since) {
    ferry_move_lose_calls(host);
    ferry_hyper_tell(host, &(FerryHostEvent){.type = FERRY_HOST_EVENT_DISCONNECTED,
                                             .detail = "libvirtd does not answer"});
  }
  return NULL;
}

void ferry_hyper_hang_daemon(FerryWorldHost *host, gboolean hung) {
  if (host->hung == hung || !host->daemon)
    return;
  host->hung = hung;
  if (hung) {
    host->hung_us = ferry_fiber_now();
    ferry_fiber_new(NULL, hang_watch, host, FALSE);
  } else if (ferry_fiber_now() - host->hung_us >= FERRY_WORLD_KEEPALIVE_US) {
    ferry_hyper_tell(host, &(FerryHostEvent){.type = FERRY_HOST_EVENT_CONNECTED, .detail = ""});
  }
  ferry_fiber_wake(host, TRUE);
  ferry_fiber_wake(host->hyper, TRUE);
}

void ferry_hyper_kill_qemu(FerryWorldCopy *copy, const char *reason) {
  FerryWorldVm *vm = copy->vm;
  FerryHyper *h = copy->host->hyper;
  gboolean answers = copy->host->daemon && copy->host->power;
  hyper_excuse(vm, "its QEMU was killed");
  copy->qemu = copy->runs = copy->whole = copy->stuck = FALSE;
  if (!copy->move && answers)
    ferry_copy_stop(copy, reason, FALSE);
  if (!ferry_hyper_where(h, vm) && !ferry_hyper_halves(h, vm))
    vm->lost = TRUE;
  ferry_fiber_wake(h, TRUE);
  ferry_hyper_changed(h);
}

static void boot_copy(FerryWorldCopy *copy) {
  copy->move = NULL;
  copy->qemu = copy->runs = copy->whole = copy->stuck = copy->incoming = FALSE;
  copy->id = -1;
  ferry_copy_set(copy, FERRY_VM_SHUTOFF, "unknown");
  if (!copy->autostart)
    return;
  copy->qemu = copy->runs = copy->whole = TRUE;
  copy->id = copy->host->next_id++;
  copy->vm->lost = FALSE;
  hyper_excuse(copy->vm, "its host started it at boot");
  ferry_copy_set(copy, FERRY_VM_RUNNING, "booted");
}

void ferry_hyper_set_power(FerryWorldHost *host, gboolean on) {
  FerryHyper *h = host->hyper;
  if (host->power == on)
    return;
  host->power = on;
  GList *copies = g_hash_table_get_values(host->copies);
  if (!on) {
    host->daemon = host->hung = FALSE;
    for (GList *c = copies; c; c = c->next) {
      FerryWorldCopy *copy = c->data;
      if (copy->qemu)
        hyper_excuse(copy->vm, "its host lost its power");
      copy->qemu = copy->runs = copy->whole = copy->stuck = FALSE;
    }
    for (GList *c = copies; c; c = c->next) {
      FerryWorldVm *vm = ((FerryWorldCopy *)c->data)->vm;
      if (!ferry_hyper_where(h, vm) && !ferry_hyper_halves(h, vm))
        vm->lost = TRUE;
    }
  } else {
    for (GList *c = copies; c; c = c->next) {
      FerryWorldCopy *copy = c->data;
      if (copy->persistent)
        boot_copy(copy);
      else
        g_hash_table_remove(host->copies, copy->vm->uuid);
    }
    host->daemon = TRUE;
    host->life++;
  }
  g_list_free(copies);
  ferry_fiber_wake(host, TRUE);
  ferry_fiber_wake(h, TRUE);
  ferry_hyper_changed(h);
}

void ferry_hyper_cut(FerryHyper *h, guint a, guint b, gboolean management, gboolean data,
                     gboolean cut) {
  if (management)
    h->cut_management[a][b] = h->cut_management[b][a] = cut;
  if (data)
    h->cut_data[a][b] = h->cut_data[b][a] = cut;
  ferry_fiber_wake(h, TRUE);
}
