// SPDX-License-Identifier: Apache-2.0
// Each request is carried out once, and only while the record still says that the target has not
// noticed: a word that is read late must not close the connection of the next try. Closed is what
// the domain's own QEMU has open at the port that the source saw its data go to.
#include "agent/path/half_open.h"
#include "base/log.h"
#include "model/migration/doubt.h"
#include "model/migration/phase.h"
#include "model/migration/recovery.h"

void ferry_half_open_init(FerryHalfOpen *h, FerryHost *host, const char *node) {
  h->host = host;
  h->node = g_strdup(node);
  h->closed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void ferry_half_open_clear(FerryHalfOpen *h) {
  g_clear_pointer(&h->closed, g_hash_table_unref);
  g_clear_pointer(&h->node, g_free);
}

/* The number of the request that is to be carried out; 0: none. */
static gint64 half_open_request(const FerryHalfOpen *h, const char *uid, const json_t *m) {
  const gint64 *done = g_hash_table_lookup(h->closed, uid);
  gint64 request = ferry_recovery_close_request(m);
  gboolean mine = ferry_phase_of(m) == FERRY_PHASE_RUNNING &&
                  g_strcmp0(ferry_side_node(m, FERRY_SIDE_TARGET), h->node) == 0;
  return mine && request > (done ? *done : 0) ? request : 0;
}

static void half_open_close(const char *uuid, const json_t *m, FerryHost *host) {
  g_autoptr(GError) error = NULL;
  guint n = 0;
  g_autofree char *text = NULL;
  if (!ferry_host_incoming_close(host, uuid, ferry_recovery_port(m), &n, &error))
    text = g_strdup_printf("the dead connection of a broken post-copy was not closed: %s",
                           error->message);
  else
    text =
        g_strdup_printf("closed %u connections of a post-copy that the source says is broken", n);
  ferry_info(text, "FERRY_DOMAIN", uuid);
}

void ferry_half_open_see(FerryHalfOpen *h, const char *type, const json_t *m) {
  const char *uid = ferry_json_str(m, "metadata.uid");
  const char *uuid = ferry_json_str(m, "status.migrationState.vmiUID");
  if (!h->closed || !uid)
    return;
  if (g_str_equal(type, "DELETED") || ferry_phase_is_final(ferry_phase_of(m))) {
    g_hash_table_remove(h->closed, uid);
    return;
  }
  gint64 request = half_open_request(h, uid, m);
  if (!request || !uuid)
    return;
  g_hash_table_replace(h->closed, g_strdup(uid), g_memdup2(&request, sizeof request));
  half_open_close(uuid, m, h->host);
}
