// SPDX-License-Identifier: Apache-2.0
// One domain's migration at the world's port, as src/host/libvirt does it at the real one.
//
// Theory of operation: a job is a connection of its own, good for one life of libvirtd. What enters
// QEMU's monitor waits while that is stuck, as long as libvirt waits for a domain's lock; what does
// not, never waits. Numbers of a job are those of the simulated QEMU (host/sim/sim_migration.h).
#include "sim/world/hyper_job.h"
#include "base/error.h"
#include "model/domain/domain_states.h"
#include "model/flags/migration_flags.h"

#define LOCK_TIMEOUT_US (30 * G_USEC_PER_SEC)
#define ERROR_BUSY 68
#define ERROR_NO_SPACE 38

static FerryWorldJob *world_job(FerryHostJob *base) {
  return (FerryWorldJob *)base;
}

/* The job's own connection must still be there. */
static gboolean job_call(FerryWorldJob *job, GError **error) {
  if (!ferry_hyper_call(job->port, error))
    return FALSE;
  return job->life == job->port->host->life ||
         ferry_hyper_error(error, FERRY_HOST_ERROR_NO_CONNECTION,
                           "the job's connection to libvirtd broke");
}

static FerryWorldCopy *job_copy(const FerryWorldJob *job) {
  return ferry_hyper_copy(job->port->host, job->uuid);
}

/* The copy, once its monitor answers; NULL with an error. */
static FerryWorldCopy *job_monitor(FerryWorldJob *job, GError **error) {
  gint64 until = ferry_fiber_now() + LOCK_TIMEOUT_US;
  if (!job_call(job, error))
    return NULL;
  FerryWorldCopy *copy = job_copy(job);
  while (copy && copy->stuck && ferry_fiber_now() < until && !job->port->process->dead) {
    ferry_fiber_wait(job->port->host->hyper, until);
    copy = job_copy(job);
  }
  if (!job_call(job, error))
    return NULL;
  if (copy && copy->stuck)
    ferry_hyper_error(error, ERROR_BUSY, "cannot acquire state change lock");
  else if (!copy)
    ferry_hyper_error(error, FERRY_HOST_ERROR_NO_DOMAIN, "no domain with UUID %s", job->uuid);
  else if (copy->id < 0 || !copy->qemu)
    ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE, "domain is not running");
  else
    return copy;
  return NULL;
}

/* Its migration, where it leaves this host. */
static FerryWorldMove *hyper_job_outgoing(const FerryWorldCopy *copy) {
  FerryWorldMove *move = copy ? copy->move : NULL;
  return move && move->from == copy->host && move->stage != FERRY_MOVE_OVER ? move : NULL;
}

FerryHostJob *ferry_world_job_open(FerryHost *host, const char *uuid, GError **error) {
  FerryWorldPort *port = (FerryWorldPort *)host;
  if (!ferry_hyper_call(port, error))
    return NULL;
  if (!ferry_hyper_copy(port->host, uuid)) {
    ferry_hyper_error(error, FERRY_HOST_ERROR_NO_DOMAIN, "no domain with UUID %s", uuid);
    return NULL;
  }
  FerryWorldJob *job = g_new0(FerryWorldJob, 1);
  job->base.ops = port->base.ops;
  job->port = port;
  job->uuid = g_strdup(uuid);
  job->life = port->host->life;
  return &job->base;
}

void ferry_world_job_close(FerryHostJob *base) {
  FerryWorldJob *job = world_job(base);
  while (job->started && !job->returned)
    ferry_fiber_wait(job, -1);
  g_free(job->uuid);
  g_free(job);
}

static void job_done(const GError *error, gpointer data) {
  FerryWorldJob *job = data;
  if (job->returned)
    return;
  job->done(error, job->data);
  job->returned = TRUE;
  ferry_fiber_wake(job, TRUE);
}

void ferry_hyper_abandon(FerryHyper *h, FerryWorldProcess *process) {
  for (guint i = 0; i < h->moves->len; i++) {
    FerryWorldMove *move = h->moves->pdata[i];
    FerryWorldJob *job = move->job;
    if (!job || job->port->process != process)
      continue;
    g_autoptr(GError) gone =
        g_error_new_literal(FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION, "killed");
    move->job = NULL;
    move->done = NULL;
    job_done(gone, job);
  }
  for (guint i = 0; i < h->n_hosts; i++)
    ferry_fiber_wake(h->hosts[i], TRUE);
  ferry_fiber_wake(h, TRUE);
}

gboolean ferry_world_job_start(FerryHostJob *base, const FerryMigrateRequest *request,
                               FerryMigrateDone done, gpointer data, GError **error) {
  FerryWorldJob *job = world_job(base);
  FerryWorldHost *from = job->port->host;
  FerryWorldHost *to = ferry_hyper_find(from->hyper, request->dest_uri);
  FerryWorldCopy *copy = job_monitor(job, error);
  if (!copy)
    return FALSE;
  if (copy->move || !to || !copy->whole) /* half of one waits for the other half for ever */
    return ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE, "there is a job already");
  FerryWorldMove *move = g_new0(FerryWorldMove, 1);
  move->hyper = from->hyper;
  move->vm = copy->vm;
  move->from = from;
  move->to = to;
  move->persist = ferry_migration_flag_on(request->config, "persistDestination");
  move->undefine = ferry_migration_flag_on(request->config, "undefineSource");
  move->was_paused = !copy->runs;
  move->job = job;
  job->started = TRUE;
  job->done = done;
  job->data = data;
  move->done = job_done;
  move->done_data = job;
  copy->move = move;
  copy->vm->moved_us = ferry_fiber_now();
  copy->vm->moved_from = from;
  copy->vm->mover = job->port->process;
  ferry_move_start(move);
  if (job->limit_ms > 0)
    ferry_sim_migration_set_limit(&move->data, (double)job->limit_ms);
  return TRUE;
}

/* ---- disks ---- */

json_t *ferry_world_job_disks_plan(FerryHostJob *base, const FerryMigrateRequest *request,
                                   GError **error) {
  FerryWorldJob *job = world_job(base);
  FerryWorldCopy *copy = job_monitor(job, error);
  if (!copy)
    return NULL;
  json_t *plan = json_array();
  if (!request->copy_disks || !copy->vm->copies_disk)
    return plan;
  FerryWorldHost *to = ferry_hyper_find(job->port->host->hyper, request->dest_uri);
  if (!to || !ferry_hyper_reaches(job->port->host, to) || !ferry_hyper_answers(to)) {
    json_decref(plan);
    ferry_hyper_error(error, FERRY_HOST_ERROR_PEER_UNREACHABLE, "the target does not answer");
    return NULL;
  }
  g_autofree char *path = g_strdup_printf("/images/%s.qcow2", copy->vm->name);
  json_array_append_new(plan, json_pack("{s:s, s:s, s:s, s:I, s:b}", "name", "vda", "path", path,
                                        "format", "qcow2", "sizeBytes", (json_int_t)(16 << 20),
                                        "create", !g_hash_table_contains(to->volumes, path)));
  return plan;
}

/* The target, where its libvirtd can be talked to; NULL with an error. */
static FerryWorldHost *disks_host(FerryWorldJob *job, const char *uri, GError **error) {
  FerryWorldHost *to = ferry_hyper_find(job->port->host->hyper, uri);
  ferry_fiber_sleep(ferry_world_between(5, 50) * 1000);
  if (to && !job->port->process->dead && ferry_hyper_reaches(job->port->host, to) &&
      ferry_hyper_answers(to))
    return to;
  ferry_hyper_error(error, FERRY_HOST_ERROR_PEER_UNREACHABLE, "the target does not answer");
  return NULL;
}

gboolean ferry_world_job_disks_make(FerryHostJob *base, const char *uri, json_t *disks,
                                    GError **error) {
  FerryWorldHost *to = disks_host(world_job(base), uri, error);
  size_t i;
  json_t *disk;
  if (!to)
    return FALSE;
  json_array_foreach(disks, i, disk) {
    if (!ferry_json_bool(disk, "create", FALSE))
      continue;
    if (to->disk_full)
      return ferry_hyper_error(error, ERROR_NO_SPACE, "No space left on device");
    g_hash_table_add(to->volumes, g_strdup(ferry_json_str(disk, "path")));
  }
  return TRUE;
}

gboolean ferry_world_job_disks_remove(FerryHostJob *base, const char *uri, const json_t *disks,
                                      GError **error) {
  FerryWorldHost *to = disks_host(world_job(base), uri, error);
  size_t i;
  json_t *disk;
  if (!to)
    return FALSE;
  json_array_foreach((json_t *)disks, i, disk) {
    if (ferry_json_bool(disk, "create", FALSE))
      g_hash_table_remove(to->volumes, ferry_json_str(disk, "path"));
  }
  return TRUE;
}

/* ---- questions ---- */

gboolean ferry_world_job_stats(FerryHostJob *base, FerryJobStats *out, GError **error) {
  FerryWorldJob *job = world_job(base);
  ferry_job_stats_clear(out);
  if (!job_call(job, error))
    return FALSE;
  const FerryWorldCopy *idle = job_copy(job);
  if (idle && !idle->stuck && !hyper_job_outgoing(idle))
    return TRUE; /* no job */
  FerryWorldCopy *copy = job_monitor(job, error);
  const FerryWorldMove *move = hyper_job_outgoing(copy);
  if (!copy || !move)
    return copy != NULL;
  const FerrySimMigration *d = &move->data;
  out->active = out->migration_out = TRUE;
  g_strlcpy(out->operation, "migration-out", sizeof out->operation);
  out->elapsed_ms = move->began_us ? (ferry_fiber_now() - move->began_us) / 1000 : 0;
  if (!move->began_us)
    return TRUE;
  out->memory_total = out->data_total = (gint64)move->vm->guest.memory;
  out->memory_processed = out->data_processed = (gint64)ferry_sim_migration_sent(d);
  out->memory_remaining = out->data_remaining = (gint64)ferry_sim_migration_remaining(d);
  out->memory_bps = d->now > 0 ? (gint64)(d->sent / d->now) : 0;
  out->dirty_pages_per_s = (gint64)(d->dirty_rate / 4096);
  out->page_size = 4096;
  out->iteration = d->iteration;
  out->expected_downtime_ms = (gint64)ferry_sim_migration_expected_ms(d);
  return TRUE;
}

gboolean ferry_world_job_state(FerryHostJob *base, FerryDomainState *out, GError **error) {
  FerryWorldJob *job = world_job(base);
  ferry_copy_state(NULL, out);
  if (!job_call(job, error))
    return FALSE;
  ferry_copy_state(job_copy(job), out);
  return TRUE;
}

gboolean ferry_world_job_dirty_rate(FerryHostJob *base, int seconds, gint64 *bytes_per_s,
                                    GError **error) {
  FerryWorldCopy *copy = job_monitor(world_job(base), error);
  if (!copy)
    return FALSE;
  *bytes_per_s = (gint64)copy->vm->guest.write_rate;
  ferry_fiber_sleep(seconds * G_USEC_PER_SEC);
  return TRUE;
}

gboolean ferry_world_job_resident(FerryHostJob *base, gint64 *bytes, GError **error) {
  FerryWorldCopy *copy = job_monitor(world_job(base), error);
  if (copy)
    *bytes = (gint64)copy->vm->guest.memory;
  return copy != NULL;
}

/* ---- calls ---- */

gboolean ferry_world_job_set_max_downtime(FerryHostJob *base, gint64 ms, GError **error) {
  FerryWorldJob *job = world_job(base);
  FerryWorldCopy *copy = job_monitor(job, error);
  if (!copy)
    return FALSE;
  job->limit_ms = ms;
  FerryWorldMove *move = hyper_job_outgoing(copy);
  if (move)
    ferry_sim_migration_set_limit(&move->data, (double)ms);
  return TRUE;
}

gboolean ferry_world_job_set_max_speed(FerryHostJob *base, gint64 bytes_per_s, GError **error) {
  FerryWorldCopy *copy = job_monitor(world_job(base), error);
  FerryWorldMove *move = hyper_job_outgoing(copy);
  if (move)
    ferry_sim_migration_set_cap(&move->data, (double)bytes_per_s);
  return copy != NULL;
}

gboolean ferry_world_job_start_postcopy(FerryHostJob *base, GError **error) {
  FerryWorldCopy *copy = job_monitor(world_job(base), error);
  FerryWorldMove *move = hyper_job_outgoing(copy);
  if (copy && (!move || move->stage != FERRY_MOVE_ACTIVE || !move->began_us))
    return ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE, "no job is active");
  if (move)
    ferry_sim_migration_start_postcopy(&move->data);
  return copy != NULL;
}

gboolean ferry_world_job_abort(FerryHostJob *base, GError **error) {
  FerryWorldCopy *copy = job_monitor(world_job(base), error);
  FerryWorldMove *move = hyper_job_outgoing(copy);
  if (copy && !move)
    return ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE, "no job is active");
  if (move && move->post_copy)
    return ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE,
                             "cannot abort migration in post-copy mode");
  if (move && move->stage < FERRY_MOVE_SENT) {
    move->aborted = TRUE;
    ferry_fiber_wake(move->hyper, TRUE);
  }
  return copy != NULL;
}

gboolean ferry_world_job_suspend(FerryHostJob *base, GError **error) {
  FerryWorldCopy *copy = job_monitor(world_job(base), error);
  if (!copy)
    return FALSE;
  if (!copy->runs)
    return ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE, "domain is not running");
  copy->runs = FALSE;
  ferry_copy_set(copy, FERRY_VM_PAUSED, "user");
  ferry_hyper_tell_state(copy->host, copy->vm->uuid, FERRY_HOST_PAUSE_NONE);
  return TRUE;
}

gboolean ferry_world_job_resume(FerryHostJob *base, GError **error) {
  FerryWorldJob *job = world_job(base);
  FerryWorldCopy *copy = job_monitor(job, error);
  if (!copy)
    return FALSE;
  if (copy->move && copy->move->stage != FERRY_MOVE_OVER) {
    ferry_fiber_sleep(LOCK_TIMEOUT_US);
    return ferry_hyper_error(error, ERROR_BUSY, "cannot acquire state change lock");
  }
  if (g_str_equal(copy->reason, FERRY_VM_REASON_POST_COPY_FAILED))
    return ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE, "it cannot be resumed");
  if (copy->runs)
    return TRUE;
  copy->runs = TRUE;
  ferry_copy_set(copy, FERRY_VM_RUNNING, "unpaused");
  ferry_hyper_tell_state(copy->host, copy->vm->uuid, FERRY_HOST_PAUSE_ENDED);
  return TRUE;
}

gboolean ferry_world_job_destroy(FerryHostJob *base, gboolean undefine, GError **error) {
  FerryWorldCopy *copy = job_monitor(world_job(base), error);
  if (!copy)
    return FALSE;
  copy->move = NULL;
  ferry_copy_stop(copy, "destroyed", undefine);
  return TRUE;
}

gboolean ferry_world_job_autostart(FerryHostJob *base, gboolean *on, GError **error) {
  FerryWorldJob *job = world_job(base);
  if (!job_call(job, error))
    return FALSE;
  const FerryWorldCopy *copy = job_copy(job);
  *on = copy && copy->autostart;
  return copy != NULL;
}

gboolean ferry_world_job_set_autostart(FerryHostJob *base, gboolean on, GError **error) {
  FerryWorldJob *job = world_job(base);
  if (!job_call(job, error))
    return FALSE;
  FerryWorldCopy *copy = job_copy(job);
  if (!copy)
    return ferry_hyper_error(error, FERRY_HOST_ERROR_NO_DOMAIN, "no domain with UUID %s",
                             job->uuid);
  copy->autostart = on;
  return TRUE;
}

/* ---- what the kernel knows ---- */

GArray *ferry_world_job_connections(FerryHostJob *base, GError **error) {
  const FerryWorldJob *job = world_job(base);
  GArray *list = g_array_new(FALSE, FALSE, sizeof(FerryHostConnection));
  const FerryWorldCopy *copy = job_copy(job);
  const FerryWorldMove *move = hyper_job_outgoing(copy);
  if (!move || job->port->process->dead || move->stage >= FERRY_MOVE_SENT ||
      move->stage < FERRY_MOVE_ACTIVE)
    return list;
  gboolean silent = !ferry_hyper_carries(move->from, move->to);
  FerryHostConnection c = {.id = 1,
                           .port = 49152,
                           .connecting = move->connecting,
                           .pending = silent && !move->connecting ? 65536 : 0,
                           .since_ack_ms =
                               silent ? (ferry_fiber_now() - move->heard_us) / 1000 : 0};
  g_array_append_val(list, c);
  return list;
}

gboolean ferry_world_job_disconnect(FerryHostJob *base, guint64 id, GError **error) {
  const FerryWorldJob *job = world_job(base);
  FerryWorldMove *move = hyper_job_outgoing(job_copy(job));
  if (move && move->stage < FERRY_MOVE_SENT && !job->port->process->dead) {
    move->disconnected = TRUE;
    ferry_fiber_wake(move->hyper, TRUE);
  }
  return TRUE;
}
