// SPDX-License-Identifier: Apache-2.0
#include "policy/place/score.h"

#define WHOLE 1000
#define UNKNOWN (WHOLE / 2)

/* `part` of `all`, at most the whole. */
static gint score_share(gint64 part, gint64 all) {
  if (part < 0 || all <= 0)
    return -1;
  return (gint)((double)MIN(part, all) / (double)all * WHOLE);
}

/* Free is better where VMs are to be spread. */
static gint of_free(gint free, gboolean pack) {
  return free < 0 ? UNKNOWN : pack ? WHOLE - free : free;
}

/* Processors may be given out several times; four for one is full. */
static gint free_processors(const FerryHostFacts *host) {
  if (host->processors <= 0 || host->processors_used < 0)
    return -1;
  return WHOLE - score_share(host->processors_used, 4 * host->processors);
}

void ferry_score_hosts(const FerryHostFacts *hosts, gsize n, gboolean pack, FerryHostScore *out) {
  gint64 fastest = 0;
  for (gsize i = 0; i < n; i++)
    fastest = MAX(fastest, hosts[i].speed_mbps);
  for (gsize i = 0; i < n; i++) {
    gint link = hosts[i].speed_mbps > 0 ? score_share(hosts[i].speed_mbps, fastest) : -1;
    FerryHostScore s = {
        .memory = of_free(score_share(hosts[i].memory_after, hosts[i].memory), pack),
        .processors = of_free(free_processors(&hosts[i]), pack),
        .link = link < 0 ? UNKNOWN : link,
        .inbound = hosts[i].inbound < 0 ? UNKNOWN : (gint)(WHOLE / (1 + hosts[i].inbound))};
    s.total = (4 * s.memory + 3 * s.link + 2 * s.processors + s.inbound) / 10;
    out[i] = s;
  }
}

char *ferry_score_text(const FerryHostScore *score) {
  return g_strdup_printf("%d of %d (memory %d, processors %d, link %d, inbound %d)", score->total,
                         WHOLE, score->memory, score->processors, score->link, score->inbound);
}
