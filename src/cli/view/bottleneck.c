// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a rate that reaches the limit or the link is held back by that one. One that
// reaches neither is held back by a processor, as the kernel's buffers hide all else: by the one
// that encrypts where TLS goes over one connection, else by either host's.
#include "cli/view/bottleneck.h"
#include "base/quantity.h"
#include "cli/view/text.h"

#define REACHED 0.85
#define LINK_SHARE 2 /* linkRateBytesPerSecond is half of the link's speed */
#define LINK_REACHED 0.75

char *ferry_bottleneck_text(const json_t *m) {
  const json_t *config = ferry_json_get(m, "status.migrationState.migrationConfiguration");
  gint64 rate =
      ferry_json_int(m, "status.summary.averageRateBytesPerSecond",
                     ferry_json_int(m, "status.progress.memoryTransferRateBytesPerSecond", 0));
  gint64 cap = ferry_json_int(config, "bandwidthPerMigration", 0);
  gint64 half = ferry_json_int(config, "linkRateBytesPerSecond", 0);
  double link = half > 0 ? (double)half * LINK_SHARE : 0;
  if (rate <= 0 || !config)
    return NULL;
  g_autofree char *limit = ferry_rate_format(cap);
  if (cap > 0 && (double)rate >= REACHED * (double)cap)
    return g_strdup_printf("Held back by the bandwidth limit, %s (bandwidthPerMigration)", limit);
  if (link <= 0)
    return NULL;
  g_autofree char *wire = ferry_rate_format((gint64)link);
  if ((double)rate >= LINK_REACHED * link)
    return g_strdup_printf("Held back by the link, about %s", wire);
  if (!ferry_json_bool(config, "disableTLS", TRUE) && !ferry_json_bool(config, "parallel", FALSE))
    return g_strdup_printf(
        "Slower than the link, about %s: most likely held back by TLS, which one "
        "processor does for one connection (parallel, or disableTLS on a "
        "network that is trusted)",
        wire);
  return g_strdup_printf("Slower than the link, about %s: most likely held back by a processor of "
                         "either host, or by what else the link carries",
                         wire);
}
