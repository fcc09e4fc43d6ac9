// SPDX-License-Identifier: Apache-2.0
// How often the agent has libvirt's TLS set up where that does not come about: each try may restart
// libvirtd.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** All zeros at first; `said` is its own. */
typedef struct {
  char *said; /* when somebody last asked for it */
  guint tries;
  gint64 next_us;
} FerryTrustPace;

/** Whether it is to be tried at `now_us`, which is then taken as done: at once where somebody has
 * asked for it anew (`said` is another text, may be NULL), then after a minute, ten minutes, and a
 * day each. */
gboolean ferry_trust_pace_due(FerryTrustPace *pace, const char *said, gint64 now_us);

G_END_DECLS
