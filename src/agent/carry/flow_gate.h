// SPDX-License-Identifier: Apache-2.0
// The target's half of what becomes of a VM's connections: which of those that the source's agent
// wrote (flow_source.h) this host's kernel is told of, so that its firewall lets them go on. A
// connection of somebody else's is a hole in that firewall, so the source's word is not enough: an
// address is the VM's only where the network, asked from here (ARP), answers with the MAC address
// of the VM's interface here, with no other one, and where it is not this host's own.
//
// One thread alone; no lock.
#pragma once
#include "agent/carry/flow_text.h"
#include "base/json.h"

G_BEGIN_DECLS

typedef struct {
  GArray *flows;      /* FerryConntrackFlow, the newest that were written; owned */
  GArray *given;      /* those that the kernel was told of; owned */
  GHashTable *claims; /* address as text -> claim; owned */
  guint left, bad;    /* that the source left out, that are not connections */
  gboolean last;      /* the source wrote no more after these */
  char *trouble;      /* what the kernel said last; owned, NULL: it took all */
} FerryFlowGate;

/** Nothing is written yet, and nobody has answered. */
void ferry_flow_gate_init(FerryFlowGate *gate);
void ferry_flow_gate_clear(FerryFlowGate *gate);

/** Reads what the source's agent wrote (status.migrationState.flows, may be NULL) instead of what
 * it wrote before. Pure. */
void ferry_flow_gate_read(FerryFlowGate *gate, const json_t *flows);
/** Somebody answered for `address`: `own` is whether by a MAC address of the VM's. One who is not
 * takes it away for good. Pure. */
void ferry_flow_gate_answer(FerryFlowGate *gate, const guint8 address[4], gboolean own);
/** Whether the kernel may be told of `flow`. Pure. */
gboolean ferry_flow_gate_admits(const FerryFlowGate *gate, const FerryConntrackFlow *flow);
/** The addresses that nobody has answered for yet: text, borrowed, for the caller to free the
 * array. */
GPtrArray *ferry_flow_gate_open(const FerryFlowGate *gate);
/** Those that somebody else answered for, or which are this host's own: words, NULL: none. Free
 * with g_free. */
char *ferry_flow_gate_refused(const FerryFlowGate *gate);

/** Asks for the open ones at the bridges of `nics` (FerryNic), and listens for `ms`. */
void ferry_flow_gate_ask(FerryFlowGate *gate, const GArray *nics, int ms);
/** Tells the kernel of those that may be, and to forget those that were written before and are not
 * any more; with `arrived` the guest runs here, and what is known of its connections is newer. */
void ferry_flow_gate_give(FerryFlowGate *gate, gboolean arrived);
/** Has the kernel forget all that it was told: the VM did not come. */
void ferry_flow_gate_take_back(FerryFlowGate *gate);

G_END_DECLS
