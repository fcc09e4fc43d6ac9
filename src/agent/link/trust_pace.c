// SPDX-License-Identifier: Apache-2.0
#include "agent/link/trust_pace.h"
#include "base/limits.h"

gboolean ferry_trust_pace_due(FerryTrustPace *pace, const char *said, gint64 now_us) {
  static const gint64 pauses_s[] = {60, 600, FERRY_DAY_S};
  if (g_strcmp0(said, pace->said) != 0) {
    g_free(pace->said);
    *pace = (FerryTrustPace){.said = g_strdup(said)};
  }
  if (pace->tries > 0 && now_us < pace->next_us)
    return FALSE;
  pace->next_us = now_us + pauses_s[MIN(pace->tries, G_N_ELEMENTS(pauses_s) - 1)] * G_USEC_PER_SEC;
  pace->tries++;
  return TRUE;
}
