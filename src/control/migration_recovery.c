// SPDX-License-Identifier: Apache-2.0
// A post-copy that broke is resumed by the source's agent; while it is, the migration goes on, and
// everybody who looks at it reads what it waits for.
#include "control/migration_private.h"
#include "model/migration/reasons.h"
#include "model/migration/recovery.h"

/* TRUE: its words are new. */
gboolean ferry_step_guard_recovering(FerryStep *s) {
  FerryRecoveryState state = ferry_recovery_of(s->m);
  if (state == FERRY_RECOVERY_NONE || ferry_json_get(s->m, "status.migrationState.agentResult"))
    return FALSE;
  gboolean broken = state != FERRY_RECOVERY_RECOVERED;
  const char *message = broken ? ferry_recovery_message(s->m) : NULL;
  const char *reason = broken ? ferry_reason_name(FERRY_REASON_POST_COPY_BROKEN) : NULL;
  if (g_strcmp0(ferry_json_str(s->m, "status.message"), message) == 0 &&
      g_strcmp0(ferry_json_str(s->m, "status.reason"), reason) == 0)
    return FALSE;
  ferry_step_set(s, "status.message", message ? json_string(message) : NULL);
  ferry_step_set(s, "status.reason", reason ? json_string(reason) : NULL);
  return TRUE;
}
