// SPDX-License-Identifier: Apache-2.0
// What people change while a migration runs, and the word that it stalls or that its post-copy
// broke.
//
// Theory of operation: the watch thread puts entries "Requested" of status.changes into a queue and
// wakes the worker, which carries them out between two looks at the job, tells the controller, so
// that it keeps within them, and writes back what became of each. An agent that adopts a migration
// takes what still waits, and tells its controller what had been applied before it.
#include "agent/migration_private.h"
#include "base/rfc3339.h"

#define MIB (1024 * 1024)
#define BROKEN_US (10 * 1000 * 1000) /* post-copy in which nothing moves for so long is told of */
#define BROKEN_ASK_US (1000 * 1000)

static gint64 number_of(const json_t *change) {
  const char *id = ferry_json_str(change, "id");
  return id ? g_ascii_strtoll(id, NULL, 10) : 0;
}

gboolean ferry_migration_see_changes(FerryMigration *m, const json_t *object) {
  gboolean any = FALSE;
  gsize i;
  json_t *change;
  gint64 seen = m->changes_seen;
  json_array_foreach(ferry_json_get(object, "status.changes"), i, change) {
    gint64 number = number_of(change);
    if (number <= m->changes_seen)
      continue;
    seen = MAX(seen, number);
    if (g_strcmp0(ferry_json_str(change, "state"), "Requested") != 0)
      continue;
    g_queue_push_tail(&m->changes, json_deep_copy(change));
    any = TRUE;
  }
  m->changes_seen = seen;
  return any;
}

static void tell_controller(FerryMigration *m, const json_t *fields) {
  const char *technique = ferry_json_str(fields, "technique");
  gint64 downtime = ferry_json_int(fields, "downtimeMs", 0);
  gint64 bandwidth = ferry_json_int(fields, "bandwidthMiBps", 0) * MIB;
  if (downtime > 0 || bandwidth > 0)
    ferry_convergence_override(m->convergence, downtime, bandwidth, g_get_monotonic_time());
  if (technique)
    ferry_convergence_keep_precopy(m->convergence, g_str_equal(technique, "pre-copy"));
  m->stalling_limit_s = ferry_json_int(fields, "stallingLimitSeconds", m->stalling_limit_s);
}

void ferry_migration_recall_changes(FerryMigration *m) {
  gsize i;
  json_t *change;
  json_array_foreach(ferry_json_get(m->object, "status.changes"), i, change) {
    const char *state = ferry_json_str(change, "state");
    const json_t *fields = json_object_get(
        change, g_strcmp0(state, "Applied") == 0 ? "fields" : "inForce"); /* all, or a part */
    if (!fields)
      continue;
    tell_controller(m, fields);
    m->path_changed |= json_object_get(fields, "bandwidthMiBps") != NULL;
    if (!m->adopted) /* a new attempt begins with the policy's bandwidth */
      m->again_bandwidth = ferry_json_int(fields, "bandwidthMiBps", m->again_bandwidth);
  }
}

/* One by one in the hypervisor; TRUE: all of it is in force. `done` gets what is. */
static gboolean carry_out(FerryMigration *m, const json_t *fields, json_t *done, GString *message) {
  g_autoptr(GError) error = NULL;
  const char *technique = ferry_json_str(fields, "technique");
  gint64 downtime = ferry_json_int(fields, "downtimeMs", 0);
  gint64 bandwidth = ferry_json_int(fields, "bandwidthMiBps", 0);
  gboolean post_copy = g_strcmp0(technique, "post-copy") == 0;
  if (json_object_get(fields, "stallingLimitSeconds")) {
    json_object_set(done, "stallingLimitSeconds", json_object_get(fields, "stallingLimitSeconds"));
    g_string_append_printf(message, "stalling limit %" G_GINT64_FORMAT " s",
                           ferry_json_int(fields, "stallingLimitSeconds", 0));
  }
  if ((downtime > 0 || bandwidth > 0 || technique) && m->progress.post_copy) {
    g_string_append_printf(message,
                           "%sit is already in post-copy: the VM runs on the target, and there is "
                           "no switch-over left to tune and no way back",
                           message->len ? "; " : "");
    return FALSE;
  }
  if (post_copy && !m->settings.request.post_copy) {
    g_string_append_printf(message, "%spost-copy was not enabled when it began (allowPostCopy)",
                           message->len ? "; " : "");
    return FALSE;
  }
  if (downtime > 0) {
    if (!ferry_host_job_set_max_downtime(m->job, downtime, &error))
      goto failed;
    m->limit_set = TRUE;
    json_object_set(done, "downtimeMs", json_object_get(fields, "downtimeMs"));
    g_string_append_printf(message, "%sdowntime limit %" G_GINT64_FORMAT " ms",
                           message->len ? ", " : "", downtime);
  }
  if (bandwidth > 0) {
    gint64 first =
        ferry_convergence_before_bandwidth(m->convergence, bandwidth * MIB, g_get_monotonic_time());
    if (first > 0 && !ferry_host_job_set_max_downtime(m->job, first, &error))
      goto failed;
    m->path_changed = TRUE;
    if (!ferry_host_job_set_max_speed(m->job, bandwidth * MIB, &error))
      goto failed;
    json_object_set(done, "bandwidthMiBps", json_object_get(fields, "bandwidthMiBps"));
    g_string_append_printf(message, "%sbandwidth limit %" G_GINT64_FORMAT " MiB/s",
                           message->len ? ", " : "", bandwidth);
  }
  if (technique) {
    if (post_copy && !ferry_host_job_start_postcopy(m->job, &error))
      goto failed;
    json_object_set(done, "technique", json_object_get(fields, "technique"));
    g_string_append_printf(message, "%s%s", message->len ? ", " : "",
                           post_copy ? "switched to post-copy" : "it stays in pre-copy");
  }
  return TRUE;
failed:
  g_string_append_printf(message, "%s%s", message->len ? " is in force; but " : "", error->message);
  return FALSE;
}

/* Writes what became of a change, as its state and as an Event. */
static void answer(FerryMigration *m, const json_t *change, gboolean applied, json_t *in_force,
                   const char *message) {
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  const char *by = ferry_json_str(change, "by"), *why = ferry_json_str(change, "reason");
  json_t *part = !applied && json_object_size(in_force) ? json_incref(in_force) : NULL;
  ferry_delivery_send(m->delivery, json_pack("{s:[{s:s, s:s, s:s, s:s, s:o*}]}", "changes", "id",
                                             ferry_json_str(change, "id"), "state",
                                             applied ? "Applied" : "Refused", "message", message,
                                             "appliedTime", now, "inForce", part));
  g_autofree char *text =
      g_strdup_printf("%s %s%s%s: %s", applied ? "changed for" : "refused to", by ? by : "?",
                      why ? ", who said: " : "", why ? why : "", message);
  ferry_delivery_tell(m->delivery, m->object, applied ? "Normal" : "Warning",
                      applied ? "MigrationChanged" : "MigrationChangeRefused", text);
  if (m->convergence)
    ferry_migration_record(m, applied ? "Change" : "Refuse", -1,
                           applied ? "Requested" : "RefusedChange", text);
}

static json_t *next_change(FerryMigration *m) {
  g_mutex_lock(&m->lock);
  json_t *change = g_queue_pop_head(&m->changes);
  g_mutex_unlock(&m->lock);
  return change;
}

void ferry_migration_apply_changes(FerryMigration *m) {
  if (m->again_bandwidth > 0 &&
      ferry_host_job_set_max_speed(m->job, m->again_bandwidth * MIB, NULL))
    m->again_bandwidth = 0;
  for (;;) {
    g_autoptr(json_t) change = next_change(m);
    if (!change)
      return;
    g_autoptr(json_t) done = json_object();
    g_autoptr(GString) message = g_string_new(NULL);
    gboolean applied = carry_out(m, json_object_get(change, "fields"), done, message);
    tell_controller(m, done);
    if (g_strcmp0(ferry_json_str(done, "technique"), "post-copy") == 0)
      ferry_migration_enter_post_copy(m);
    answer(m, change, applied, done, message->str);
  }
}

void ferry_migration_drop_changes(FerryMigration *m) {
  for (;;) {
    g_autoptr(json_t) change = next_change(m);
    if (!change)
      return;
    answer(m, change, FALSE, NULL, "nothing is in progress: it ended before this could be done");
  }
}

/* ---- stalling ---- */

static void set_stalling(FerryMigration *m, gboolean stalling, const char *reason,
                         const char *message) {
  g_autofree char *now = ferry_rfc3339_format(g_get_real_time() / 1000);
  m->stalling = stalling;
  ferry_delivery_send(m->delivery,
                      json_pack("{s:[{s:s, s:s, s:s, s:s, s:s}]}", "conditions", "type", "Stalling",
                                "status", stalling ? "True" : "False", "reason", reason, "message",
                                message, "lastTransitionTime", now));
}

/* A connection that broke in post-copy. libvirt's call goes on until both QEMUs have noticed, and
 * one that only waits for memory never does: a person has to close its connection, and is told. */
static void check_connection(FerryMigration *m) {
  gint64 now = g_get_monotonic_time();
  if (m->moved_us == 0 || m->last.memory_processed != m->moved) {
    m->moved = m->last.memory_processed;
    m->moved_us = now;
    m->broken_told = FERRY_BROKEN_UNTOLD;
  }
  if (now - m->moved_us < BROKEN_US || now - m->broken_us < BROKEN_ASK_US ||
      m->broken_told == FERRY_BROKEN_HERE)
    return;
  m->broken_us = now;
  FerryDomainState state;
  gboolean here =
      ferry_host_job_state(m->job, &state, NULL) && g_str_equal(state.reason, "postcopy-failed");
  if (!here && m->broken_told)
    return;
  m->broken_told = here ? FERRY_BROKEN_HERE : FERRY_BROKEN_IDLE;
  const char *target = ferry_json_str(m->object, "status.migrationState.targetNode");
  g_autofree char *message =
      here ? g_strdup_printf("the connection broke in post-copy and %s has not noticed: its QEMU "
                             "waits, and this migration with it. Close the connection there (ss -K "
                             "dst ADDRESS, with the address of %s on the migration's network), "
                             "then resume the migration (--post-copy --postcopy-resume)",
                             target ? target : "the target", m->agent->node)
           : g_strdup_printf("nothing has moved for %d s in post-copy, and the VM waits for its "
                             "memory. If the link does not come back: 'virsh domjobabort %s "
                             "--postcopy' on %s, then resume the migration (--post-copy "
                             "--postcopy-resume). Destroy the VM on neither host",
                             BROKEN_US / 1000000, m->uuid, m->agent->node);
  ferry_warning(message, "FERRY_MIGRATION", m->name);
  ferry_delivery_tell(m->delivery, m->object, "Warning", "PostCopyBroken", message);
}

void ferry_migration_check_stalling(FerryMigration *m) {
  if (m->progress.post_copy)
    check_connection(m);
  FerryConvergenceStall s;
  ferry_convergence_stall(m->convergence, g_get_monotonic_time(), &s);
  gboolean stalling = m->stalling_limit_s > 0 && s.stalled_ms > m->stalling_limit_s * 1000 &&
                      !m->progress.post_copy;
  if (stalling == m->stalling)
    return;
  g_autofree char *message =
      stalling ? g_strdup_printf("no progress for %" G_GINT64_FORMAT
                                 " s: at best %.1f MiB remained; %.1f MiB/s are sent, the guest "
                                 "changes %.1f MiB/s",
                                 s.stalled_ms / 1000, (double)s.best_remaining / MIB,
                                 (double)s.rate / MIB, (double)s.dirty_rate / MIB)
      : m->progress.post_copy
          ? g_strdup("it is in post-copy")
          : g_strdup_printf("it moves again: %.1f MiB remain at best; %.1f MiB/s are sent, the "
                            "guest changes %.1f MiB/s",
                            (double)s.best_remaining / MIB, (double)s.rate / MIB,
                            (double)s.dirty_rate / MIB);
  set_stalling(m, stalling, stalling ? "NoProgress" : "Progressing", message);
  ferry_delivery_tell(m->delivery, m->object, stalling ? "Warning" : "Normal",
                      stalling ? "MigrationStalling" : "MigrationProgressing", message);
}

void ferry_migration_end_stalling(FerryMigration *m) {
  if (m->stalling)
    set_stalling(m, FALSE, "Ended", "the migration has ended");
}
