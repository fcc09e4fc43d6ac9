// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a note is written before anything is made on the target (records.h) and goes
// when the migration has ended well or all was taken back. A note that stays is one whose agent
// died in between. A thread looks at all of them now and then, and each migration at those of its
// VM before it begins: what ferryd says of the migration, what the target has of the VM, and
// whether the VM is seen to have stayed here decide (ferry_leftover_judge) whether images are
// removed there, a domain that libvirt left here is forgotten, or it is looked at again later.
#include "agent/migration/leftovers.h"
#include "agent/core/records.h"
#include "agent/link/delivery_server.h"
#include "base/error.h"
#include "base/log.h"
#include "model/migration/phase.h"
#include "model/migration/reasons.h"

#define LOOK_US (15 * G_USEC_PER_SEC)

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

void ferry_leftovers_begin(FerryLeftovers *l, const json_t *object, const char *uuid,
                           const char *uri, const json_t *disks) {
  const char *uid = ferry_json_str(object, "metadata.uid");
  if (!l || !uid || !g_uuid_string_is_valid(uid) || !uri)
    return;
  g_autoptr(json_t) record =
      json_pack("{s:s, s:s*, s:s*, s:s, s:s}", "uid", uid, "namespace",
                ferry_json_str(object, "metadata.namespace"), "name",
                ferry_json_str(object, "metadata.name"), "domain", uuid, "uri", uri);
  if (disks)
    json_object_set_new(record, "disks", json_deep_copy(disks));
  ferry_record_write(state_dir(l), &leftover_records, uid, record);
}

void ferry_leftovers_end(FerryLeftovers *l, const json_t *object, gboolean clean) {
  const char *uid = ferry_json_str(object, "metadata.uid");
  if (!l || !uid || !g_uuid_string_is_valid(uid))
    return;
  if (clean)
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
  return peer->active ? FERRY_LEFTOVER_WAIT : FERRY_LEFTOVER_SWEEP;
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

/* What was removed, and what was not, of `disks` after a sweep. */
static void tell_swept(const FerryLeftovers *l, const json_t *object, const json_t *record,
                       const json_t *disks) {
  g_autoptr(GString) gone = g_string_new(NULL);
  g_autoptr(GString) kept = g_string_new(NULL);
  gsize i;
  json_t *before;
  json_array_foreach(json_object_get(record, "disks"), i, before) {
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
    leftovers_tell(l, object, FALSE, FERRY_REASON_LEFTOVERS_REMOVED, gone->str);
  }
  if (kept->len) {
    g_string_prepend(kept, "made on the target for this migration and left alone there: ");
    leftovers_tell(l, object, TRUE, FERRY_REASON_LEFT_BEHIND, kept->str);
  }
}

static gboolean sweep_images(const FerryLeftovers *l, const json_t *object, const json_t *record,
                             GError **error) {
  const json_t *all = json_object_get(record, "disks");
  g_autoptr(json_t) disks = all ? json_deep_copy(all) : json_array();
  if (json_array_size(disks) == 0)
    return TRUE;
  if (!ferry_host_peer_sweep(l->ports.host, ferry_json_str(record, "uri"), disks, error))
    return FALSE;
  tell_swept(l, object, record, disks);
  return TRUE;
}

/* Whether the VM is seen to be here as it was: only then nobody has needed what the target got. */
static gboolean stayed_here(const FerryLeftovers *l, const char *uuid) {
  static const char *const unclear[] = {"migrated", "unknown", "daemon", NULL};
  FerryDomainState here = {.state = "gone"};
  FerryHostJob *job = ferry_host_job_open(l->ports.host, uuid, NULL);
  gboolean told = job && ferry_host_job_state(job, &here, NULL);
  g_clear_pointer(&job, ferry_host_job_close);
  return told && here.exists &&
         (here.active ||
          (here.persistent && here.reason && !g_strv_contains(unclear, here.reason)));
}

/* `work` is held. */
static void settle_leftover(const FerryLeftovers *l, const json_t *record) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object = NULL;
  const char *uuid = ferry_json_str(record, "domain"), *uri = ferry_json_str(record, "uri");
  FerryDomainState peer;
  if (!fetch_migration(l, record, &object) ||
      (object && !ferry_phase_is_final(ferry_phase_of(object))))
    return;
  gboolean told = ferry_host_peer_state(l->ports.host, uri, uuid, &peer, NULL);
  gboolean done = FALSE;
  switch (ferry_leftover_judge(object, told ? &peer : NULL)) {
  case FERRY_LEFTOVER_WAIT:
    return;
  case FERRY_LEFTOVER_SWEEP:
    if (!stayed_here(l, uuid))
      return; /* a VM that is nowhere may have run on those images last */
    done = sweep_images(l, object, record, &error);
    break;
  case FERRY_LEFTOVER_FORGET:
    done = ferry_host_forget(l->ports.host, uuid, &error);
    break;
  case FERRY_LEFTOVER_DROP:
    done = TRUE;
    break;
  }
  if (done)
    ferry_record_remove(state_dir(l), &leftover_records, ferry_json_str(record, "uid"));
  else if (error)
    ferry_warning(error->message, "FERRY_DOMAIN", uuid);
}

static gboolean is_leftover(const char *name, const json_t *record) {
  return g_strcmp0(name, ferry_json_str(record, "uid")) == 0 && ferry_json_str(record, "domain") &&
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
