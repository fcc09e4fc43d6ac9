// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a migration whose target is this host gets an entry and a thread once its
// target is ready. The thread waits until the VM's interfaces are there, which libvirtd makes when
// it prepares the target, and listens at their bridges from then on. What the source's agent writes
// of the VM's connections it proves and gives to the kernel as it comes, so that they are known
// before the guest runs here. It ends when the guest has arrived and was announced, or the
// migration has ended without it.
//
// Order of locks: the landing's own, then the context's.
#include "agent/carry/landing.h"
#include "agent/carry/place_notice.h"
#include "agent/carry/flow_gate.h"
#include "base/log.h"
#include "model/migration/doubt.h"
#include "model/migration/migration.h"
#include "model/migration/phase.h"
#include "model/migration/reasons.h"

#define LOOK_MS 100
#define IDLE_MS 2000
#define ASK_MS 100      /* for an answer: a guest that is busy may take its time */
#define ASKS_AT_ONCE 10 /* then more seldom: all hear such a question */
#define ASK_AGAIN_MS 1000
#define LATE_US (3 * G_USEC_PER_SEC) /* what the source writes after the guest has arrived */

struct _FerryLanding {
  FerryArrivalPorts ports;
  GMutex lock; /* guards the table and what of an entry others write */
  GCond cond;
  GHashTable *entries; /* UID -> Lander* */
};

typedef struct {
  FerryLanding *landing;
  char *uuid; /* of the domain */
  GThread *thread;
  /* guarded by the landing's lock */
  json_t *migration; /* the newest, without its connections; owned */
  json_t *flows;     /* those that were not read yet; owned, NULL: none */
  json_t *seen;      /* the newest, read or not; owned */
  gboolean resumed, over, moved, news, done;
  gint64 resumed_us;
  /* the thread's own */
  GArray *nics; /* FerryNic; NULL: not there yet */
  FerryPlaceNotice announcement;
  FerryFlowGate gate;
  gboolean announced;
  guint asks; /* since something changed */
} Lander;

typedef struct {
  gboolean arrived, over, fresh;
  gint64 resumed_us;
} LanderNews;

/* Waits at most `ms` for something new, and takes it. */
static LanderNews lander_wait(Lander *l, gint64 ms) {
  FerryLanding *landing = l->landing;
  gint64 until = g_get_monotonic_time() + ms * 1000;
  g_mutex_lock(&landing->lock);
  while (!l->news && !ferry_context_has_ended(landing->ports.context) &&
         g_cond_wait_until(&landing->cond, &landing->lock, until))
    ;
  json_t *flows = g_steal_pointer(&l->flows);
  LanderNews news = {l->resumed || l->moved,
                     l->over || ferry_context_has_ended(landing->ports.context), flows != NULL,
                     l->resumed_us};
  l->news = FALSE;
  g_mutex_unlock(&landing->lock);
  ferry_flow_gate_read(&l->gate, flows);
  json_decref(flows);
  return news;
}

static void lander_tell(Lander *l, const char *type, FerryReason reason, const char *text) {
  const FerryArrivalPorts *p = &l->landing->ports;
  g_mutex_lock(&l->landing->lock);
  g_autoptr(json_t) migration = json_deep_copy(l->migration);
  g_mutex_unlock(&l->landing->lock);
  FerryDelivery *d = p->deliver(migration, p->data);
  ferry_delivery_tell(d, migration, type, ferry_reason_name(reason), text);
  ferry_delivery_free(d);
  ferry_info(text, "FERRY_DOMAIN", l->uuid);
}

/* ---- the place ---- */

static gboolean find_nics(Lander *l) {
  g_autofree char *trouble = NULL;
  if (l->nics)
    return TRUE;
  g_autoptr(GArray) nics = ferry_nics_look(l->landing->ports.host, l->uuid);
  if (!nics->len)
    return FALSE;
  l->nics = g_steal_pointer(&nics);
  ferry_place_notice_init(&l->announcement, l->nics, &trouble);
  if (trouble)
    ferry_warning(trouble, "FERRY_DOMAIN", l->uuid);
  return TRUE;
}

static void verify_announcement(Lander *l) {
  g_autofree char *where = NULL;
  g_autofree char *text = NULL;
  l->announced = TRUE;
  switch (ferry_place_notice_verify(&l->announcement, &where)) {
  case FERRY_PLACE_NOTICED:
    break;
  case FERRY_PLACE_REPEATED:
    text = g_strdup_printf("QEMU's announcement of the VM's new place did not leave %s (%s): the "
                           "agent announced it",
                           ferry_context_node(l->landing->ports.context), where);
    lander_tell(l, "Normal", FERRY_REASON_ANNOUNCEMENT_REPEATED, text);
    break;
  case FERRY_PLACE_UNSEEN:
    text =
        g_strdup_printf("no announcement of the VM's new place leaves %s (%s), so others find it "
                        "there only when it sends something: look at what drops broadcasts (RARP, "
                        "ARP) there",
                        ferry_context_node(l->landing->ports.context), where);
    lander_tell(l, "Warning", FERRY_REASON_ANNOUNCEMENT_NOT_SEEN, text);
    break;
  }
}

/* ---- the connections ---- */

/* Asks whose the addresses are of which that is not known. TRUE: some are open still. */
static gboolean prove_addresses(Lander *l, gboolean arrived) {
  g_autoptr(GPtrArray) open = ferry_flow_gate_open(&l->gate);
  if (!open->len)
    return FALSE;
  l->asks++;
  ferry_flow_gate_ask(&l->gate, l->nics, ASK_MS);
  g_autoptr(GPtrArray) left = ferry_flow_gate_open(&l->gate);
  if (left->len < open->len)
    ferry_flow_gate_give(&l->gate, arrived);
  return left->len > 0;
}

static void landing_add(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void landing_add(GString *text, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  if (text->len)
    g_string_append(text, "; ");
  g_string_append_vprintf(text, format, ap);
  va_end(ap);
}

static void tell_flows(Lander *l) {
  const FerryFlowGate *g = &l->gate;
  g_autoptr(GString) bad = g_string_new(NULL);
  g_autofree char *refused = ferry_flow_gate_refused(g);
  g_autoptr(GPtrArray) open = ferry_flow_gate_open(g);
  const char *node = ferry_context_node(l->landing->ports.context);
  if (refused)
    landing_add(bad, "%s: not the VM's address for others, or one of %s's own", refused, node);
  for (guint i = 0; i < open->len; i++)
    landing_add(bad, "%s: nobody answers for it on %s's bridge", (char *)open->pdata[i], node);
  if (g->left)
    landing_add(bad, "%u more of them are translated (NAT), in a zone, or too many", g->left);
  if (g->bad)
    landing_add(bad, "%u entries that the source's agent wrote are not connections", g->bad);
  if (g->trouble)
    landing_add(bad, "%s", g->trouble);
  if (g->given->len) {
    g_autofree char *text = g_strdup_printf(
        "%s knows %u connections of the VM that the source had established", node, g->given->len);
    lander_tell(l, "Normal", FERRY_REASON_FLOWS_CARRIED, text);
  }
  if (bad->len)
    lander_tell(l, "Warning", FERRY_REASON_FLOWS_NOT_CARRIED, bad->str);
}

/* ---- the arrival ---- */

static gboolean lander_turn(Lander *l, const LanderNews *news) {
  gboolean late = news->resumed_us && g_get_monotonic_time() - news->resumed_us > LATE_US;
  if (!find_nics(l))
    return !news->over && !late;
  if (news->fresh)
    ferry_flow_gate_give(&l->gate, news->arrived);
  if (news->arrived && !l->announced) {
    verify_announcement(l);
    l->asks = 0;
  }
  gboolean open = prove_addresses(l, news->arrived);
  return !news->over && !late && !(news->arrived && l->gate.last && !open);
}

static gint64 next_wait_ms(const Lander *l, const LanderNews *news) {
  g_autoptr(GPtrArray) open = ferry_flow_gate_open(&l->gate);
  if (l->nics && open->len)
    return l->asks < ASKS_AT_ONCE ? 1 : ASK_AGAIN_MS;
  return !l->nics || news->arrived ? LOOK_MS : IDLE_MS;
}

static void lander_run(Lander *l) {
  LanderNews news = lander_wait(l, 0);
  while (lander_turn(l, &news))
    news = lander_wait(l, next_wait_ms(l, &news));
  if (ferry_context_has_ended(l->landing->ports.context))
    return; /* what the kernel was told may serve a guest that arrives */
  if (news.arrived)
    tell_flows(l);
  else
    ferry_flow_gate_take_back(&l->gate);
}

static gpointer lander_thread(gpointer data) {
  Lander *l = data;
  ferry_flow_gate_init(&l->gate);
  lander_run(l);
  ferry_flow_gate_clear(&l->gate);
  ferry_place_notice_clear(&l->announcement);
  g_clear_pointer(&l->nics, g_array_unref);
  g_mutex_lock(&l->landing->lock);
  l->done = TRUE;
  g_mutex_unlock(&l->landing->lock);
  return NULL;
}

static void lander_free(gpointer data) {
  Lander *l = data;
  g_thread_join(l->thread);
  json_decref(l->migration);
  json_decref(l->flows);
  json_decref(l->seen);
  g_free(l->uuid);
  g_free(l);
}

/* ---- what is seen ---- */

static gboolean is_to_land(const FerryLanding *landing, const char *type, const json_t *m) {
  const char *node = ferry_context_node(landing->ports.context);
  FerryPhase phase = ferry_phase_of(m);
  return !g_str_equal(type, "DELETED") && !ferry_migration_is_forecast(m) &&
         g_strcmp0(ferry_side_node(m, FERRY_SIDE_TARGET), node) == 0 &&
         g_strcmp0(ferry_side_node(m, FERRY_SIDE_SOURCE), node) != 0 &&
         ferry_json_str(m, "status.migrationState.vmiUID") &&
         (phase == FERRY_PHASE_TARGET_READY || phase == FERRY_PHASE_RUNNING);
}

/* The lock is held. */
static void lander_see(Lander *l, const char *type, const json_t *m) {
  const json_t *flows = ferry_json_get(m, "status.migrationState.flows");
  FerryPhase phase = ferry_phase_of(m);
  json_decref(l->migration);
  l->migration = json_pack("{s:O}", "metadata", json_object_get(m, "metadata"));
  l->moved = l->moved || phase == FERRY_PHASE_SUCCEEDED;
  l->over = l->over || ferry_phase_is_final(phase) || g_str_equal(type, "DELETED") ||
            g_strcmp0(ferry_side_node(m, FERRY_SIDE_TARGET),
                      ferry_context_node(l->landing->ports.context)) != 0;
  if (flows && !json_equal(flows, l->seen)) { /* the rest of the object changes all the time */
    json_decref(l->seen);
    json_decref(l->flows);
    l->seen = json_deep_copy(flows);
    l->flows = json_deep_copy(flows);
  }
  l->news = l->news || l->flows || l->over;
  g_cond_broadcast(&l->landing->cond);
}

void ferry_landing_see(FerryLanding *landing, const char *type, const json_t *migration) {
  const char *uid = ferry_json_str(migration, "metadata.uid");
  if (!landing->ports.host->local)
    return;
  ferry_landing_sweep(landing);
  g_mutex_lock(&landing->lock);
  Lander *l = g_hash_table_lookup(landing->entries, uid);
  if (l) {
    lander_see(l, type, migration);
  } else if (is_to_land(landing, type, migration)) {
    l = g_new0(Lander, 1);
    l->landing = landing;
    l->uuid = g_strdup(ferry_json_str(migration, "status.migrationState.vmiUID"));
    lander_see(l, type, migration);
    g_hash_table_insert(landing->entries, g_strdup(uid), l);
    l->thread = g_thread_new("landing", lander_thread, l);
  }
  g_mutex_unlock(&landing->lock);
}

void ferry_landing_event(FerryLanding *landing, const FerryHostEvent *event) {
  GHashTableIter iter;
  gpointer value;
  if (event->type != FERRY_HOST_EVENT_STATE)
    return;
  g_mutex_lock(&landing->lock);
  g_hash_table_iter_init(&iter, landing->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Lander *l = value;
    if (g_strcmp0(l->uuid, event->uuid) != 0)
      continue;
    if (event->pause == FERRY_HOST_PAUSE_ENDED && !l->resumed) {
      l->resumed = TRUE;
      l->resumed_us = g_get_monotonic_time();
    }
    l->news = TRUE;
    g_cond_broadcast(&landing->cond);
  }
  g_mutex_unlock(&landing->lock);
}

void ferry_landing_sweep(FerryLanding *landing) {
  g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(lander_free);
  GHashTableIter iter;
  gpointer uid, value;
  g_mutex_lock(&landing->lock);
  g_hash_table_iter_init(&iter, landing->entries);
  while (g_hash_table_iter_next(&iter, &uid, &value))
    if (((Lander *)value)->done && ((Lander *)value)->over) {
      g_ptr_array_add(done, value);
      g_hash_table_iter_steal(&iter);
      g_free(uid);
    }
  g_mutex_unlock(&landing->lock);
}

/* The context's waker. */
static void landing_wake(gpointer data) {
  FerryLanding *landing = data;
  g_mutex_lock(&landing->lock);
  g_cond_broadcast(&landing->cond);
  g_mutex_unlock(&landing->lock);
}

static GHashTable *new_landers(void) {
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lander_free);
}

FerryLanding *ferry_landing_new(const FerryArrivalPorts *ports) {
  FerryLanding *landing = g_new0(FerryLanding, 1);
  landing->ports = *ports;
  g_mutex_init(&landing->lock);
  g_cond_init(&landing->cond);
  landing->entries = new_landers();
  ferry_context_add_waker(ports->context, landing_wake, landing);
  return landing;
}

void ferry_landing_stop(FerryLanding *landing) {
  if (!landing)
    return;
  g_mutex_lock(&landing->lock);
  GHashTable *entries = landing->entries;
  landing->entries = new_landers();
  g_mutex_unlock(&landing->lock);
  g_hash_table_unref(entries); /* joins, outside of the lock */
}

void ferry_landing_free(FerryLanding *landing) {
  if (!landing)
    return;
  ferry_landing_stop(landing);
  g_hash_table_unref(landing->entries);
  g_mutex_clear(&landing->lock);
  g_cond_clear(&landing->cond);
  g_free(landing);
}
