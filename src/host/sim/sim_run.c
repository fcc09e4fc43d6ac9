// SPDX-License-Identifier: Apache-2.0
// Migrations of a world as time passes: what each phase does to the two instances, and who hears.
//
// Nothing is stepped by a timer: whoever looks brings the transfers to now, and the world's thread
// sleeps until the next thing that will happen. A transfer copies its disks, then its memory by
// QEMU's rules (sim_migration.c), and as it passes from phase to phase the instances at both ends
// are paused, let go and removed as libvirt does, with the events that libvirt sends. Links are
// shared anew whenever one begins or ends.
#include "host/sim/sim_run.h"
#include "host/sim/sim_base.h"
#include <math.h>
#include <string.h>

#define LEAST_WAIT_US 500
#define PAGE 4096

static void tell_state(FerrySimWorld *w, const FerrySimInstance *i, const char *detail) {
  ferry_sim_queue(w, i->host, FERRY_HOST_EVENT_STATE, i->domain->uuid, detail);
}

void ferry_sim_transfer_return(FerrySimWorld *w, FerrySimTransfer *t, GError *error) {
  if (!t->done) {
    g_clear_error(&error);
    return;
  }
  FerrySimEvent *e = ferry_sim_queue(w, NULL, FERRY_HOST_EVENT_COMPLETED, NULL, NULL);
  e->job = g_steal_pointer(&t->job);
  e->done = t->done;
  e->data = t->data;
  e->error = error;
  t->done = NULL;
}

void ferry_sim_transfer_stats(const FerrySimWorld *w, const FerrySimTransfer *t, gboolean incoming,
                              FerryJobStats *out) {
  const FerrySimMigration *m = &t->m;
  ferry_job_stats_clear(out);
  out->active = m->phase != FERRY_SIM_PHASE_COMPLETED;
  out->migration_in = incoming;
  out->migration_out = !incoming;
  g_strlcpy(out->operation, incoming ? "migration-in" : "migration-out", sizeof out->operation);
  out->elapsed_ms = (gint64)((ferry_sim_now(w) - t->started) / w->speed * 1000);
  if (incoming && out->active)
    return; /* libvirt knows no more there */
  double rate = ferry_sim_link_wire_rate(&m->link, m->now) * w->speed;
  out->setup_ms = 0;
  if (t->memory) { /* while disks are copied libvirt says nothing of it */
    out->memory_total = (gint64)(m->guest.spec.memory + m->guest.spec.zero);
    out->memory_processed = (gint64)ferry_sim_migration_sent(m);
    out->memory_remaining = (gint64)ferry_sim_migration_remaining(m);
    out->memory_bps = out->active ? (gint64)rate : 0;
  }
  out->page_size = PAGE;
  out->dirty_pages_per_s = (gint64)(m->dirty_rate * w->speed / PAGE);
  out->iteration = m->iteration;
  if (m->options.auto_converge)
    out->throttle_percent = (gint64)lround(m->throttle * 100);
  out->disk_total = (gint64)t->disk_total;
  out->disk_remaining = (gint64)t->disk_left;
  out->disk_processed = out->disk_total - out->disk_remaining;
  out->disk_bps = t->memory ? 0 : (gint64)rate;
  out->data_total = MAX(0, out->memory_total) + out->disk_total;
  out->data_processed = MAX(0, out->memory_processed) + out->disk_processed;
  out->data_remaining = MAX(0, out->memory_remaining) + out->disk_remaining;
  double downtime_ms = out->active ? ferry_sim_migration_expected_ms(m) : m->pause * 1000;
  out->downtime_ms = (gint64)(downtime_ms / w->speed);
}

void ferry_sim_share_links(FerrySimWorld *w) {
  for (guint i = 0; i < w->hosts->len; i++) {
    FerrySimHost *h = w->hosts->pdata[i];
    h->leaving = h->coming = 0;
  }
  for (guint i = 0; i < w->transfers->len; i++) {
    const FerrySimTransfer *t = w->transfers->pdata[i];
    t->source->host->leaving++;
    t->target->host->coming++;
  }
  for (guint i = 0; i < w->transfers->len; i++) {
    FerrySimTransfer *t = w->transfers->pdata[i];
    const FerrySimHost *from = t->source->host, *to = t->target->host;
    ferry_sim_migration_set_rate(&t->m, MIN(from->link / from->leaving, to->link / to->coming));
    t->due = 0;
  }
  g_cond_broadcast(&w->cond);
}

void ferry_sim_transfer_begin(FerrySimWorld *w, FerrySimTransfer *t) {
  ferry_sim_world_run(w);
  t->started = t->disk_at = ferry_sim_now(w);
  t->source->transfer = t->target->transfer = t;
  g_ptr_array_add(w->transfers, t);
  ferry_sim_share_links(w);
  tell_state(w, t->target, "started/migrated");
}

/* Takes it out of the world; keeps what it did. */
static void sim_run_leave(FerrySimWorld *w, FerrySimTransfer *t) {
  const FerrySimMigration *m = &t->m;
  FerrySimDomain *d = t->source->domain;
  d->moved = TRUE;
  d->last = (FerrySimMoved){.phase = m->phase,
                            .seconds = (t->memory ? t->began + m->now - t->started : 0) / w->speed,
                            .pause = m->pause / w->speed,
                            .gap = m->gap / w->speed,
                            .lost = m->lost / w->speed,
                            .bytes = m->sent,
                            .iterations = m->iteration,
                            .top_throttle = m->top_throttle,
                            .post_copy = m->post_copy_asked};
  t->source->transfer = t->target->transfer = NULL;
  g_ptr_array_remove(w->transfers, t); /* frees it */
  ferry_sim_share_links(w);
}

static void sim_run_completed(FerrySimWorld *w, FerrySimTransfer *t) {
  FerrySimInstance *source = t->source, *target = t->target;
  for (int incoming = 0; incoming < 2; incoming++) {
    FerrySimEvent *e =
        ferry_sim_queue(w, incoming ? target->host : source->host, FERRY_HOST_EVENT_COMPLETED,
                        source->domain->uuid, incoming ? "migration-in" : "migration-out");
    ferry_sim_transfer_stats(w, t, incoming, &e->stats);
    e->has_stats = TRUE;
  }
  target->state.persistent = target->state.persistent || t->persist;
  ferry_sim_set_state(target, t->was_paused ? FERRY_VM_PAUSED : FERRY_VM_RUNNING,
                      t->was_paused ? "user" : "migrated");
  tell_state(w, target, "resumed/migrated");
  ferry_sim_transfer_return(w, t, NULL);
  gboolean undefine = t->undefine;
  sim_run_leave(w, t);
  ferry_sim_instance_stop(w, source, "migrated", undefine);
}

void ferry_sim_transfer_break(FerrySimWorld *w, FerrySimTransfer *t, GError *error) {
  FerrySimInstance *source = t->source, *target = t->target;
  gboolean back = t->was_paused || t->suspended;
  ferry_sim_transfer_return(w, t, error);
  if (ferry_sim_migration_cancel(&t->m)) {
    sim_run_leave(w, t);
    ferry_sim_instance_stop(w, target, "failed", !target->state.persistent);
    if (!back && source->state.state == FERRY_VM_PAUSED) {
      ferry_sim_set_state(source, FERRY_VM_RUNNING, "migration-canceled");
      tell_state(w, source, "resumed");
    }
    return;
  }
  /* half of its memory is here, half there: it runs on neither */
  ferry_sim_migration_fail(&t->m);
  sim_run_leave(w, t);
  ferry_sim_set_state(source, FERRY_VM_PAUSED, "postcopy-failed");
  ferry_sim_set_state(target, FERRY_VM_PAUSED, "postcopy-failed");
  tell_state(w, source, "suspended/postcopy-failed");
  tell_state(w, target, "suspended/postcopy-failed");
}

static void tell_passes(FerrySimWorld *w, FerrySimTransfer *t) {
  while (t->iteration_seen < t->m.iteration) {
    FerrySimEvent *e = ferry_sim_queue(w, t->source->host, FERRY_HOST_EVENT_ITERATION,
                                       t->source->domain->uuid, "iteration");
    e->iteration = ++t->iteration_seen;
  }
}

/* TRUE: it is over, and freed. */
static gboolean sim_run_changed(FerrySimWorld *w, FerrySimTransfer *t) {
  tell_passes(w, t);
  if (t->seen == t->m.phase)
    return FALSE;
  t->seen = t->m.phase;
  switch (t->m.phase) {
  case FERRY_SIM_PHASE_SWITCHING:
    ferry_sim_set_state(t->source, FERRY_VM_PAUSED, "migration");
    tell_state(w, t->source, "suspended/migrated");
    return FALSE;
  case FERRY_SIM_PHASE_POSTCOPY:
    ferry_sim_set_state(t->source, FERRY_VM_PAUSED, "postcopy");
    tell_state(w, t->source, "suspended/postcopy");
    ferry_sim_set_state(t->target, FERRY_VM_RUNNING, "postcopy");
    tell_state(w, t->target, "resumed/postcopy");
    return FALSE;
  case FERRY_SIM_PHASE_COMPLETED:
    sim_run_completed(w, t);
    return TRUE;
  default:
    return FALSE;
  }
}

/* Disks before memory. TRUE: memory has its turn. */
static gboolean run_disks(FerrySimWorld *w, FerrySimTransfer *t, double now) {
  double rate = ferry_sim_link_wire_rate(&t->m.link, 0);
  double end = t->disk_at + t->disk_left / rate;
  if (now < end) {
    t->disk_left -= (now - t->disk_at) * rate;
    t->disk_at = now;
    t->due = end;
    return FALSE;
  }
  t->disk_left = 0;
  t->began = end;
  t->memory = TRUE;
  tell_passes(w, t);
  return TRUE;
}

void ferry_sim_transfer_run(FerrySimWorld *w, FerrySimTransfer *t) {
  double now = ferry_sim_now(w);
  FerrySimMigration *m = &t->m;
  t->due = INFINITY;
  if (t->orphan && m->phase != FERRY_SIM_PHASE_POSTCOPY)
    return;
  if (!t->memory && !run_disks(w, t, now))
    return;
  while (ferry_sim_migration_advance(m, now - t->began))
    if (sim_run_changed(w, t))
      return;
  t->due = t->began +
           (m->phase == FERRY_SIM_PHASE_ACTIVE ? m->now + ferry_sim_migration_step(m) : m->until);
}

void ferry_sim_world_run(FerrySimWorld *w) {
  for (guint i = w->transfers->len; i-- > 0;)
    if (i < w->transfers->len)
      ferry_sim_transfer_run(w, w->transfers->pdata[i]);
}

static gboolean sim_run_hears(const FerrySimHandle *handle, const FerrySimEvent *e) {
  gboolean about_connection =
      e->type == FERRY_HOST_EVENT_CONNECTED || e->type == FERRY_HOST_EVENT_DISCONNECTED;
  return handle->started && handle->host == e->host && (!e->only || e->only == handle) &&
         (about_connection || handle->connected);
}

/* Gives out what is queued. */
static void give_out(FerrySimWorld *w) {
  g_autoptr(GPtrArray) listeners = g_ptr_array_new();
  g_mutex_lock(&w->dispatch);
  for (;;) {
    g_mutex_lock(&w->lock);
    FerrySimEvent *e = g_queue_pop_head(&w->events);
    g_ptr_array_set_size(listeners, 0);
    for (guint i = 0; e && e->host && i < w->handles->len; i++) {
      FerrySimHandle *handle = w->handles->pdata[i];
      if (!sim_run_hears(handle, e))
        continue;
      if (e->type == FERRY_HOST_EVENT_CONNECTED)
        handle->connected = handle->host->daemon && handle->host->power;
      g_ptr_array_add(listeners, handle);
    }
    g_mutex_unlock(&w->lock);
    if (!e)
      break;
    FerryHostEvent event = {.type = e->type,
                            .uuid = e->uuid,
                            .detail = e->detail,
                            .iteration = e->iteration,
                            .stats = e->has_stats ? &e->stats : NULL};
    for (guint i = 0; i < listeners->len; i++) {
      FerrySimHandle *handle = listeners->pdata[i];
      handle->func(&event, handle->data);
    }
    if (e->done) {
      e->done(e->error, e->data);
      g_mutex_lock(&w->lock);
      e->job->returned = TRUE;
      g_cond_broadcast(&w->cond);
      g_mutex_unlock(&w->lock);
    }
    ferry_sim_event_free(e);
  }
  g_mutex_unlock(&w->dispatch);
}

gpointer ferry_sim_world_thread(gpointer data) {
  FerrySimWorld *w = data;
  g_mutex_lock(&w->lock);
  while (!w->stop) {
    double now = ferry_sim_now(w), due = INFINITY;
    for (guint i = w->transfers->len; i-- > 0;) {
      FerrySimTransfer *t = i < w->transfers->len ? w->transfers->pdata[i] : NULL;
      if (t && t->due <= now)
        ferry_sim_transfer_run(w, t);
    }
    for (guint i = 0; i < w->transfers->len; i++)
      due = MIN(due, ((FerrySimTransfer *)w->transfers->pdata[i])->due);
    if (w->events.length) {
      g_mutex_unlock(&w->lock);
      give_out(w);
      g_mutex_lock(&w->lock);
    } else if (isfinite(due)) {
      gint64 wait_us = (gint64)((due - ferry_sim_now(w)) / w->speed * 1e6);
      g_cond_wait_until(&w->cond, &w->lock, g_get_monotonic_time() + MAX(wait_us, LEAST_WAIT_US));
    } else {
      g_cond_wait(&w->cond, &w->lock);
    }
  }
  g_mutex_unlock(&w->lock);
  return NULL;
}
