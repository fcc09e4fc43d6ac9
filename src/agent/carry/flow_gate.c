// SPDX-License-Identifier: Apache-2.0
#include "agent/carry/flow_gate.h"
#include "agent/carry/nics.h"
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#define CLAIMS_MAX 64
#define SECOND_ANSWER_MS 20

typedef enum {
  CLAIM_OPEN = 1,
  CLAIM_PROVEN,
  CLAIM_REFUSED, /* somebody else's, and stays so */
} FlowClaim;

void ferry_flow_gate_init(FerryFlowGate *g) {
  *g = (FerryFlowGate){.flows = g_array_new(FALSE, FALSE, sizeof(FerryConntrackFlow)),
                       .given = g_array_new(FALSE, FALSE, sizeof(FerryConntrackFlow)),
                       .claims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

void ferry_flow_gate_clear(FerryFlowGate *g) {
  g_array_unref(g->flows);
  g_array_unref(g->given);
  g_hash_table_unref(g->claims);
  g_free(g->trouble);
}

static FlowClaim gate_claim(const FerryFlowGate *g, const char *address) {
  return (FlowClaim)GPOINTER_TO_INT(g_hash_table_lookup(g->claims, address));
}

static void set_claim(FerryFlowGate *g, const char *address, FlowClaim claim) {
  g_hash_table_replace(g->claims, g_strdup(address), GINT_TO_POINTER(claim));
}

/* ---- what was written, and what is believed of it ---- */

static void read_claims(FerryFlowGate *g, const json_t *addresses) {
  gsize i;
  json_t *one;
  json_array_foreach((json_t *)addresses, i, one) {
    gboolean ipv6;
    guint8 bytes[16];
    const char *text = json_string_value(one);
    if (g_hash_table_size(g->claims) < CLAIMS_MAX && ferry_flow_address(text, &ipv6, bytes) &&
        !ipv6 && !gate_claim(g, text))
      set_claim(g, text, CLAIM_OPEN);
  }
}

void ferry_flow_gate_read(FerryFlowGate *g, const json_t *written) {
  const json_t *entries = json_object_get(written, "entries");
  gsize n = MIN(json_array_size(entries), FERRY_CONNTRACK_FLOWS_MAX);
  if (!written)
    return;
  g_array_set_size(g->flows, 0);
  g->bad = 0;
  read_claims(g, json_object_get(written, "addresses"));
  for (gsize i = 0; i < n; i++) {
    FerryConntrackFlow flow;
    const char *text = json_string_value(json_array_get(entries, i));
    if (text && ferry_flow_parse(text, &flow, NULL))
      g_array_append_val(g->flows, flow);
    else
      g->bad++;
  }
  g->left = (guint)CLAMP(ferry_json_int(written, "left", 0), 0, G_MAXINT);
  g->last = ferry_json_bool(written, "last", FALSE);
}

static char *ipv4_text(const guint8 address[4]) {
  return g_strdup_printf("%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
}

void ferry_flow_gate_answer(FerryFlowGate *g, const guint8 address[4], gboolean own) {
  g_autofree char *text = ipv4_text(address);
  FlowClaim claim = gate_claim(g, text);
  if (claim && claim != CLAIM_REFUSED)
    set_claim(g, text, own ? CLAIM_PROVEN : CLAIM_REFUSED);
}

static gboolean is_proven(const FerryFlowGate *g, const guint8 *address) {
  g_autofree char *text = ipv4_text(address);
  return gate_claim(g, text) == CLAIM_PROVEN;
}

gboolean ferry_flow_gate_admits(const FerryFlowGate *g, const FerryConntrackFlow *flow) {
  return !flow->ipv6 && (is_proven(g, flow->from) || is_proven(g, flow->to));
}

static GPtrArray *claims_with(const FerryFlowGate *g, FlowClaim wanted) {
  GPtrArray *found = g_ptr_array_new();
  GHashTableIter iter;
  gpointer address, claim;
  g_hash_table_iter_init(&iter, g->claims);
  while (g_hash_table_iter_next(&iter, &address, &claim))
    if (GPOINTER_TO_INT(claim) == (int)wanted)
      g_ptr_array_add(found, address);
  return found;
}

GPtrArray *ferry_flow_gate_open(const FerryFlowGate *g) {
  return claims_with(g, CLAIM_OPEN);
}

char *ferry_flow_gate_refused(const FerryFlowGate *g) {
  g_autoptr(GPtrArray) refused = claims_with(g, CLAIM_REFUSED);
  if (!refused->len)
    return NULL;
  g_ptr_array_add(refused, NULL);
  return g_strjoinv(", ", (char **)refused->pdata);
}

/* ---- asking the network ---- */

/* This host does not answer itself. */
static void refuse_own_addresses(FerryFlowGate *g) {
  struct ifaddrs *all = NULL;
  if (getifaddrs(&all) < 0)
    return;
  for (const struct ifaddrs *i = all; i; i = i->ifa_next)
    if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
      ferry_flow_gate_answer(
          g, (const guint8 *)&((const struct sockaddr_in *)i->ifa_addr)->sin_addr, FALSE);
  freeifaddrs(all);
}

/* Where nothing is open any more a second answer, of somebody else, may still follow. */
static gint64 until_all_answered(const FerryFlowGate *g, gint64 until) {
  g_autoptr(GPtrArray) open = ferry_flow_gate_open(g);
  return open->len ? until : MIN(until, g_get_monotonic_time() + SECOND_ANSWER_MS * 1000);
}

void ferry_flow_gate_ask(FerryFlowGate *g, const GArray *nics, int ms) {
  refuse_own_addresses(g);
  g_autoptr(GPtrArray) open = ferry_flow_gate_open(g);
  gint64 until = g_get_monotonic_time() + (gint64)ms * 1000;
  guint8 mac[FERRY_MAC_BYTES], address[16];
  gboolean ipv6;
  for (guint i = 0; open->len && i < nics->len; i++) {
    const char *bridge = g_array_index(nics, FerryNic, i).bridge;
    g_autoptr(FerryPortEar) ear = ferry_port_ear_answers(bridge, NULL);
    for (guint k = 0; ear && k < open->len; k++)
      if (ferry_flow_address(open->pdata[k], &ipv6, address))
        ferry_port_ask(bridge, address, NULL);
    gint64 left = (gint64)ms * 1000;
    while (ear && left > 0 && ferry_port_ear_answer(ear, (int)(left / 1000), mac, address)) {
      ferry_flow_gate_answer(g, address, ferry_nics_have(nics, mac));
      left = until_all_answered(g, until) - g_get_monotonic_time();
    }
    until = g_get_monotonic_time() + (gint64)ms * 1000; /* of the next interface's */
  }
}

/* ---- telling the kernel ---- */

/* NULL: it is not among them. */
static FerryConntrackFlow *find_flow(const GArray *flows, const FerryConntrackFlow *flow) {
  for (guint i = 0; i < flows->len; i++) {
    FerryConntrackFlow *one = &g_array_index(flows, FerryConntrackFlow, i);
    if (ferry_flow_is_same(one, flow))
      return one;
  }
  return NULL;
}

static void forget_gone(FerryFlowGate *g) {
  for (guint i = g->given->len; i-- > 0;) {
    const FerryConntrackFlow *flow = &g_array_index(g->given, FerryConntrackFlow, i);
    if (find_flow(g->flows, flow))
      continue;
    ferry_conntrack_remove(flow, NULL);
    g_array_remove_index_fast(g->given, i);
  }
}

static void give_flow(FerryFlowGate *g, const FerryConntrackFlow *flow, gboolean arrived) {
  g_autoptr(GError) error = NULL;
  FerryConntrackFlow *before = find_flow(g->given, flow);
  if (before && (arrived || before->state == flow->state))
    return; /* the kernel knows as much, or more */
  if (!ferry_conntrack_add(flow, &error)) {
    g_free(g->trouble);
    g->trouble = g_strdup(error->message);
  } else if (before) {
    *before = *flow;
  } else {
    g_array_append_vals(g->given, flow, 1);
  }
}

void ferry_flow_gate_give(FerryFlowGate *g, gboolean arrived) {
  if (!arrived)
    forget_gone(g);
  for (guint i = 0; i < g->flows->len; i++) {
    const FerryConntrackFlow *flow = &g_array_index(g->flows, FerryConntrackFlow, i);
    if (ferry_flow_gate_admits(g, flow))
      give_flow(g, flow, arrived);
  }
}

void ferry_flow_gate_take_back(FerryFlowGate *g) {
  for (guint i = 0; i < g->given->len; i++)
    ferry_conntrack_remove(&g_array_index(g->given, FerryConntrackFlow, i), NULL);
  g_array_set_size(g->given, 0);
}
