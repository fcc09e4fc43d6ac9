// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a note is written before anything is made on the target (records.h) and goes
// when the migration has ended well. A note that stays is one of a migration that failed after
// libvirt's call, or whose agent died in between. A thread looks at all of them now and then, and
// each migration at those of its VM before it begins: what ferryd says of the migration, what the
// target has of the VM, and whether the VM is seen to have stayed here decide
// (ferry_leftover_judge) whether the target is swept, what libvirt left here is forgotten, or it is
// looked at again later.
//
// Whose a definition at the target is, it doesn't say. It is this migration's where the target knew
// nothing of the VM before, as the note says, it is the VM's own, part by part, and the note is
// fresh: who finds the target again only much later can't know who has defined it there since.
// Images that were made on the target are never removed once the guest may have run there.
#include "agent/twin/leftovers.h"
#include "agent/core/records.h"
#include "agent/link/delivery_server.h"
#include "base/error.h"
#include "base/log.h"
#include "model/domain/domain_parts.h"
#include "model/domain/domain_states.h"
#include "model/migration/phase.h"
#include "model/migration/reasons.h"

#define LOOK_US (15 * G_USEC_PER_SEC)
#define LATE_S 60
#define FRESH_S 3600

static const FerryRecords leftover_records = {
    "leftovers", "a note of what a migration may have left", 1024 * 1024, 1000};

struct _FerryLeftovers {
  FerryLeftoverPorts ports;
  GThread *thread;
  GMutex work; /* held while something is taken away */
  GMutex lock; /* guards all below */
  GCond cond;
  gboolean due;
};

static void wake_leftovers(gpointer data) {
  FerryLeftovers *l = data;
  g_mutex_lock(&l->lock);
  l->due = TRUE;
  g_cond_broadcast(&l->cond);
  g_mutex_unlock(&l->lock);
}

FerryLeftovers *ferry_leftovers_new(const FerryLeftoverPorts *ports) {
  FerryLeftovers *l = g_new0(FerryLeftovers, 1);
  l->ports = *ports;
  g_mutex_init(&l->work);
  g_mutex_init(&l->lock);
  g_cond_init(&l->cond);
  ferry_context_add_waker(ports->context, wake_leftovers, l);
  return l;
}

void ferry_leftovers_free(FerryLeftovers *l) {
  if (!l)
    return;
  if (l->thread)
    g_thread_join(l->thread);
  g_mutex_clear(&l->work);
  g_mutex_clear(&l->lock);
  g_cond_clear(&l->cond);
  g_free(l);
}

static const char *state_dir(const FerryLeftovers *l) {
  return ferry_context_state_dir(l->ports.context);
}

static gint64 leftovers_now_s(void) {
  return g_get_real_time() / G_USEC_PER_SEC;
}

/* The name of the file that a note is in. */
static const char *note_of(const json_t *record) {
  const char *own = ferry_json_str(record, "note");
  return own ? own : ferry_json_str(record, "uid");
}

/* A migration that is tried on another host keeps the note of the first one, under a name of its
 * own. */
static void set_aside(const FerryLeftovers *l, const char *uid, const char *uri) {
  g_autoptr(json_t) old = ferry_record_read(state_dir(l), &leftover_records, uid);
  if (!old || g_strcmp0(ferry_json_str(old, "uri"), uri) == 0)
    return;
  g_autofree char *name = g_uuid_string_random();
  ferry_json_set_str(old, "note", name);
  ferry_record_write(state_dir(l), &leftover_records, name, old);
}

/* What an earlier note of the migration says of the same target and this one doesn't know. */
static void keep_known(const FerryLeftovers *l, const char *uid, const FerryLeftoverNote *note,
                       json_t *record) {
  static const char *const all[] = {"there", "undefine", "offline", NULL};
  g_autoptr(json_t) old = ferry_record_read(state_dir(l), &leftover_records, uid);
  if (!old || g_strcmp0(ferry_json_str(old, "uri"), note->uri) != 0)
    return;
  for (gsize i = 0; !note->before && all[i]; i++)
    if (json_object_get(old, all[i]))
      json_object_set(record, all[i], json_object_get(old, all[i]));
  if (json_is_false(json_object_get(old, "there"))) /* what is there now, an earlier try left */
    json_object_set_new(record, "there", json_false());
}

void ferry_leftovers_begin(FerryLeftovers *l, const json_t *object, const FerryLeftoverNote *note) {
  const char *uid = ferry_json_str(object, "metadata.uid");
  if (!l || !uid || !g_uuid_string_is_valid(uid) || !note->uri)
    return;
  set_aside(l, uid, note->uri);
  g_autoptr(json_t) record = json_pack(
      "{s:s, s:s*, s:s*, s:s, s:s, s:I}", "uid", uid, "namespace",
      ferry_json_str(object, "metadata.namespace"), "name", ferry_json_str(object, "metadata.name"),
      "domain", note->uuid, "uri", note->uri, "at", (json_int_t)leftovers_now_s());
  if (note->disks)
    json_object_set_new(record, "disks", json_deep_copy(note->disks));
  if (note->before) {
    ferry_json_set_bool(record, "there", note->before->exists);
    ferry_json_set_bool(record, "undefine", note->undefine);
    ferry_json_set_bool(record, "offline", note->offline);
  }
  keep_known(l, uid, note, record);
  ferry_record_write(state_dir(l), &leftover_records, uid, record);
}

void ferry_leftovers_end(FerryLeftovers *l, const json_t *object, FerryLeftoversLeft left) {
  const char *uid = ferry_json_str(object, "metadata.uid");
  if (!l || !uid || !g_uuid_string_is_valid(uid))
    return;
  g_autoptr(json_t) record =
      left == FERRY_LEFTOVERS_NONE ? NULL : ferry_record_read(state_dir(l), &leftover_records, uid);
  if (record) {
    ferry_json_set_int(record, "at", leftovers_now_s());
    if (left == FERRY_LEFTOVERS_LATE)
      ferry_json_set_bool(record, "late", TRUE);
    ferry_record_write(state_dir(l), &leftover_records, uid, record);
  }
  if (left == FERRY_LEFTOVERS_NONE)
    ferry_record_remove(state_dir(l), &leftover_records, uid);
  else
    wake_leftovers(l);
}

/* ---- what becomes of one ---- */

FerryLeftoverVerdict ferry_leftover_judge(const json_t *object, const FerryDomainState *peer) {
  FerryPhase phase = object ? ferry_phase_of(object) : FERRY_PHASE_FAILED;
  if (!ferry_phase_is_final(phase) || !peer)
    return FERRY_LEFTOVER_WAIT;
  if (phase == FERRY_PHASE_SUCCEEDED)
    return peer->active ? FERRY_LEFTOVER_FORGET : FERRY_LEFTOVER_DROP;
  return peer->active && !ferry_domain_state_waits(peer) ? FERRY_LEFTOVER_WAIT
                                                         : FERRY_LEFTOVER_SWEEP;
}

/* FALSE: ferryd cannot be asked. `*object` NULL: it knows of none, or there is no ferryd. */
static gboolean fetch_migration(const FerryLeftovers *l, const json_t *record, json_t **object) {
  const char *ns = ferry_json_str(record, "namespace"), *name = ferry_json_str(record, "name");
  *object = NULL;
  if (!ferry_session_config(l->ports.session) || !ns || !name)
    return TRUE;
  g_autoptr(GError) error = NULL;
  g_autofree char *path =
      ferry_client_path("kubevirt.io", "v1", ns, "virtualmachineinstancemigrations", name, NULL);
  FerryClient *client = ferry_session_take_client(l->ports.session);
  *object = ferry_client_request(client, "GET", path, NULL, NULL, NULL, NULL, &error);
  ferry_session_give_client(l->ports.session, client);
  /* another one of that name is not it */
  if (*object &&
      g_strcmp0(ferry_json_str(*object, "metadata.uid"), ferry_json_str(record, "uid")) != 0)
    g_clear_pointer(object, json_decref);
  return *object || !error || g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
}

static void leftovers_tell(const FerryLeftovers *l, const json_t *object, gboolean warning,
                           FerryReason reason, const char *text) {
  ferry_log(warning ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_INFO, text, "FERRY_MIGRATION",
            object ? ferry_json_str(object, "metadata.name") : NULL, NULL);
  if (!object || !ferry_session_config(l->ports.session))
    return;
  FerryDelivery *d = ferry_delivery_server_new(l->ports.context, l->ports.session,
                                               ferry_json_str(object, "metadata.namespace"),
                                               ferry_json_str(object, "metadata.name"), NULL);
  ferry_delivery_tell(d, object, warning ? "Warning" : "Normal", ferry_reason_name(reason), text);
  ferry_delivery_free(d);
}

/* One of them, as it is looked at. */
typedef struct {
  const FerryLeftovers *leftovers;
  const json_t *object, *record;
  const char *uuid, *uri;
  FerryHostJob *job; /* of the VM here; NULL: it is not, or cannot be asked about */
  FerryDomainState here, peer;
} Leftover;

static void tell_of(const Leftover *o, gboolean warning, FerryReason reason, const char *text) {
  leftovers_tell(o->leftovers, o->object, warning, reason, text);
}

static const char *target_of(const Leftover *o) {
  const char *name =
      o->object ? ferry_json_str(o->object, "status.migrationState.targetNode") : NULL;
  return name ? name : "the target";
}

/* What was removed, and what was not, of `disks` after a sweep. */
static void tell_swept(const Leftover *o, const json_t *disks) {
  g_autoptr(GString) gone = g_string_new(NULL);
  g_autoptr(GString) kept = g_string_new(NULL);
  gsize i;
  json_t *before;
  json_array_foreach(json_object_get(o->record, "disks"), i, before) {
    const json_t *now = json_array_get(disks, i);
    const char *why = ferry_json_str(now, "kept"), *path = ferry_json_str(now, "path");
    if (!ferry_json_bool(before, "create", FALSE))
      continue;
    if (why)
      g_string_append_printf(kept, "%s%s (%s)", kept->len ? ", " : "", path, why);
    else
      g_string_append_printf(gone, "%s%s", gone->len ? ", " : "", path);
  }
  if (gone->len) {
    g_string_prepend(gone, "removed on the target, or not there any more: ");
    tell_of(o, FALSE, FERRY_REASON_LEFTOVERS_REMOVED, gone->str);
  }
  if (kept->len) {
    g_string_prepend(kept, "made on the target for this migration and left alone there: ");
    tell_of(o, TRUE, FERRY_REASON_LEFT_BEHIND, kept->str);
  }
}

/* The guest may have run on the target: what it wrote there is nowhere else. */
static void leave_images(const Leftover *o, const json_t *disks) {
  g_autoptr(GString) text = g_string_new(NULL);
  gsize i;
  json_t *disk;
  json_array_foreach((json_t *)disks, i, disk) if (ferry_json_bool(disk, "create", FALSE))
      g_string_append_printf(text, "%s%s", text->len ? ", " : "", ferry_json_text_at(disk, "path"));
  if (!text->len)
    return;
  g_autofree char *what = g_strdup_printf(
      "made on %s for this migration and left alone there, as the VM may have run on it: %s",
      target_of(o), text->str);
  tell_of(o, TRUE, FERRY_REASON_LEFT_BEHIND, what);
}

static gboolean sweep_images(const Leftover *o, GError **error) {
  const json_t *all = json_object_get(o->record, "disks");
  if (o->object && ferry_mode_of(o->object) == FERRY_MODE_POST_COPY) {
    leave_images(o, all);
    return TRUE;
  }
  g_autoptr(json_t) disks = all ? json_deep_copy(all) : json_array();
  if (json_array_size(disks) == 0)
    return TRUE;
  if (!ferry_host_peer_sweep(o->leftovers->ports.host, o->uri, disks, error))
    return FALSE;
  tell_swept(o, disks);
  return TRUE;
}

static void look_here(Leftover *o) {
  o->here = (FerryDomainState){.state = FERRY_VM_GONE};
  o->job = ferry_host_job_open(o->leftovers->ports.host, o->uuid, NULL);
  if (o->job && !ferry_host_job_state(o->job, &o->here, NULL))
    o->here = (FerryDomainState){.state = FERRY_VM_GONE};
}

/* Whether the VM is seen to be here as it was: only then nobody has needed what the target got. */
static gboolean stayed_here(const Leftover *o) {
  static const char *const unclear[] = {FERRY_VM_REASON_MIGRATED, FERRY_VM_REASON_UNKNOWN,
                                        FERRY_VM_REASON_DAEMON, NULL};
  const FerryDomainState *here = &o->here;
  if (ferry_vm_reason_is_post_copy(here->reason))
    return FALSE; /* it may have run there last */
  if (!here->exists || here->active)
    return here->exists;
  if (ferry_json_bool(o->record, "offline", FALSE))
    return here->persistent;
  return here->persistent && here->reason && !g_strv_contains(unclear, here->reason);
}

/* A copy that waits there: while the VM runs here, and nothing sends, nobody needs it. FALSE
 * without an error: that is not so. */
static gboolean end_copy(Leftover *o, GError **error) {
  FerryJobStats stats;
  if (!o->peer.active)
    return TRUE;
  if (o->here.state != FERRY_VM_RUNNING || !ferry_host_job_stats(o->job, &stats, NULL) ||
      (stats.active && stats.migration_out))
    return FALSE;
  FerryHost *host = o->leftovers->ports.host;
  if (!ferry_host_peer_forget(host, o->uri, o->uuid, FALSE, error))
    return FALSE;
  g_autofree char *text = g_strdup_printf(
      "removed on %s: a copy that waited there for the rest of the VM, with the ports that it held",
      target_of(o));
  tell_of(o, FALSE, FERRY_REASON_LEFTOVERS_REMOVED, text);
  return ferry_host_peer_state(host, o->uri, o->uuid, &o->peer, error) && !o->peer.active;
}

/* In what the definition at the target differs from the one here; NULL: it can't be told. New
 * reference. */
static json_t *compare_definitions(const Leftover *o, GError **error) {
  g_autoptr(json_t) nothing = json_object();
  g_autoptr(json_t) there =
      ferry_host_peer_give(o->leftovers->ports.host, o->uri, o->uuid, nothing, error);
  g_autoptr(json_t) here = there ? ferry_host_job_definition(o->job, error) : NULL;
  if (!here)
    return NULL;
  const char *stored = ferry_json_str(here, "stored");
  g_autoptr(json_t) ours = ferry_domain_parts(stored ? stored : ferry_json_str(here, "live"));
  g_autoptr(json_t) theirs = ferry_domain_parts(ferry_json_str(there, "stored"));
  if (ours && theirs)
    return ferry_domain_parts_changed(ours, theirs);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "the definition of the VM cannot be read");
  return NULL;
}

/* `names`: in what it differs; an empty list: in nothing, but it may be newer. */
static void tell_foreign(const Leftover *o, const json_t *names) {
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(
      text, "a definition of the VM has been on %s since it was to move there, and is left alone, ",
      target_of(o));
  if (json_array_size(names) == 0)
    g_string_append(text, "as the migration ended long ago and somebody may have put it there");
  else
    g_string_append(text, "as it is not the one here: ");
  for (gsize i = 0; i < json_array_size(names); i++)
    g_string_append_printf(text, "%s%s", i ? ", " : "",
                           json_string_value(json_array_get(names, i)));
  tell_of(o, TRUE, FERRY_REASON_LEFT_BEHIND, text->str);
}

/* A definition there, or what is neither active nor stored. */
static gboolean drop_definition(const Leftover *o, GError **error) {
  if (!o->peer.exists || !json_is_false(json_object_get(o->record, "there")))
    return TRUE;
  gint64 age_s = leftovers_now_s() - ferry_json_int(o->record, "at", 0);
  g_autoptr(json_t) names = !o->peer.persistent ? json_array() : compare_definitions(o, error);
  if (!names)
    return FALSE;
  gboolean old = o->peer.persistent && (age_s < 0 || age_s > FRESH_S);
  if (json_array_size(names) || old) {
    tell_foreign(o, names);
    return TRUE;
  }
  if (!ferry_host_peer_forget(o->leftovers->ports.host, o->uri, o->uuid, TRUE, error))
    return FALSE;
  g_autofree char *text = g_strdup_printf(
      "removed on %s: a definition of the VM, which never arrived there", target_of(o));
  tell_of(o, FALSE, FERRY_REASON_LEFTOVERS_REMOVED, text);
  return TRUE;
}

/* FALSE without an error: it is not the time for it. */
static gboolean sweep_target(Leftover *o, GError **error) {
  if (!stayed_here(o))
    return FALSE; /* a VM that is nowhere may have run on those images last */
  return end_copy(o, error) && drop_definition(o, error) && sweep_images(o, error);
}

gboolean ferry_leftover_undefines(const json_t *note, const FerryDomainState *peer) {
  return ferry_json_bool(note, "undefine", FALSE) && peer->active && peer->persistent;
}

/* The VM runs on the target. */
static gboolean forget_here(const Leftover *o, GError **error) {
  gboolean definition = ferry_leftover_undefines(o->record, &o->peer);
  gboolean left = o->here.exists && !o->here.active && (!o->here.persistent || definition);
  if (!ferry_host_forget(o->leftovers->ports.host, o->uuid, definition, error))
    return FALSE;
  g_autofree char *text =
      g_strdup_printf("removed on %s: what libvirt had left of the VM, which runs on %s",
                      ferry_context_node(o->leftovers->ports.context), target_of(o));
  if (left)
    tell_of(o, FALSE, FERRY_REASON_LEFTOVERS_REMOVED, text);
  return TRUE;
}

static gboolean clear_up(Leftover *o, FerryLeftoverVerdict verdict, GError **error) {
  switch (verdict) {
  case FERRY_LEFTOVER_WAIT:
    break;
  case FERRY_LEFTOVER_SWEEP:
    return sweep_target(o, error);
  case FERRY_LEFTOVER_FORGET:
    return forget_here(o, error);
  case FERRY_LEFTOVER_DROP:
    return TRUE;
  }
  return FALSE;
}

/* Nothing is left. Of a call that libvirt lost the target may see to the rest when all seems to be
 * over: a libvirtd that hung does what it was asked before, and nobody is there to hear of it. */
static void leftover_is_done(const FerryLeftovers *l, const json_t *record) {
  const char *uid = note_of(record);
  gint64 now_s = leftovers_now_s();
  gint64 since_s = ferry_json_int(record, "quietSince", 0);
  if (!ferry_json_bool(record, "late", FALSE) || (since_s > 0 && ABS(now_s - since_s) >= LATE_S)) {
    ferry_record_remove(state_dir(l), &leftover_records, uid);
    return;
  }
  if (since_s > 0)
    return;
  g_autoptr(json_t) later = json_copy((json_t *)record);
  json_object_del(later, "disks"); /* they are gone, or named */
  ferry_json_set_int(later, "quietSince", now_s);
  ferry_record_write(state_dir(l), &leftover_records, uid, later);
}

/* `work` is held. */
static void settle_leftover(const FerryLeftovers *l, const json_t *record) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object = NULL;
  if (!fetch_migration(l, record, &object) ||
      (object && !ferry_phase_is_final(ferry_phase_of(object))))
    return;
  Leftover o = {.leftovers = l,
                .object = object,
                .record = record,
                .uuid = ferry_json_str(record, "domain"),
                .uri = ferry_json_str(record, "uri")};
  gboolean told = ferry_host_peer_state(l->ports.host, o.uri, o.uuid, &o.peer, NULL);
  FerryLeftoverVerdict verdict = ferry_leftover_judge(object, told ? &o.peer : NULL);
  if (verdict == FERRY_LEFTOVER_WAIT)
    return;
  look_here(&o);
  if (clear_up(&o, verdict, &error))
    leftover_is_done(l, record);
  else if (error)
    ferry_warning(error->message, "FERRY_DOMAIN", o.uuid);
  g_clear_pointer(&o.job, ferry_host_job_close);
}

static gboolean is_leftover(const char *name, const json_t *record) {
  return g_strcmp0(name, note_of(record)) == 0 && ferry_json_str(record, "domain") &&
         ferry_json_str(record, "uri");
}

static gboolean take_leftover(const char *name, json_t *record, gpointer data) {
  FerryLeftovers *l = data;
  if (!is_leftover(name, record))
    return FALSE;
  g_mutex_lock(&l->work);
  if (!ferry_context_has_ended(l->ports.context) &&
      !ferry_workers_has_domain(l->ports.workers, ferry_json_str(record, "domain")))
    settle_leftover(l, record);
  g_mutex_unlock(&l->work);
  return TRUE;
}

typedef struct {
  const FerryLeftovers *leftovers;
  const char *uid, *domain;
} LeftoversOf;

static gboolean take_earlier(const char *name, json_t *record, gpointer data) {
  const LeftoversOf *of = data;
  if (is_leftover(name, record) && g_strcmp0(name, of->uid) != 0 &&
      g_strcmp0(ferry_json_str(record, "domain"), of->domain) == 0)
    settle_leftover(of->leftovers, record);
  return TRUE;
}

void ferry_leftovers_clear(FerryLeftovers *l, const json_t *object, const char *uuid) {
  if (!l)
    return;
  LeftoversOf of = {l, ferry_json_str(object, "metadata.uid"), uuid};
  g_mutex_lock(&l->work);
  ferry_records_each(state_dir(l), &leftover_records, take_earlier, &of);
  g_mutex_unlock(&l->work);
}

static gpointer leftovers_thread(gpointer data) {
  FerryLeftovers *l = data;
  gboolean alone = !ferry_session_config(l->ports.session);
  while (!ferry_context_has_ended(l->ports.context)) {
    if (alone || ferry_session_epoch(l->ports.session) > 0)
      ferry_records_each(state_dir(l), &leftover_records, take_leftover, l);
    gint64 until = g_get_monotonic_time() + LOOK_US;
    g_mutex_lock(&l->lock);
    while (!l->due && g_cond_wait_until(&l->cond, &l->lock, until))
      ;
    l->due = FALSE;
    g_mutex_unlock(&l->lock);
  }
  return NULL;
}

void ferry_leftovers_start(FerryLeftovers *l) {
  l->thread = g_thread_new("leftovers", leftovers_thread, l);
}
