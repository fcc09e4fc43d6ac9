// SPDX-License-Identifier: Apache-2.0
#include "policy/link_use.h"
#include "base/limits.h"
#include "base/quantity.h"
#include "model/migration/migration.h"
#include "policy/place/link_share.h"

typedef void (*LinkUseFound)(FerryReason reason, const char *text, gpointer data);

/* Whether `m` has its place, and its data go by the network. */
static gboolean link_use_takes(const FerryLinkUse *use, const json_t *m) {
  return !ferry_migration_is_final(m) && !ferry_migration_is_forecast(m) &&
         !(use->own && g_strcmp0(ferry_json_str(m, "metadata.uid"), use->own) == 0) &&
         ferry_json_str(m, FERRY_STATE "targetNode") &&
         g_strcmp0(ferry_json_str(m, FERRY_STATE "network"),
                   ferry_json_str(use->network, "metadata.name")) == 0;
}

/* Limits of those whose `end` is `node`. */
static GArray *link_use_caps(const FerryLinkUse *use, const char *end, const char *node) {
  GArray *caps = g_array_new(FALSE, FALSE, sizeof(gint64));
  for (gsize i = 0; i < use->n_migrations; i++) {
    const json_t *m = use->migrations[i];
    gint64 cap = ferry_json_int(m, FERRY_STATE "migrationConfiguration.bandwidthPerMigration", 0);
    if (link_use_takes(use, m) && g_strcmp0(ferry_json_str(m, end), node) == 0)
      g_array_append_val(caps, cap);
  }
  return caps;
}

/* Bytes a second, as people write it; 0: none is said. */
static gint64 least_rate(const json_t *network) {
  const json_t *said = ferry_json_get(network, "spec.leastRate");
  gint64 bytes = 0;
  if (json_is_string(said) && !ferry_quantity_parse(json_string_value(said), &bytes, NULL))
    return 0;
  return json_is_integer(said) ? json_integer_value(said) : bytes;
}

static void link_use_of_end(const FerryLinkUse *use, gboolean out, LinkUseFound found,
                            gpointer data) {
  const char *node = out ? use->source : use->target;
  gint64 rate = (out ? use->out_mbps : use->in_mbps) * FERRY_BYTES_PER_MBIT;
  gint64 least = least_rate(use->network);
  g_autoptr(GArray) caps =
      link_use_caps(use, out ? FERRY_STATE "sourceNode" : FERRY_STATE "targetNode", node);
  gint64 share = ferry_link_share(rate, (const gint64 *)caps->data, caps->len, use->cap);
  if (least <= 0 || rate <= 0 || caps->len == 0 ||
      share >= (use->cap > 0 ? MIN(least, use->cap) : least))
    return;
  g_autofree char *left = ferry_bytes_format((double)share);
  g_autofree char *wanted = ferry_bytes_format((double)least);
  g_autofree char *text = g_strdup_printf(
      "%u migration%s the link of %s on Network \"%s\", which would leave this one %s/s; its "
      "leastRate is %s/s",
      caps->len, caps->len == 1 ? " uses" : "s use", node,
      ferry_json_str(use->network, "metadata.name"), left, wanted);
  found(FERRY_REASON_LINK_FULL, text, data);
}

void ferry_link_use_against(const FerryLinkUse *use, LinkUseFound found, gpointer data) {
  gint64 limit = ferry_json_int(use->network, "spec.parallelInboundPerNode", 0);
  g_autoptr(GArray) inbound = link_use_caps(use, FERRY_STATE "targetNode", use->target);
  if (limit > 0 && inbound->len >= limit) {
    g_autofree char *text = g_strdup_printf(
        "%u migrations enter node %s by Network \"%s\", the limit is %" G_GINT64_FORMAT
        " (its parallelInboundPerNode)",
        inbound->len, use->target, ferry_json_str(use->network, "metadata.name"), limit);
    found(FERRY_REASON_INBOUND_LIMIT, text, data);
  }
  link_use_of_end(use, TRUE, found, data);
  link_use_of_end(use, FALSE, found, data);
}
