// SPDX-License-Identifier: Apache-2.0
#include "control/evacuation/evacuation_estimate.h"
#include "base/limits.h"
#include "model/domain/copied_disks.h"
#include "model/migration/phase.h"
#include "policy/network/data_way.h"
#include "policy/place/moves_bound.h"

struct FerryEvacuationEstimate {
  GArray *moves;      /* of FerryMove */
  GPtrArray *entries; /* of each, borrowed */
  GPtrArray *texts;   /* names of networks, which routes own */
  gint64 at_once;
};

FerryEvacuationEstimate *ferry_evacuation_estimate_new(void) {
  FerryEvacuationEstimate *e = g_new0(FerryEvacuationEstimate, 1);
  e->moves = g_array_new(FALSE, FALSE, sizeof(FerryMove));
  e->entries = g_ptr_array_new();
  e->texts = g_ptr_array_new_with_free_func(g_free);
  return e;
}

void ferry_evacuation_estimate_free(FerryEvacuationEstimate *e) {
  if (!e)
    return;
  g_array_unref(e->moves);
  g_ptr_array_unref(e->entries);
  g_ptr_array_unref(e->texts);
  g_free(e);
}

/* What the guest was last seen to write, where it wrote alike twice. */
static gint64 write_rate(const json_t *vmi) {
  const json_t *lessons = ferry_json_get(vmi, "status.lessons");
  gsize n = json_array_size(lessons);
  const json_t *last = n ? json_array_get(lessons, n - 1) : NULL;
  return ferry_json_bool(last, "steady", FALSE) ? ferry_json_int(last, "writeRateBytesPerSecond", 0)
                                                : 0;
}

void ferry_evacuation_estimate_take(FerryEvacuationEstimate *e, json_t *entry, const json_t *vmi,
                                    const json_t *config, const json_t *source,
                                    const json_t *target, json_t *const *networks, gsize n) {
  g_auto(FerryRoute) route = {0};
  g_autofree char *problem = NULL;
  FerryMove move = {
      .source = ferry_json_str(source, "metadata.name"),
      .target = ferry_json_str(target, "metadata.name"),
      .bytes = ferry_json_int(vmi, "status.guestMemoryBytes", 0) +
               ferry_copied_disks_bytes(config, ferry_json_get(vmi, "spec.domain.devices.disks")),
      .cap = ferry_json_int(config, "bandwidthPerMigration", 0),
      .writes = write_rate(vmi),
      .at_once_out = ferry_json_int(config, "parallelOutboundMigrationsPerNode", 0),
      .at_once_in = ferry_json_int(config, "parallelInboundMigrationsPerNode", 0)};
  if (!move.source || !move.target)
    return;
  if (ferry_data_way(networks, n, config, source, target, &route, &problem)) {
    ferry_network_ends_mbps(source, target, route.address, &move.out, &move.in);
    move.out *= FERRY_BYTES_PER_MBIT;
    move.in *= FERRY_BYTES_PER_MBIT;
  }
  if (route.network) {
    g_ptr_array_add(e->texts, g_strdup(route.network));
    move.network = e->texts->pdata[e->texts->len - 1];
  }
  e->at_once = ferry_json_int(config, "parallelMigrationsPerCluster", 0);
  g_array_append_val(e->moves, move);
  g_ptr_array_add(e->entries, entry);
}

json_t *ferry_evacuation_estimate_end(FerryEvacuationEstimate *e) {
  FerryMove *moves = (FerryMove *)e->moves->data;
  g_autofree char *by = NULL;
  json_t *plan = json_object();
  gint64 bytes = 0, bound = ferry_moves_bound(moves, e->moves->len, &by);
  gint64 forecast = ferry_moves_forecast(moves, e->moves->len, e->at_once);
  for (guint i = 0; i < e->moves->len; i++) {
    bytes += moves[i].bytes;
    ferry_json_set_int(e->entries->pdata[i], "bytes", moves[i].bytes);
    if (moves[i].ends_ms >= 0)
      ferry_json_set_int(e->entries->pdata[i], "forecastMs", moves[i].ends_ms);
  }
  ferry_json_set_int(plan, "bytes", bytes);
  if (by) {
    ferry_json_set_int(plan, "boundMs", bound);
    ferry_json_set_str(plan, "boundBy", by);
  }
  if (forecast >= 0)
    ferry_json_set_int(plan, "forecastMs", forecast);
  return plan;
}

/* Who leaves after the deadline, and of whom it isn't known when. */
typedef struct {
  guint late, unknown;
  GString *names; /* of some that are late */
} Lateness;

static void lateness_take(Lateness *l, const json_t *entry, gint64 within_ms) {
  const char *name = ferry_json_str(entry, "name");
  gint64 ends = ferry_json_int(entry, "forecastMs", -1);
  gboolean stays = ferry_phase_parse(ferry_json_str(entry, "phase")) == FERRY_PHASE_FAILED;
  if (ends < 0 && !stays) {
    l->unknown++;
    return;
  }
  if (!stays && ends <= within_ms)
    return;
  if (l->late++ < FERRY_NAMED_MAX)
    g_string_append_printf(l->names, "%s%s", l->late > 1 ? ", " : "", name ? name : "?");
  else if (l->late == FERRY_NAMED_MAX + 1)
    g_string_append(l->names, ", ...");
}

char *ferry_evacuation_deadline_text(json_t *plan, const json_t *vms, gint64 within_ms) {
  g_autoptr(GString) names = g_string_new(NULL), text = g_string_new(NULL);
  Lateness l = {.names = names};
  gint64 bound = ferry_json_int(plan, "boundMs", -1);
  gsize i;
  json_t *entry;
  json_array_foreach((json_t *)vms, i, entry) lateness_take(&l, entry, within_ms);
  ferry_json_set_int(plan, "late", l.late);
  if (bound > within_ms)
    g_string_printf(text,
                    "the deadline, %.1f s from now, can't be met: no order of moves takes less "
                    "than %.1f s",
                    (double)within_ms / 1000, (double)bound / 1000);
  if (l.late) {
    g_autofree char *from_now =
        text->len ? g_strdup("") : g_strdup_printf(", %.1f s from now", (double)within_ms / 1000);
    g_string_append_printf(text, "%s%u VM%s not expected to have left by the deadline%s: %s",
                           text->len ? "; " : "", l.late, l.late == 1 ? " is" : "s are", from_now,
                           names->str);
  }
  if (l.unknown)
    g_string_append_printf(text, "%sof %u%s VM%s it is not known when they will have left",
                           text->len ? "; " : "", l.unknown, l.late ? " more" : "",
                           l.unknown == 1 ? "" : "s");
  return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}
