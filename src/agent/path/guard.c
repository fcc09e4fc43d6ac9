// SPDX-License-Identifier: Apache-2.0
#include "agent/path/guard.h"
#include "model/migration/reasons.h"

typedef struct {
  gint64 acked;      /* bytes */
  gint64 changed_us; /* when that last became more */
  gint64 waits_us;   /* since when there is something to acknowledge; 0: there is not */
} GuardAcks;

void ferry_path_guard_init(FerryPathGuard *g) {
  g->connecting = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
  g->acks = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

void ferry_path_guard_clear(FerryPathGuard *g) {
  g_clear_pointer(&g->connecting, g_hash_table_unref);
  g_clear_pointer(&g->acks, g_hash_table_unref);
}

/* Since when `c` is seen connecting. */
static gint64 connecting_since(FerryPathGuard *g, const FerryHostConnection *c, gint64 now_us) {
  gint64 id = (gint64)c->id;
  gint64 *since = g_hash_table_lookup(g->connecting, &id);
  if (!since) {
    since = g_memdup2(&now_us, sizeof now_us);
    g_hash_table_insert(g->connecting, g_memdup2(&id, sizeof id), since);
  }
  return *since;
}

static FerryPathVerdict judge_silence(const FerryHostConnection *c, const FerryPathSeen *seen,
                                      gint64 now_us) {
  if (c->pending <= 0)
    return FERRY_PATH_GOOD; /* nothing to acknowledge */
  if (c->since_ack_ms >= FERRY_PATH_SILENT_MS)
    return seen->switchover_us ? FERRY_PATH_FROZEN : FERRY_PATH_LINK_DEAD;
  if (!seen->switchover_us || c->since_ack_ms < FERRY_PATH_PAUSE_SILENT_MS)
    return FERRY_PATH_GOOD;
  gint64 granted =
      MAX(FERRY_PATH_SWITCHOVER_MIN_MS, FERRY_PATH_SWITCHOVER_FACTOR * seen->allowed_ms);
  return now_us - seen->switchover_us >= granted * 1000 ? FERRY_PATH_FROZEN : FERRY_PATH_GOOD;
}

FerryPathVerdict ferry_path_guard_judge(FerryPathGuard *g, const FerryPathSeen *seen, gint64 now_us,
                                        FerryHostConnection *of) {
  if (seen->post_copy)
    return FERRY_PATH_GOOD;
  for (guint i = 0; i < seen->connections->len; i++) {
    const FerryHostConnection *c = &g_array_index(seen->connections, FerryHostConnection, i);
    FerryPathVerdict verdict = FERRY_PATH_GOOD;
    if (c->control)
      continue;
    if (!c->connecting)
      verdict = judge_silence(c, seen, now_us);
    else if (now_us - connecting_since(g, c, now_us) >= FERRY_PATH_CONNECT_MS * 1000)
      verdict = FERRY_PATH_PORT_SILENT;
    if (verdict == FERRY_PATH_GOOD)
      continue;
    *of = *c;
    return verdict;
  }
  return FERRY_PATH_GOOD;
}

static GuardAcks *acks_of(FerryPathGuard *g, const FerryHostConnection *c, gint64 now_us) {
  gint64 id = (gint64)c->id;
  GuardAcks *acks = g_hash_table_lookup(g->acks, &id);
  if (!acks) {
    acks = g_new0(GuardAcks, 1);
    *acks = (GuardAcks){c->acked, now_us, 0};
    g_hash_table_insert(g->acks, g_memdup2(&id, sizeof id), acks);
  }
  return acks;
}

/* For how long nothing more was acknowledged, in ms; 0: something was, or nothing has to be. Where
 * only the way there is dead, the other side goes on sending, and repeats its last acknowledgement
 * with it: then the kernel's time since one came says nothing. */
static gint64 unanswered_ms(FerryPathGuard *g, const FerryHostConnection *c, gint64 now_us) {
  GuardAcks *acks = acks_of(g, c, now_us);
  if (acks->acked != c->acked)
    *acks = (GuardAcks){c->acked, now_us, 0};
  if (c->pending <= 0)
    acks->waits_us = 0;
  else if (!acks->waits_us)
    acks->waits_us = now_us;
  if (c->acked < 0 || !acks->waits_us ||
      now_us - acks->waits_us < (gint64)FERRY_PATH_UNANSWERED_MS * 1000)
    return 0;
  return (now_us - acks->changed_us) / 1000;
}

gint64 ferry_path_control_silent_ms(FerryPathGuard *g, const GArray *connections, gint64 now_us,
                                    FerryHostConnection *of) {
  gint64 longest = 0;
  for (guint i = 0; i < connections->len; i++) {
    const FerryHostConnection *c = &g_array_index(connections, FerryHostConnection, i);
    if (!c->control)
      continue;
    gint64 ms = MAX(unanswered_ms(g, c, now_us), c->pending > 0 ? c->since_ack_ms : 0);
    if (ms < FERRY_PATH_SILENT_MS || ms <= longest)
      continue;
    longest = ms;
    *of = *c;
  }
  return longest;
}

const char *ferry_path_verdict_reason(FerryPathVerdict verdict) {
  switch (verdict) {
  case FERRY_PATH_GOOD:
    break;
  case FERRY_PATH_PORT_SILENT:
    return ferry_reason_name(FERRY_REASON_TARGET_PORT_CLOSED);
  case FERRY_PATH_LINK_DEAD:
  case FERRY_PATH_FROZEN:
    return ferry_reason_name(FERRY_REASON_LINK_STALLED);
  }
  return NULL;
}

char *ferry_path_verdict_message(FerryPathVerdict verdict, const FerryHostConnection *of,
                                 const char *target, const char *address, gint64 frozen_ms) {
  double silent = (double)of->since_ack_ms / 1000;
  unsigned port = of->port;
  switch (verdict) {
  case FERRY_PATH_GOOD:
    break;
  case FERRY_PATH_PORT_SILENT:
    return g_strdup_printf("port %u of %s (%s), where its QEMU waits for the VM, did not answer "
                           "for %d s: a firewall drops what goes there; open ports 49152 to 49215 "
                           "on %s to this host (migration_port_min and _max of its qemu.conf)",
                           port, target, address, FERRY_PATH_CONNECT_MS / 1000, target);
  case FERRY_PATH_LINK_DEAD:
    return g_strdup_printf("%s (%s) has acknowledged nothing for %.1f s: the link to it, or the "
                           "host, is down; look at the network between both hosts",
                           target, address, silent);
  case FERRY_PATH_FROZEN:
    return g_strdup_printf("%s (%s) has acknowledged nothing for %.1f s while the VM was paused "
                           "for its switch-over, %.1f s by then: the connection was closed so that "
                           "the VM goes on here; look at the network between both hosts",
                           target, address, silent, (double)frozen_ms / 1000);
  }
  return NULL;
}
