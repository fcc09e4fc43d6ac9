// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a thread looks at the kernel's table every two seconds, or more seldom where
// that takes long. One pass counts the addresses in it that nobody has answered for yet, the most
// frequent of which are asked for at the VM's ports; another one takes the connections that have an
// address of the VM's. They are written when they differ from what was written last. When the guest
// is paused nobody answers any more, and what there is is written once more and for good.
#include "agent/carry/flow_source.h"
#include "agent/carry/flow_text.h"
#include "agent/carry/nics.h"
#include "base/log.h"
#include "model/migration/reasons.h"
#include <string.h>

#define LOOK_US (2 * G_USEC_PER_SEC)
#define LOOK_SHARE 20 /* looking takes one part in so many of a processor at most */
#define ADDRESSES_SEEN_MAX 65536
#define ADDRESSES_ASKED_MAX 256
#define ASKED_TIMES 10 /* an answer may come too late */
#define ANSWER_MS 300  /* a guest that is busy may take its time */

struct FerryFlowSource {
  FerryHost *host;
  FerryDelivery *delivery;
  char *uuid;
  json_t *object; /* whose events are told: its metadata */
  GThread *thread;
  GMutex lock; /* guards what follows */
  GCond cond;
  gboolean end, last;
  /* the thread's own */
  GArray *nics;      /* FerryNic */
  GHashTable *asked; /* addresses, as GUINT_TO_POINTER -> how often, as GUINT_TO_POINTER */
  GHashTable *own;   /* those of them that are the VM's */
  char *sent;        /* digest of what was written last; NULL: nothing was */
  gboolean told;     /* that it does not work */
  gint64 table_us;   /* how long it looked at the kernel's table this time */
};

static GArray *flows_look_up(FerryFlowSource *f, FerryConntrackWanted wanted, gpointer data,
                             guint *left, GError **error) {
  gint64 began = g_get_monotonic_time();
  GArray *found = ferry_conntrack_flows(wanted, data, left, error);
  f->table_us += g_get_monotonic_time() - began;
  return found;
}

/* IPv4 as a key of the tables; 0: it is not one. */
static gpointer flow_key(const FerryConntrackFlow *flow, gboolean from) {
  guint32 raw = 0;
  if (!flow->ipv6)
    memcpy(&raw, from ? flow->from : flow->to, sizeof raw);
  return GUINT_TO_POINTER(raw);
}

/* ---- which addresses are the VM's ---- */

typedef struct {
  gpointer address;
  guint n; /* connections that have it */
} FlowCandidate;

typedef struct {
  const FerryFlowSource *flows;
  GHashTable *counts;
} FlowCandidateSearch;

static gboolean count_candidate(const FerryConntrackFlow *flow, gboolean from, gpointer data) {
  FlowCandidateSearch *search = data;
  gpointer key = flow_key(flow, from);
  const FerryFlowSource *f = search->flows;
  if (!key || g_hash_table_contains(f->own, key) ||
      GPOINTER_TO_UINT(g_hash_table_lookup(f->asked, key)) >= ASKED_TIMES)
    return FALSE;
  guint n = GPOINTER_TO_UINT(g_hash_table_lookup(search->counts, key));
  if (n || g_hash_table_size(search->counts) < ADDRESSES_SEEN_MAX)
    g_hash_table_replace(search->counts, key, GUINT_TO_POINTER(n + 1));
  return FALSE;
}

static gint more_first(gconstpointer a, gconstpointer b) {
  guint n = ((const FlowCandidate *)a)->n, m = ((const FlowCandidate *)b)->n;
  return n < m ? 1 : n > m ? -1 : 0;
}

/* Those that nobody has answered for yet, the most frequent first: a VM's own is in all of its
 * connections. */
static GArray *candidates_of(GHashTable *counts) {
  GArray *all = g_array_new(FALSE, FALSE, sizeof(FlowCandidate));
  GHashTableIter iter;
  gpointer key, n;
  g_hash_table_iter_init(&iter, counts);
  while (g_hash_table_iter_next(&iter, &key, &n)) {
    FlowCandidate c = {key, GPOINTER_TO_UINT(n)};
    g_array_append_val(all, c);
  }
  g_array_sort(all, more_first);
  return all;
}

static void hear_own(FerryFlowSource *f, FerryPortEar *ear, const FerryNic *nic, guint expected) {
  guint8 mac[FERRY_MAC_BYTES], address[4];
  guint32 raw;
  while (expected-- > 0 && ferry_port_ear_answer(ear, ANSWER_MS, mac, address)) {
    memcpy(&raw, address, sizeof raw);
    if (memcmp(mac, nic->mac, sizeof mac) == 0 &&
        g_hash_table_contains(f->asked, GUINT_TO_POINTER(raw)))
      g_hash_table_add(f->own, GUINT_TO_POINTER(raw));
  }
}

/* At the VM's port alone: nobody else hears of it. */
static void ask_for_own(FerryFlowSource *f, const FerryNic *nic, const GArray *candidates) {
  g_autoptr(FerryPortEar) ear = ferry_port_ear_answers(nic->device, NULL);
  guint asked = 0;
  for (guint i = 0; ear && i < candidates->len; i++) {
    guint32 raw = GPOINTER_TO_UINT(g_array_index(candidates, FlowCandidate, i).address);
    if (ferry_port_ask(nic->device, (const guint8 *)&raw, NULL))
      asked++;
  }
  if (asked)
    hear_own(f, ear, nic, asked);
}

/* Leaves out those for which there is no room. */
static void note_asked(FerryFlowSource *f, GArray *candidates) {
  guint kept = 0;
  for (guint i = 0; i < candidates->len; i++) {
    FlowCandidate c = g_array_index(candidates, FlowCandidate, i);
    guint times = GPOINTER_TO_UINT(g_hash_table_lookup(f->asked, c.address));
    if (!times && g_hash_table_size(f->asked) >= ADDRESSES_ASKED_MAX)
      continue;
    g_hash_table_replace(f->asked, c.address, GUINT_TO_POINTER(times + 1));
    g_array_index(candidates, FlowCandidate, kept++) = c;
  }
  g_array_set_size(candidates, kept);
}

static gboolean find_own(FerryFlowSource *f, GError **error) {
  g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
  FlowCandidateSearch search = {f, counts};
  GArray *none = flows_look_up(f, count_candidate, &search, NULL, error);
  if (!none)
    return FALSE;
  g_array_unref(none);
  g_autoptr(GArray) candidates = candidates_of(counts);
  note_asked(f, candidates);
  for (guint i = 0; candidates->len && i < f->nics->len; i++)
    ask_for_own(f, &g_array_index(f->nics, FerryNic, i), candidates);
  return TRUE;
}

/* ---- what is written ---- */

static gboolean flow_is_own(const FerryConntrackFlow *flow, gboolean from, gpointer data) {
  const FerryFlowSource *f = data;
  return g_hash_table_contains(f->own, flow_key(flow, from));
}

static json_t *own_addresses(const FerryFlowSource *f) {
  json_t *all = json_array();
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init(&iter, f->own);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    guint32 raw = GPOINTER_TO_UINT(key);
    g_autoptr(GInetAddress) address =
        g_inet_address_new_from_bytes((const guint8 *)&raw, G_SOCKET_FAMILY_IPV4);
    g_autofree char *text = g_inet_address_to_string(address);
    json_array_append_new(all, json_string(text));
  }
  return all;
}

/* Of what is the same until a connection begins, ends or changes its state. */
static char *digest_of(const GArray *found) {
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  for (guint i = 0; i < found->len; i++) {
    FerryConntrackFlow flow = g_array_index(found, FerryConntrackFlow, i);
    flow.timeout_s = 0;
    g_autofree char *text = ferry_flow_format(&flow);
    g_checksum_update(sum, (const guchar *)text, -1);
  }
  return g_strdup(g_checksum_get_string(sum));
}

static gboolean write_flows(FerryFlowSource *f, gboolean last, GError **error) {
  guint left = 0;
  g_autoptr(GArray) found = flows_look_up(f, flow_is_own, f, &left, error);
  if (!found)
    return FALSE;
  g_autofree char *digest = digest_of(found);
  if (!last && g_strcmp0(digest, f->sent) == 0)
    return TRUE;
  json_t *entries = json_array();
  for (guint i = 0; i < found->len; i++) {
    g_autofree char *text = ferry_flow_format(&g_array_index(found, FerryConntrackFlow, i));
    json_array_append_new(entries, json_string(text));
  }
  ferry_delivery_send(f->delivery, json_pack("{s:{s:{s:o, s:o, s:i, s:b}}}", "migrationState",
                                             "flows", "addresses", own_addresses(f), "entries",
                                             entries, "left", (int)left, "last", last));
  g_free(f->sent);
  f->sent = g_steal_pointer(&digest);
  return TRUE;
}

static void look_at_flows(FerryFlowSource *f, gboolean last) {
  g_autoptr(GError) error = NULL;
  gboolean good = last || find_own(f, &error); /* a guest that is paused answers nobody */
  if (good && g_hash_table_size(f->own))
    good = write_flows(f, last, &error);
  if (good || f->told)
    return;
  f->told = TRUE;
  ferry_delivery_tell(f->delivery, f->object, "Warning",
                      ferry_reason_name(FERRY_REASON_FLOWS_NOT_CARRIED), error->message);
}

/* Sleeps until it is time to look again. FALSE: it has ended. */
static gboolean await_look(FerryFlowSource *f, gint64 us, gboolean *last) {
  gint64 until = g_get_monotonic_time() + us;
  gboolean was_last = *last;
  g_mutex_lock(&f->lock);
  while (!f->end && (was_last || !f->last)) {
    if (was_last)
      g_cond_wait(&f->cond, &f->lock);
    else if (!g_cond_wait_until(&f->cond, &f->lock, until))
      break;
  }
  *last = f->last;
  gboolean goes_on = !f->end || (f->last && !was_last); /* the last are written in any case */
  g_mutex_unlock(&f->lock);
  return goes_on;
}

static gpointer flows_thread(gpointer data) {
  FerryFlowSource *f = data;
  gboolean last = FALSE;
  gint64 pause = 0;
  f->nics = ferry_nics_look(f->host, f->uuid);
  while (f->nics->len && await_look(f, pause, &last)) {
    f->table_us = 0;
    look_at_flows(f, last);
    pause = MAX(LOOK_US, LOOK_SHARE * f->table_us);
  }
  return NULL;
}

FerryFlowSource *ferry_flow_source_start(FerryHost *host, FerryDelivery *delivery, const char *uuid,
                                         const json_t *object) {
  if (!host->local)
    return NULL;
  FerryFlowSource *f = g_new0(FerryFlowSource, 1);
  f->host = host;
  f->delivery = delivery;
  f->uuid = g_strdup(uuid);
  f->object = json_pack("{s:O}", "metadata", json_object_get(object, "metadata"));
  g_mutex_init(&f->lock);
  g_cond_init(&f->cond);
  f->asked = g_hash_table_new(NULL, NULL);
  f->own = g_hash_table_new(NULL, NULL);
  f->thread = g_thread_new("flows", flows_thread, f);
  return f;
}

void ferry_flow_source_switch(FerryFlowSource *f) {
  if (!f)
    return;
  g_mutex_lock(&f->lock);
  f->last = TRUE;
  g_cond_broadcast(&f->cond);
  g_mutex_unlock(&f->lock);
}

void ferry_flow_source_stop(FerryFlowSource *f) {
  if (!f)
    return;
  g_mutex_lock(&f->lock);
  f->end = TRUE;
  g_cond_broadcast(&f->cond);
  g_mutex_unlock(&f->lock);
  g_thread_join(f->thread);
  g_array_unref(f->nics);
  g_hash_table_unref(f->asked);
  g_hash_table_unref(f->own);
  json_decref(f->object);
  g_free(f->uuid);
  g_free(f->sent);
  g_mutex_clear(&f->lock);
  g_cond_clear(&f->cond);
  g_free(f);
}
