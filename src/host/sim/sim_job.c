// SPDX-License-Identifier: Apache-2.0
// One simulated domain's migration through the port: what libvirt checks, refuses and answers.
// Where libvirt waits 30 s for a domain that somebody has locked, this says so at once.
//
// Starting checks in libvirt's order what libvirt would refuse before anything moves, then puts a
// transfer into the world, which sim_run.c carries on; setters change the transfer, and the
// numbers are read off it. Each call brings the world to now first, so that what it sees is what
// QEMU would have by then.
#include "base/error.h"
#include "host/sim/sim_job.h"
#include "host/sim/sim_base.h"
#include "host/sim/sim_disks.h"
#include "host/sim/sim_run.h"
#include "model/flags/migration_flags.h"
#include "model/kinds/policy_fields.h"
#include <string.h>

static FerrySimWorld *world_of(const FerrySimJob *job) {
  return job->handle->world;
}

/* Takes the lock and brings the world to now. The job's domain, or NULL with an error; the lock is
 * held either way. */
static FerrySimInstance *sim_job_enter(FerrySimJob *job, const char *doing, GError **error) {
  FerrySimWorld *w = world_of(job);
  FerrySimHost *h = job->handle->host;
  g_mutex_lock(&w->lock);
  if (!h->daemon || !h->power) {
    ferry_sim_error(error, FERRY_HOST_ERROR_NO_CONNECTION, "%s: libvirt of %s does not answer",
                    doing, h->name);
    return NULL;
  }
  FerrySimInstance *i = ferry_sim_find(h, job->uuid);
  if (i && i->transfer) {
    ferry_sim_transfer_run(w, i->transfer);
    i = ferry_sim_find(h, job->uuid); /* it may have gone just now */
  }
  if (!i)
    ferry_sim_error(error, FERRY_HOST_ERROR_NO_DOMAIN, "%s: the domain is gone from %s", doing,
                    h->name);
  return i;
}

static FerrySimInstance *enter_active(FerrySimJob *job, const char *doing, GError **error) {
  FerrySimInstance *i = sim_job_enter(job, doing, error);
  if (i && !i->state.active) {
    ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE, "%s: the domain is not running", doing);
    return NULL;
  }
  return i;
}

static void sim_job_leave(FerrySimJob *job) {
  g_mutex_unlock(&world_of(job)->lock);
}

/* The migration out of here, or NULL with an error. */
static FerrySimTransfer *sim_job_outgoing(FerrySimInstance *i, const char *doing, GError **error) {
  if (i && i->transfer && i->transfer->source == i)
    return i->transfer;
  if (i)
    ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE,
                    "%s: no migration of the domain is under way", doing);
  return NULL;
}

FerryHostJob *ferry_sim_job_open(FerryHost *base, const char *uuid, GError **error) {
  FerrySimJob *job = g_new0(FerrySimJob, 1);
  job->base.ops = base->ops;
  job->handle = (FerrySimHandle *)base;
  job->uuid = g_ascii_strdown(uuid, -1);
  gboolean there = sim_job_enter(job, "cannot find the domain", error) != NULL;
  sim_job_leave(job);
  if (there)
    return &job->base;
  g_free(job->uuid);
  g_free(job);
  return NULL;
}

void ferry_sim_job_close(FerryHostJob *base) {
  FerrySimJob *job = (FerrySimJob *)base;
  if (job->started) {
    FerrySimWorld *w = world_of(job);
    g_mutex_lock(&w->lock);
    while (!job->returned)
      g_cond_wait(&w->cond, &w->lock);
    g_mutex_unlock(&w->lock);
  }
  g_free(job->uuid);
  g_free(job);
}

/* Only the definition is moved. */
static void move_definition(FerrySimWorld *w, FerrySimInstance *source, FerrySimHost *target,
                            const char *name, gboolean undefine) {
  FerrySimInstance *there = ferry_sim_find(target, source->domain->uuid);
  if (!there)
    there = ferry_sim_instance_new(target, source->domain, name);
  there->state.persistent = TRUE;
  ferry_sim_tell(w, target, FERRY_HOST_EVENT_STATE, source->domain->uuid, "defined");
  if (undefine) /* libvirt sends no event for this */
    g_hash_table_remove(source->host->instances, source->domain->uuid);
}

/* Whether libvirt would begin with the request at all. FALSE with the error of the call. */
static gboolean can_begin(const FerrySimInstance *source, FerrySimHost *target,
                          const FerryMigrateRequest *r, GError **error) {
  if (source->transfer)
    return ferry_sim_error(error, FERRY_SIM_ERROR_BUSY,
                           "cannot acquire state change lock: the domain is migrating");
  if (!target || !target->daemon || !target->power)
    return ferry_sim_error(error, FERRY_SIM_ERROR_FAILED, "unable to connect to libvirt at %s",
                           r->dest_uri);
  if (target == source->host)
    return ferry_sim_error(error, FERRY_SIM_ERROR_FAILED, "the domain is on %s already",
                           target->name);
  const FerrySimInstance *there = ferry_sim_find(target, source->domain->uuid);
  if (there && there->state.active)
    return ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE,
                           "a domain of this UUID is active on %s already", target->name);
  return TRUE;
}

/* The link between the two hosts and the options, as QEMU gets them. */
static void init_stream(FerrySimJob *job, FerrySimTransfer *t, const FerrySimInstance *source,
                        const FerrySimHost *target, const FerryMigrateRequest *r) {
  const FerrySimWorld *w = world_of(job);
  FerrySimLink link = {.rate = MIN(source->host->link, target->link),
                       .cap = (double)r->bandwidth / w->speed,
                       .told =
                           ferry_json_real(r->config, "availableSwitchoverBandwidth", 0) / w->speed,
                       .efficiency = 1,
                       .eps = w->eps};
  FerrySimOptions options = {
      .auto_converge = ferry_migration_flag_on(r->config, "allowAutoConverge"),
      .preempt = ferry_migration_flag_on(r->config, "postCopyPreempt"),
      .throttle_initial = (int)ferry_json_int(r->config, "autoConvergeInitial", 0),
      .throttle_increment = (int)ferry_json_int(r->config, "autoConvergeIncrement", 0)};
  ferry_sim_migration_init(&t->m, &source->domain->guest, &link, &options);
  if (job->limit_ms > 0)
    ferry_sim_migration_set_limit(&t->m, (double)job->limit_ms * w->speed);
}

/* What libvirt does in the call before anything moves. FALSE with the error of the call. */
static gboolean sim_job_begin(FerrySimJob *job, FerrySimInstance *source,
                              const FerryMigrateRequest *r, FerryMigrateDone done, gpointer data,
                              gboolean *moved, GError **error) {
  FerrySimWorld *w = world_of(job);
  FerrySimHost *target = ferry_sim_find_host(w, r->dest_uri);
  gboolean offline = ferry_migration_flag_on(r->config, "offline");
  gboolean persist = ferry_migration_persists(r->config, source->state.persistent);
  gboolean undefine =
      ferry_json_bool(r->config, "undefineSource", source->state.persistent && persist);
  const char *name = ferry_json_str(r->config, "destinationName");
  if (!can_begin(source, target, r, error))
    return FALSE;
  if (offline) {
    *moved = TRUE;
    move_definition(w, source, target, name ? name : source->name,
                    undefine && !source->state.active);
    return TRUE;
  }
  if (!source->state.active)
    return ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE, "the domain is not running");
  double disks = ferry_sim_disks_to_copy(source->domain, target, r, error);
  if (disks < 0)
    return FALSE;
  FerrySimTransfer *t = g_new0(FerrySimTransfer, 1);
  init_stream(job, t, source, target, r);
  t->disk_total = t->disk_left = disks;
  t->source = source;
  FerrySimInstance *there = ferry_sim_find(target, source->domain->uuid);
  t->target =
      there ? there : ferry_sim_instance_new(target, source->domain, name ? name : source->name);
  ferry_sim_set_state(t->target, FERRY_VM_PAUSED, "migration");
  t->was_paused = source->state.state == FERRY_VM_PAUSED;
  if (t->was_paused)
    ferry_sim_migration_suspend(&t->m);
  t->post_copy = ferry_migration_flag_on(r->config, "allowPostCopy");
  t->persist = persist;
  t->undefine = undefine;
  t->job = job;
  t->done = done;
  t->data = data;
  ferry_sim_transfer_begin(w, t);
  return TRUE;
}

gboolean ferry_sim_job_start(FerryHostJob *base, const FerryMigrateRequest *request,
                             FerryMigrateDone done, gpointer data, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  if (job->started) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "this job was started already");
    return FALSE;
  }
  if (!request->dest_uri || !strstr(request->dest_uri, "://")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "the target's libvirt URI is \"%s\", expected one as sim://HOST/system; give its "
                "agent --peer-uri",
                request->dest_uri ? request->dest_uri : "");
    return FALSE;
  }
  FerrySimWorld *w = world_of(job);
  GError *failed = NULL;
  gboolean moved = FALSE;
  job->started = TRUE;
  FerrySimInstance *source = sim_job_enter(job, "cannot migrate the domain", &failed);
  if (source)
    sim_job_begin(job, source, request, done, data, &moved, &failed);
  if (failed || moved) { /* the call returns at once */
    FerrySimTransfer over = {.job = job, .done = done, .data = data};
    ferry_sim_transfer_return(w, &over, failed);
  }
  sim_job_leave(job);
  return TRUE;
}

gboolean ferry_sim_job_stats(FerryHostJob *base, FerryJobStats *out, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  ferry_job_stats_clear(out);
  g_strlcpy(out->operation, "unknown", sizeof out->operation);
  FerrySimWorld *w = world_of(job);
  const FerrySimInstance *i = enter_active(job, "cannot read the job's numbers", error);
  gboolean lost = i && i->host->lose_samples > 0 && ferry_sim_chance(w) < i->host->lose_samples;
  if (i && !lost && i->transfer)
    ferry_sim_transfer_stats(w, i->transfer, i->transfer->target == i, out);
  sim_job_leave(job);
  if (lost)
    return ferry_sim_error(error, FERRY_SIM_ERROR_BUSY,
                           "cannot read the job's numbers: cannot acquire state change lock");
  return i != NULL;
}

gboolean ferry_sim_job_state(FerryHostJob *base, FerryDomainState *out, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  g_autoptr(GError) cause = NULL;
  *out = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  const FerrySimInstance *i = sim_job_enter(job, "cannot read the domain's state", &cause);
  if (i)
    *out = i->state;
  sim_job_leave(job);
  if (i || g_error_matches(cause, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN))
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&cause));
  return FALSE;
}

gboolean ferry_sim_job_set_max_downtime(FerryHostJob *base, gint64 ms, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  const char *doing = "cannot set the downtime limit";
  if (ms <= 0 || ms > FERRY_DOWNTIME_MAX_MS)
    return ferry_sim_error(error, FERRY_SIM_ERROR_INVALID_ARG,
                           "%s: %" G_GINT64_FORMAT " ms, expected 1 to %d", doing, ms,
                           FERRY_DOWNTIME_MAX_MS);
  FerrySimInstance *i = enter_active(job, doing, error);
  job->limit_ms = i ? ms : job->limit_ms;
  if (i && i->transfer && i->transfer->source == i)
    ferry_sim_migration_set_limit(&i->transfer->m, (double)ms * world_of(job)->speed);
  sim_job_leave(job);
  return i != NULL;
}

gboolean ferry_sim_job_set_max_speed(FerryHostJob *base, gint64 bytes_per_s, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  const char *doing = "cannot set the bandwidth limit";
  if (bytes_per_s < 0)
    return ferry_sim_error(error, FERRY_SIM_ERROR_INVALID_ARG, "%s: it is below 0", doing);
  FerrySimInstance *i = enter_active(job, doing, error);
  if (i && i->transfer && i->transfer->source == i) {
    FerrySimTransfer *t = i->transfer;
    ferry_sim_migration_set_cap(&t->m, (double)bytes_per_s / world_of(job)->speed);
    t->due = 0;
    g_cond_broadcast(&world_of(job)->cond);
  }
  sim_job_leave(job);
  return i != NULL;
}

gboolean ferry_sim_job_set_throttle(FerryHostJob *base, int percent, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  int wanted = CLAMP(percent, 1, 99); /* QEMU's least stands for "not at all" */
  FerrySimInstance *i = enter_active(job, "cannot set the throttle", error);
  if (i && i->transfer && i->transfer->source == i)
    ferry_sim_migration_set_throttle_parameters(&i->transfer->m, wanted, MAX(1, wanted - 1), wanted,
                                                1);
  sim_job_leave(job);
  return i != NULL;
}

gboolean ferry_sim_job_start_postcopy(FerryHostJob *base, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  const char *doing = "cannot switch to post-copy";
  FerrySimInstance *i = enter_active(job, doing, error);
  FerrySimTransfer *t = sim_job_outgoing(i, doing, error);
  gboolean ok = FALSE;
  if (t && !t->post_copy) {
    ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE,
                    "%s: the migration was not started with the flag for it", doing);
  } else if (t && (!t->memory || t->m.phase == FERRY_SIM_PHASE_SWITCHING)) {
    ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE, "%s: memory is not being copied", doing);
  } else if (t) {
    ferry_sim_migration_start_postcopy(&t->m);
    t->due = 0;
    g_cond_broadcast(&world_of(job)->cond);
    ok = TRUE;
  }
  sim_job_leave(job);
  return ok;
}

gboolean ferry_sim_job_abort(FerryHostJob *base, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  const char *doing = "cannot abort the migration";
  FerrySimInstance *i = enter_active(job, doing, error);
  FerrySimTransfer *t = sim_job_outgoing(i, doing, error);
  gboolean ok = t != NULL;
  if (t && t->m.phase == FERRY_SIM_PHASE_POSTCOPY) {
    ok = ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE,
                         "%s: it is in post-copy, from which there is no way back", doing);
  } else if (t) {
    GError *cancelled = NULL;
    ferry_sim_error(&cancelled, FERRY_HOST_ERROR_ABORTED,
                    "libvirt could not migrate the domain: the job was canceled by the client");
    ferry_sim_transfer_break(world_of(job), t, cancelled);
  }
  sim_job_leave(job);
  return ok;
}

gboolean ferry_sim_job_suspend(FerryHostJob *base, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  FerrySimWorld *w = world_of(job);
  FerrySimInstance *i = enter_active(job, "cannot suspend the domain", error);
  if (i && i->state.state != FERRY_VM_PAUSED) {
    FerrySimTransfer *t = i->transfer;
    if (t)
      t->suspended = ferry_sim_migration_suspend(&t->m) || t->suspended;
    ferry_sim_set_state(i, FERRY_VM_PAUSED, t ? "migration" : "user");
    ferry_sim_tell(w, i->host, FERRY_HOST_EVENT_STATE, i->domain->uuid, "suspended");
  }
  sim_job_leave(job);
  return i != NULL;
}

gboolean ferry_sim_job_resume(FerryHostJob *base, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  FerrySimWorld *w = world_of(job);
  const char *doing = "cannot resume the domain";
  FerrySimInstance *i = enter_active(job, doing, error);
  gboolean ok = FALSE;
  if (i && i->transfer)
    ferry_sim_error(error, FERRY_SIM_ERROR_BUSY,
                    "%s: cannot acquire state change lock, it is migrating", doing);
  else if (i && i->state.state != FERRY_VM_PAUSED)
    ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE, "%s: it is running already", doing);
  else if (i) {
    ferry_sim_set_state(i, FERRY_VM_RUNNING, "unpaused");
    ferry_sim_tell(w, i->host, FERRY_HOST_EVENT_STATE, i->domain->uuid, "resumed");
    ok = TRUE;
  }
  sim_job_leave(job);
  return ok;
}

gboolean ferry_sim_job_dirty_rate(FerryHostJob *base, int seconds, gint64 *bytes_per_s,
                                  GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  FerrySimWorld *w = world_of(job);
  const char *doing = "cannot measure the dirty rate";
  FerrySimInstance *i = enter_active(job, doing, error);
  gboolean busy = i && i->transfer;
  FerrySimGuest guest;
  double now = ferry_sim_now(w), speed = 0;
  if (i) {
    ferry_sim_guest_init(&guest, &i->domain->guest);
    speed = i->state.state == FERRY_VM_RUNNING ? ferry_sim_guest_activity(&guest, now) : 0;
  }
  sim_job_leave(job);
  if (!i)
    return FALSE;
  if (busy)
    return ferry_sim_error(error, FERRY_SIM_ERROR_BUSY,
                           "%s: cannot acquire state change lock, it is migrating", doing);
  g_usleep((gulong)seconds * G_USEC_PER_SEC);
  ferry_sim_guest_run(&guest, seconds * w->speed, speed);
  double dirtied = 0;
  for (guint k = 0; k < guest.n_classes; k++)
    dirtied += guest.classes[k].unsynced;
  *bytes_per_s = (gint64)(dirtied / seconds);
  return TRUE;
}

gboolean ferry_sim_job_resident(FerryHostJob *base, gint64 *bytes, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  const FerrySimInstance *i =
      enter_active(job, "cannot read how much memory the domain holds", error);
  if (i)
    *bytes = (gint64)i->domain->guest.memory;
  sim_job_leave(job);
  return i != NULL;
}
