// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a migration whose target is this host gets an entry and a thread once its
// target is ready. The driver's thread judges the moment at which the domain is resumed (arrival.h
// is pure and quick) and wakes the entry's thread, which suspends it where there is an obstacle.
// From then on the copy is in doubt: the thread says so, and asks the source's hypervisor and
// ferryd's record of the migration until one of them tells whose the VM is (ambiguity.h). An entry
// ends when the copy has been let go on, when it is gone, or when the migration has ended without
// one.
//
// Order of locks: the guard's own, then the context's.
#include "agent/twin/twin_guard.h"
#include "agent/twin/ambiguity.h"
#include "agent/twin/arrival.h"
#include "agent/twin/doubt_book.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "model/domain/domain_states.h"
#include "model/migration/phase.h"
#include "model/migration/reasons.h"
#include "model/flags/migration_flags.h"

#define ALONE_S 120
#define LOOK_MS 5000  /* whether a copy that nobody resumed is there still */
#define STILL_MS 2500 /* a look that is so late: this agent stood still */
#define CATCH_UP_MS 1000
#define SUSPEND_TRIES 40
#define SUSPEND_AGAIN_MS 50

struct _FerryTwinGuard {
  FerryArrivalPorts ports;
  GMutex lock; /* guards the table and what of an entry others write */
  GCond cond;
  GHashTable *entries; /* UID -> Arriving* */
};

typedef struct {
  FerryTwinGuard *guard;
  char *uid, *uuid; /* of the migration, of the domain */
  GThread *thread;
  /* guarded by the guard's lock */
  json_t *migration; /* the newest, owned */
  FerryArrival arrival;
  gboolean resumed, over, news, done;
  gboolean look;       /* an event may have been missed */
  gboolean superseded; /* another migration brings the VM here now: what comes is that one's */
  gint64 resumed_us;
  const char *obstacle; /* why it must not run; NULL: it may */
  /* the thread's own */
  FerryHostJob *job;
  FerryDelivery *delivery; /* NULL: it had nothing to say yet */
  char *source_uri;        /* NULL: not known yet */
  FerryAmbiguity heard;
  gboolean locked_told;
} Arriving;

/* The newest; the caller's reference. What was seen is never changed, so nobody needs a copy. */
static json_t *arriving_migration(Arriving *a) {
  g_mutex_lock(&a->guard->lock);
  json_t *migration = json_incref(a->migration);
  g_mutex_unlock(&a->guard->lock);
  return migration;
}

static gboolean guard_has_ended(const FerryTwinGuard *g) {
  return ferry_context_has_ended(g->ports.context);
}

/* Sleeps until something is new, at most `ms`. */
static void arriving_wait(Arriving *a, gint64 ms) {
  gint64 until = g_get_monotonic_time() + ms * 1000;
  g_mutex_lock(&a->guard->lock);
  while (!a->news && !guard_has_ended(a->guard) &&
         g_cond_wait_until(&a->guard->cond, &a->guard->lock, until))
    ;
  a->news = FALSE;
  g_mutex_unlock(&a->guard->lock);
}

/* ---- the domain here ---- */

static void arriving_warn(const Arriving *a, const char *text) {
  ferry_warning(text, "FERRY_DOMAIN", a->uuid);
}

/* FALSE: the hypervisor does not say. */
static gboolean arriving_look_here(Arriving *a, FerryDomainState *state) {
  g_autoptr(GError) error = NULL;
  *state = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  if (a->job && ferry_host_job_state(a->job, state, NULL))
    return TRUE;
  g_clear_pointer(&a->job, ferry_host_job_close);
  a->job = ferry_host_job_open(a->guard->ports.host, a->uuid, &error);
  if (a->job)
    return ferry_host_job_state(a->job, state, NULL);
  return g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN);
}

/* Whether libvirtd's own end of a migration set it going: in post-copy the guest is here alone, and
 * one that a person resumed is his. */
static gboolean runs_by_libvirt(const FerryDomainState *state) {
  return state->active && state->state != FERRY_VM_PAUSED &&
         g_strcmp0(state->reason, FERRY_VM_REASON_MIGRATED) == 0;
}

/* TRUE: it was suspended by this, or may be yet by a call that is late. */
static gboolean arriving_suspend(Arriving *a) {
  FerryDomainState state;
  gboolean asked = FALSE;
  for (guint i = 0; asked || i < SUSPEND_TRIES; i++) {
    g_autoptr(GError) error = NULL;
    gboolean told = arriving_look_here(a, &state);
    if (told && asked && state.active && state.state == FERRY_VM_PAUSED)
      return TRUE;
    if (told && !runs_by_libvirt(&state))
      return FALSE;
    if (a->job && ferry_host_job_suspend(a->job, &error))
      return TRUE;
    asked = asked || ferry_host_error_is_silent(error);
    if (error && i == 0)
      arriving_warn(a, error->message);
    if (!ferry_context_sleep(a->guard->ports.context, SUSPEND_AGAIN_MS))
      return asked; /* noted: the next agent finds it suspended, or lets it be */
  }
  return FALSE;
}

/* ---- what is told ---- */

static FerryDelivery *arriving_delivery(Arriving *a, const json_t *migration) {
  if (!a->delivery)
    a->delivery = a->guard->ports.deliver(migration, a->guard->ports.data);
  return a->delivery;
}

static void arriving_tell(Arriving *a, const json_t *migration, FerryDoubtState state,
                          const char *type, const char *text) {
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  FerryDelivery *d = arriving_delivery(a, migration);
  ferry_delivery_send(d, ferry_doubt_patch(FERRY_SIDE_TARGET, state, now, a->heard.ran_ms));
  ferry_delivery_tell(d, migration, type, ferry_reason_name(FERRY_REASON_AMBIGUOUS), text);
  ferry_warning(text, "FERRY_DOMAIN", a->uuid);
}

static void arriving_tell_suspended(Arriving *a, const json_t *migration, const char *why) {
  const char *source = ferry_side_node(migration, FERRY_SIDE_SOURCE);
  g_autofree char *text = g_strdup_printf(
      "libvirt resumed the VM here, and %s: it is suspended until it is known that it does not run "
      "on %s",
      why, source ? source : "the source");
  arriving_tell(a, migration, FERRY_DOUBT_SUSPENDED, "Warning", text);
}

/* ---- what becomes of it ---- */

static void end_doubt(Arriving *a) {
  ferry_doubt_book_forget(ferry_context_state_dir(a->guard->ports.context), a->uid);
}

/* A lock manager that knows better than both agents is told of, once. */
static void arriving_cannot_resume(Arriving *a, const json_t *migration, const GError *error) {
  g_autofree char *text =
      ferry_ambiguity_locked_text(error, ferry_side_node(migration, FERRY_SIDE_SOURCE));
  if (text && a->locked_told)
    return;
  arriving_warn(a, error->message);
  if (!text)
    return;
  a->locked_told = TRUE;
  ferry_delivery_tell(arriving_delivery(a, migration), migration, "Warning",
                      ferry_reason_name(FERRY_REASON_DISKS_LOCKED), text);
}

/* FALSE: to be tried again. */
static gboolean arriving_go_on_here(Arriving *a, const json_t *migration,
                                    const FerryDomainState *here) {
  g_autoptr(GError) error = NULL;
  if (here->state == FERRY_VM_PAUSED && !ferry_host_job_resume(a->job, &error)) {
    arriving_cannot_resume(a, migration, error);
    return FALSE;
  }
  arriving_tell(a, migration, FERRY_DOUBT_GOES_ON, "Normal",
                "the VM goes on here: its other copy does not run");
  end_doubt(a);
  return TRUE;
}

/* The same. One that a person resumed meanwhile is ended by a person's word alone. */
static gboolean arriving_end_here(Arriving *a, const json_t *migration,
                                  const FerryDomainState *here) {
  g_autoptr(GError) error = NULL;
  const json_t *config = ferry_json_get(migration, "status.migrationState.migrationConfiguration");
  if (here->state != FERRY_VM_PAUSED && !ferry_doubt_kept(migration))
    return arriving_go_on_here(a, migration, here);
  if (!ferry_host_job_destroy(a->job, ferry_migration_persists(config, here->persistent), &error)) {
    arriving_warn(a, error->message);
    return FALSE;
  }
  arriving_tell(a, migration, FERRY_DOUBT_GONE, "Warning",
                "the copy of the VM here was destroyed: the other host's is the one that goes on");
  end_doubt(a);
  return TRUE;
}

static FerryAmbiguityAnswer twin_guard_ask(Arriving *a, const json_t *migration) {
  FerryDomainState peer;
  const FerryArrivalPorts *p = &a->guard->ports;
  if (!a->source_uri)
    a->source_uri = p->source_uri(migration, p->data);
  gboolean told =
      a->source_uri && ferry_host_peer_state(p->host, a->source_uri, a->uuid, &peer, NULL);
  FerryAmbiguityAnswer read =
      ferry_ambiguity_read(migration, FERRY_SIDE_TARGET, a->heard.ran_ms, told ? &peer : NULL);
  FerryAmbiguityAnswer heard =
      ferry_ambiguity_hear(&a->heard, told ? &peer : NULL, g_get_monotonic_time());
  if (heard == FERRY_AMBIGUITY_STAYED && ferry_ambiguity_went_on(migration, FERRY_SIDE_TARGET))
    heard = FERRY_AMBIGUITY_OPEN;
  return read != FERRY_AMBIGUITY_OPEN || ferry_doubt_kept(migration) ? read : heard;
}

/* One turn; TRUE: it is over. */
static gboolean arriving_doubt_turn(Arriving *a) {
  FerryDomainState here;
  g_autoptr(json_t) migration = arriving_migration(a);
  FerryAmbiguityAnswer answer = twin_guard_ask(a, migration);
  if (!arriving_look_here(a, &here))
    return FALSE;
  if (!here.active) {
    arriving_tell(a, migration, FERRY_DOUBT_GONE, "Normal", "the copy of the VM here is gone");
    end_doubt(a);
    return TRUE;
  }
  if (answer == FERRY_AMBIGUITY_MOVED)
    return arriving_end_here(a, migration, &here);
  if (answer == FERRY_AMBIGUITY_STAYED || here.state != FERRY_VM_PAUSED)
    return arriving_go_on_here(a, migration, &here);
  return FALSE;
}

/* Another agent has this node, with other records than this one's: it knows nothing of what this
 * one suspended, as where this one was frozen for so long that it was replaced. */
static void resolve_alone(Arriving *a) {
  gint64 end = g_get_monotonic_time() + ALONE_S * G_USEC_PER_SEC;
  while (!arriving_doubt_turn(a) && g_get_monotonic_time() < end) {
    gint64 until = g_get_monotonic_time() + FERRY_AMBIGUITY_ASK_MS * 1000;
    g_mutex_lock(&a->guard->lock);
    while (g_cond_wait_until(&a->guard->cond, &a->guard->lock, until))
      ;
    g_mutex_unlock(&a->guard->lock);
  }
}

static void live_in_doubt(Arriving *a) {
  while (!guard_has_ended(a->guard)) {
    if (arriving_doubt_turn(a))
      return;
    arriving_wait(a, FERRY_AMBIGUITY_ASK_MS);
  }
  if (ferry_context_is_stale(a->guard->ports.context))
    resolve_alone(a);
}

/* ---- the arrival ---- */

/* In this host's own book, by which the next agent goes; -1: how long it ran is not known. */
static void arriving_note(Arriving *a, gint64 ran_ms) {
  a->heard.ran_ms = ran_ms;
  ferry_doubt_book_note(ferry_context_state_dir(a->guard->ports.context), a->uid, a->uuid, ran_ms);
}

/* Whether libvirtd's resume holds yet, though the agent before this one was about to undo it. */
static gboolean suspends_late(Arriving *a) {
  FerryDomainState here;
  return arriving_look_here(a, &here) && runs_by_libvirt(&here) && arriving_suspend(a);
}

/* The doubt of an agent before this one. */
static gboolean takes_up_doubt(Arriving *a) {
  gint64 ran_ms = -1;
  g_autoptr(json_t) migration = arriving_migration(a);
  gboolean noted =
      ferry_doubt_book_find(ferry_context_state_dir(a->guard->ports.context), a->uid, &ran_ms);
  gboolean said = ferry_doubt_of(migration, FERRY_SIDE_TARGET) == FERRY_DOUBT_SUSPENDED;
  a->heard.ran_ms = noted ? ran_ms : ferry_doubt_ran_ms(migration, FERRY_SIDE_TARGET);
  if (noted && suspends_late(a)) /* it ended between its note and its call */
    arriving_note(a, -1);
  if (noted && !said)
    arriving_tell_suspended(a, migration, "the agent that suspended it had to be started again");
  return noted || said;
}

static gboolean has_word_of_person(Arriving *a) {
  g_autoptr(json_t) migration = arriving_migration(a);
  return ferry_doubt_keep_is_due(migration, FERRY_SIDE_TARGET);
}

static void on_obstacle(Arriving *a, gint64 resumed_us, const char *obstacle) {
  arriving_note(a, -1); /* first: an agent that is killed in between leaves nobody who knows */
  if (!arriving_suspend(a)) {
    if (!guard_has_ended(a->guard))
      end_doubt(a);
    return;
  }
  arriving_note(a, (g_get_monotonic_time() - resumed_us) / 1000);
  g_autoptr(json_t) migration = arriving_migration(a);
  arriving_tell_suspended(a, migration, obstacle);
  live_in_doubt(a);
}

/* Where the source is, while ferryd can be asked: before anything moves. */
static void find_source_of(Arriving *a) {
  g_autoptr(json_t) migration = arriving_migration(a);
  a->source_uri = a->guard->ports.source_uri(migration, a->guard->ports.data);
}

/* Whether the migration ended and left nothing here that libvirtd could resume. */
static gboolean nothing_comes(Arriving *a) {
  FerryDomainState state;
  g_autoptr(json_t) migration = arriving_migration(a);
  return ferry_phase_of(migration) == FERRY_PHASE_SUCCEEDED ||
         (arriving_look_here(a, &state) && !(state.active && state.state == FERRY_VM_PAUSED));
}

typedef struct {
  gboolean resumed, over, superseded;
  gint64 resumed_us;
  const char *obstacle;
} ArrivingNews;

static ArrivingNews arriving_news(Arriving *a) {
  g_mutex_lock(&a->guard->lock);
  ArrivingNews news = {a->resumed, a->over, a->superseded, a->resumed_us, a->obstacle};
  g_mutex_unlock(&a->guard->lock);
  return news;
}

/* The lock is held. */
static void arriving_resumed(Arriving *a) {
  a->resumed = a->news = TRUE;
  a->resumed_us = g_get_monotonic_time();
  a->obstacle = ferry_arrival_obstacle(&a->arrival, a->resumed_us);
}

/* The driver's connection was away: what was resumed meanwhile is seen now, and no earlier. */
static void arriving_look(Arriving *a) {
  FerryDomainState state;
  g_mutex_lock(&a->guard->lock);
  gboolean look = a->look && !a->resumed && !a->superseded;
  a->look = FALSE;
  g_mutex_unlock(&a->guard->lock);
  if (!look || !arriving_look_here(a, &state) || !runs_by_libvirt(&state))
    return;
  g_mutex_lock(&a->guard->lock);
  if (!a->resumed && !a->superseded)
    arriving_resumed(a);
  g_mutex_unlock(&a->guard->lock);
}

/* After this agent stood still, until `until_us` what ferryd has said meanwhile is on its way, and
 * what was resumed may be what another migration brought since, or another agent's to judge, which
 * has this node. */
static gboolean arriving_is_others(Arriving *a, gint64 until_us) {
  FerryTwinGuard *g = a->guard;
  g_mutex_lock(&g->lock);
  while (!a->superseded && !guard_has_ended(g) && g_get_monotonic_time() < until_us)
    g_cond_wait_until(&g->cond, &g->lock, until_us);
  gboolean others = until_us && (a->superseded || ferry_context_is_stale(g->ports.context));
  g_mutex_unlock(&g->lock);
  return others;
}

/* What was resumed is judged even where the agent ends just then: the next one goes on with it. */
static void arriving_run(Arriving *a) {
  gint64 looked_us = g_get_monotonic_time(), caught_up_us = 0;
  gboolean doubt = takes_up_doubt(a);
  find_source_of(a);
  for (;;) {
    gint64 now = g_get_monotonic_time();
    if (now - looked_us > (LOOK_MS + STILL_MS) * 1000)
      caught_up_us = now + CATCH_UP_MS * 1000;
    looked_us = now;
    arriving_look(a);
    ArrivingNews news = arriving_news(a);
    if (doubt || has_word_of_person(a)) {
      live_in_doubt(a);
      return;
    }
    if (news.resumed) {
      if (news.obstacle && !arriving_is_others(a, caught_up_us))
        on_obstacle(a, news.resumed_us, news.obstacle);
      return;
    }
    if (guard_has_ended(a->guard) || news.superseded || (news.over && nothing_comes(a)))
      return;
    arriving_wait(a, LOOK_MS);
  }
}

static gpointer arriving_thread(gpointer data) {
  Arriving *a = data;
  arriving_run(a);
  g_clear_pointer(&a->job, ferry_host_job_close);
  g_clear_pointer(&a->delivery, ferry_delivery_free);
  g_mutex_lock(&a->guard->lock);
  a->done = TRUE;
  g_mutex_unlock(&a->guard->lock);
  return NULL;
}

static void arriving_free(gpointer data) {
  Arriving *a = data;
  g_thread_join(a->thread);
  ferry_arrival_clear(&a->arrival);
  json_decref(a->migration);
  g_free(a->source_uri);
  g_free(a->uuid);
  g_free(a->uid);
  g_free(a);
}

/* ---- what is seen ---- */

/* An agent before this one suspended a copy and could not say so before the migration ended. */
static gboolean is_left_in_doubt(const FerryAgentContext *context, const json_t *m) {
  gint64 ran_ms;
  return ferry_phase_is_final(ferry_phase_of(m)) &&
         ferry_doubt_book_find(ferry_context_state_dir(context), ferry_json_str(m, "metadata.uid"),
                               &ran_ms);
}

static gboolean is_to_arrive(const FerryAgentContext *context, const char *type, const json_t *m) {
  FerryPhase phase = ferry_phase_of(m);
  const char *node = ferry_context_node(context);
  const char *source = ferry_side_node(m, FERRY_SIDE_SOURCE);
  return !g_str_equal(type, "DELETED") && !ferry_json_bool(m, "spec.forecastOnly", FALSE) &&
         g_strcmp0(ferry_side_node(m, FERRY_SIDE_TARGET), node) == 0 && source &&
         !g_str_equal(source, node) && ferry_json_str(m, "status.migrationState.vmiUID") &&
         (phase == FERRY_PHASE_TARGET_READY || phase == FERRY_PHASE_RUNNING ||
          ferry_doubt_of(m, FERRY_SIDE_TARGET) == FERRY_DOUBT_SUSPENDED ||
          ferry_doubt_keep_is_due(m, FERRY_SIDE_TARGET) || is_left_in_doubt(context, m));
}

/* The lock is held. */
static void arriving_see(Arriving *a, const json_t *migration) {
  json_decref(a->migration);
  a->migration = json_incref((json_t *)migration);
  ferry_arrival_see(&a->arrival, migration, g_get_monotonic_time());
  a->over = ferry_phase_is_final(ferry_phase_of(migration));
  a->news = a->news || a->over || ferry_doubt_is_open(migration) || ferry_doubt_kept(migration);
  g_cond_broadcast(&a->guard->cond);
}

/* The lock is held. The copies of earlier migrations that have ended are not there any more:
 * libvirt takes no second one. */
static void supersede_others(FerryTwinGuard *g, const Arriving *by) {
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, g->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Arriving *a = value;
    if (a != by && a->over && g_strcmp0(a->uuid, by->uuid) == 0)
      a->superseded = a->news = TRUE;
  }
  g_cond_broadcast(&g->cond);
}

void ferry_twin_guard_see(FerryTwinGuard *g, const char *type, const json_t *migration) {
  const char *uid = ferry_json_str(migration, "metadata.uid");
  gboolean wanted = is_to_arrive(g->ports.context, type, migration);
  ferry_twin_guard_sweep(g);
  g_mutex_lock(&g->lock);
  Arriving *a = g_hash_table_lookup(g->entries, uid);
  if (a && a->done && ferry_doubt_keep_is_due(migration, FERRY_SIDE_TARGET)) {
    g_hash_table_remove(g->entries, uid); /* its thread needs no lock any more */
    a = NULL;
  }
  if (a && g_str_equal(type, "DELETED")) {
    a->over = a->news = TRUE;
    g_cond_broadcast(&g->cond);
  } else if (a) {
    arriving_see(a, migration);
  } else if (wanted) {
    a = g_new0(Arriving, 1);
    a->guard = g;
    a->uid = g_strdup(uid);
    a->uuid = g_strdup(ferry_json_str(migration, "status.migrationState.vmiUID"));
    arriving_see(a, migration);
    g_hash_table_insert(g->entries, g_strdup(uid), a);
    supersede_others(g, a);
    a->thread = g_thread_new("arriving", arriving_thread, a);
  }
  g_mutex_unlock(&g->lock);
}

void ferry_twin_guard_event(FerryTwinGuard *g, const FerryHostEvent *event) {
  GHashTableIter iter;
  gpointer value;
  if (event->type != FERRY_HOST_EVENT_STATE)
    return;
  g_mutex_lock(&g->lock);
  g_hash_table_iter_init(&iter, g->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Arriving *a = value;
    if (g_strcmp0(a->uuid, event->uuid) != 0 || a->superseded)
      continue;
    if (event->pause == FERRY_HOST_PAUSE_ENDED && !a->resumed)
      arriving_resumed(a);
    g_cond_broadcast(&g->cond);
  }
  g_mutex_unlock(&g->lock);
}

void ferry_twin_guard_connected(FerryTwinGuard *g) {
  GHashTableIter iter;
  gpointer value;
  g_mutex_lock(&g->lock);
  g_hash_table_iter_init(&iter, g->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    ((Arriving *)value)->look = ((Arriving *)value)->news = TRUE;
  g_cond_broadcast(&g->cond);
  g_mutex_unlock(&g->lock);
}

void ferry_twin_guard_sweep(FerryTwinGuard *g) {
  g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(arriving_free);
  GHashTableIter iter;
  gpointer uid, value;
  g_mutex_lock(&g->lock);
  g_hash_table_iter_init(&iter, g->entries);
  while (g_hash_table_iter_next(&iter, &uid, &value))
    if (((Arriving *)value)->done && ((Arriving *)value)->over) {
      g_ptr_array_add(done, value);
      g_hash_table_iter_steal(&iter);
      g_free(uid);
    }
  g_mutex_unlock(&g->lock);
}

/* The context's waker. */
static void guard_wake(gpointer data) {
  FerryTwinGuard *g = data;
  g_mutex_lock(&g->lock);
  g_cond_broadcast(&g->cond);
  g_mutex_unlock(&g->lock);
}

static GHashTable *new_entries(void) {
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, arriving_free);
}

FerryTwinGuard *ferry_twin_guard_new(const FerryArrivalPorts *ports) {
  FerryTwinGuard *g = g_new0(FerryTwinGuard, 1);
  g->ports = *ports;
  g_mutex_init(&g->lock);
  g_cond_init(&g->cond);
  g->entries = new_entries();
  ferry_context_add_waker(ports->context, guard_wake, g);
  return g;
}

void ferry_twin_guard_stop(FerryTwinGuard *g) {
  if (!g)
    return;
  g_mutex_lock(&g->lock);
  GHashTable *entries = g->entries;
  g->entries = new_entries();
  g_mutex_unlock(&g->lock);
  g_hash_table_unref(entries); /* joins, outside of the lock */
}

void ferry_twin_guard_free(FerryTwinGuard *g) {
  if (!g)
    return;
  ferry_twin_guard_stop(g);
  g_hash_table_unref(g->entries);
  g_mutex_clear(&g->lock);
  g_cond_clear(&g->cond);
  g_free(g);
}
