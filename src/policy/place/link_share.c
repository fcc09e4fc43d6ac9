// SPDX-License-Identifier: Apache-2.0
#include "policy/place/link_share.h"

static gint by_cap(gconstpointer a, gconstpointer b) {
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
  return x < y ? -1 : x > y;
}

gint64 ferry_link_share(gint64 rate, const gint64 *caps, gsize n, gint64 cap) {
  g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(gint64));
  gint64 left = rate;
  gsize sharing = n + 1; /* who has no limit, or one above his share, and this one */
  for (gsize i = 0; i < n; i++)
    if (caps[i] > 0)
      g_array_append_val(sorted, caps[i]);
  g_array_sort(sorted, by_cap);
  for (guint i = 0; i < sorted->len; i++) { /* the smallest first: what they leave is shared anew */
    gint64 one = g_array_index(sorted, gint64, i);
    if (one >= left / (gint64)sharing)
      break;
    left -= one;
    sharing--;
  }
  gint64 share = left / (gint64)sharing;
  return cap > 0 ? MIN(cap, share) : share;
}
