// SPDX-License-Identifier: Apache-2.0
#include "base/edit_distance.h"
#include "base/limits.h"
#include <string.h>

#define MAX_BYTES FERRY_DNS_NAME_MAX /* it bounds what a comparison costs */

guint ferry_edit_distance(const char *a, const char *b, guint limit) {
  gsize la = strlen(a), lb = strlen(b);
  if (la > MAX_BYTES || lb > MAX_BYTES || (la > lb ? la - lb : lb - la) > limit)
    return G_MAXUINT;
  guint row[MAX_BYTES + 1];
  for (gsize j = 0; j <= lb; j++)
    row[j] = (guint)j;
  for (gsize i = 1; i <= la; i++) {
    guint diagonal = row[0];
    row[0] = (guint)i;
    for (gsize j = 1; j <= lb; j++) {
      guint cost = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = MIN(cost, MIN(row[j], row[j - 1]) + 1);
    }
  }
  return row[lb] <= limit ? row[lb] : G_MAXUINT;
}

const char *ferry_nearest(const char *word, const char *const *candidates) {
  const char *best = NULL;
  gsize letters = strlen(word);
  guint best_distance = (guint)(letters < 4 ? 1 : MAX(letters / 3, 2)) + 1;
  for (; *candidates != NULL; candidates++) {
    guint d = ferry_edit_distance(word, *candidates, best_distance);
    if (d < best_distance) {
      best = *candidates;
      best_distance = d;
    }
  }
  return best;
}
