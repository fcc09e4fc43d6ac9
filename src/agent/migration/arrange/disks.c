// SPDX-License-Identifier: Apache-2.0
// What is to be made stands in status.migrationState.targetDisks before it is made, so the
// agent that comes after a crash knows what to remove.
#include "agent/migration/arrange/disks.h"
#include "base/error.h"
#include "base/log.h"
#include "model/domain/copied_disks.h"
#include "model/flags/migration_flags.h"
#include "model/migration/phase.h"

#define PEER_WAIT_MS 10000
#define PEER_PAUSE_MS 100

void ferry_disks_init(FerryDisks *d, const FerryMigrationPorts *ports, FerryAsked *asked,
                      FerryShown *shown) {
  const json_t *before = ferry_json_get(asked->object, "status.migrationState.targetDisks");
  *d = (FerryDisks){ports, asked, shown, json_is_array(before) ? json_deep_copy(before) : NULL};
  if (json_array_size(d->made) > 0) /* an agent before chose them */
    ferry_asked_set_copies(asked);
}

void ferry_disks_clear(FerryDisks *d) {
  json_decref(d->made);
}

static gboolean must_make(const json_t *disks) {
  gsize i;
  json_t *disk;
  json_array_foreach((json_t *)disks, i, disk) {
    if (ferry_json_bool(disk, "create", FALSE))
      return TRUE;
  }
  return FALSE;
}

/* An earlier agent may have made some before it ended: these are Ferry's, though they exist. */
static void keep_ours(json_t *plan, const json_t *before) {
  gsize i;
  json_t *disk;
  json_array_foreach(plan, i, disk) {
    const json_t *old = ferry_json_find(before, "name", ferry_json_str(disk, "name"));
    if (ferry_json_bool(old, "create", FALSE) &&
        g_strcmp0(ferry_json_str(old, "path"), ferry_json_str(disk, "path")) == 0) {
      json_object_set_new(disk, "create", json_true());
      if (ferry_json_str(old, "directory"))
        ferry_json_set_str(disk, "directory", ferry_json_str(old, "directory"));
    }
  }
}

/* What making did not make is not ours: neither is it an earlier agent's, for it was not there when
 * the plan was made. */
static void leave_others(json_t *ours, const json_t *plan, const json_t *made) {
  for (gsize i = 0; i < json_array_size(ours); i++)
    if (ferry_json_bool(json_array_get(plan, i), "create", FALSE) &&
        !ferry_json_bool(json_array_get(made, i), "create", FALSE))
      json_object_set_new(json_array_get(ours, i), "create", json_false());
}

/* The configuration as it was asked for; NULL: no disks, or those that somebody named. */
static json_t *as_asked(const json_t *config, const json_t *origins) {
  static const char *const flags[] = {"copyStorageAll", "copyStorageIncremental"};
#define AUTOMATIC(name) (g_strcmp0(ferry_json_str(origins, name), "automatic") == 0)
  gboolean copied = FALSE, named = json_array_size(json_object_get(config, "migrateDisks")) > 0;
  for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
    copied |= ferry_migration_flag_on(config, flags[i]) || AUTOMATIC(flags[i]);
  if (!copied || (named && !AUTOMATIC("migrateDisks")))
    return NULL;
  json_t *fresh = json_deep_copy(config);
  json_object_del(fresh, "migrateDisks");
  for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
    if (AUTOMATIC(flags[i])) /* there was nothing for it to copy */
      ferry_json_set_bool(fresh, flags[i], TRUE);
  return fresh;
}

json_t *ferry_disks_choose(const json_t *config, const json_t *origins, const json_t *disks) {
  g_autoptr(json_t) fresh = as_asked(config, origins);
  if (!fresh || !disks)
    return g_steal_pointer(&fresh);
  ferry_copied_disks_complete(fresh, NULL, disks);
  ferry_json_set_int(fresh, "copiedDiskBytes", ferry_copied_disks_bytes(fresh, disks));
  return g_steal_pointer(&fresh);
}

/* What the control plane knows of disks may be half a minute old, and a snapshot puts a disk
 * elsewhere within a moment: what is shared, and so not copied, is looked at again. */
static void choose_anew(const FerryMigrationPorts *ports, FerryAsked *asked) {
  const json_t *config = asked->settings.request.config;
  const json_t *origins = ferry_json_get(asked->object, "status.configurationOrigins");
  g_autoptr(json_t) wanted = ferry_disks_choose(config, origins, NULL);
  g_autoptr(json_t) record = wanted ? ferry_host_record(ports->host, asked->uuid, NULL) : NULL;
  const json_t *disks = json_object_get(record, "disks");
  if (!json_is_array(disks))
    return;
  ferry_asked_set_disks(asked, ferry_disks_choose(config, origins, disks));
}

static void note_made(const FerryDisks *d) {
  FerryLeftoverNote note = {
      .uuid = d->asked->uuid, .uri = d->asked->settings.request.dest_uri, .disks = d->made};
  ferry_leftovers_begin(d->ports->leftovers, d->asked->object, &note);
}

gboolean ferry_disks_prepare(FerryDisks *d, FerryHostJob *job, GError **error) {
  const FerryMigrateRequest *request = &d->asked->settings.request;
  ferry_leftovers_clear(d->ports->leftovers, d->asked->object, d->asked->uuid);
  choose_anew(d->ports, d->asked);
  json_t *phase = ferry_shown_phase(d->shown, FERRY_PHASE_PREPARING_TARGET);
  json_t *plan = request->copy_disks ? ferry_host_job_disks_plan(job, request, error) : NULL;
  if (!plan || json_array_size(plan) == 0) {
    json_decref(phase); /* TargetReady brings both timestamps */
    json_decref(plan);
    return !request->copy_disks || plan != NULL;
  }
  g_autoptr(json_t) looked_up = plan;
  g_autoptr(json_t) todo = json_deep_copy(plan);
  json_t *ours = json_deep_copy(plan);
  keep_ours(ours, d->made);
  json_decref(d->made);
  d->made = ours;
  ferry_json_set(phase, "migrationState.targetDisks", json_deep_copy(ours));
  ferry_shown_send(d->shown, phase);
  if (!must_make(ours))
    return TRUE;
  if (ferry_shown_await(d->shown, d->ports->context) != FERRY_DELIVERED) {
    json_decref(d->made); /* nothing was made */
    d->made = NULL;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "the server did not take the list of disks to make");
    return FALSE;
  }
  ferry_shown_accept(d->shown); /* PreparingTarget is written */
  note_made(d);
  gboolean ok = ferry_host_job_disks_make(job, request->dest_uri, todo, error);
  leave_others(ours, looked_up, todo);
  if (ok)
    return TRUE;
  g_prefix_error(error, "the disks cannot be prepared on the target: ");
  return FALSE;
}

/* Whether nobody uses the images: the target's QEMU is gone. */
static gboolean target_is_quiet(const FerryDisks *d, GError **error) {
  gint64 until = g_get_monotonic_time() + PEER_WAIT_MS * 1000;
  for (;;) {
    FerryDomainState peer;
    g_clear_error(error);
    if (ferry_host_peer_state(d->ports->host, d->asked->settings.request.dest_uri, d->asked->uuid,
                              &peer, error)) {
      if (!peer.active)
        return TRUE;
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT, "the domain is active there (%s)",
                  ferry_vm_state_name(peer.state));
    }
    if (g_get_monotonic_time() > until || !ferry_context_sleep(d->ports->context, PEER_PAUSE_MS))
      return FALSE;
  }
}

gboolean ferry_disks_are_left(const FerryDisks *d) {
  return must_make(d->made);
}

void ferry_disks_undo(FerryDisks *d, FerryHostJob *job, char **message) {
  if (!must_make(d->made) || !job)
    return;
  g_autoptr(GError) error = NULL;
  if (target_is_quiet(d, &error) &&
      ferry_host_job_disks_remove(job, d->asked->settings.request.dest_uri, d->made, &error)) {
    ferry_info("what was made on the target for the disks is removed", "FERRY_MIGRATION",
               d->asked->name);
    json_decref(d->made);
    d->made = NULL;
    return;
  }
  note_made(d);
  g_autoptr(GString) left = g_string_new(NULL);
  gsize i;
  json_t *disk;
  json_array_foreach(d->made, i, disk) {
    if (ferry_json_bool(disk, "create", FALSE))
      g_string_append_printf(left, "%s%s", left->len ? ", " : "", ferry_json_str(disk, "path"));
  }
  ferry_warning("images are left behind on the target", "FERRY_MIGRATION", d->asked->name,
                "FERRY_PATHS", left->str);
  if (message && *message) {
    char *text = g_strdup_printf(
        "%s; left behind on the target, to be removed once it can be asked: %s (%s)", *message,
        left->str, error ? error->message : "no reason given");
    g_free(*message);
    *message = text;
  }
}
