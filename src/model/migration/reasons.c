// SPDX-License-Identifier: Apache-2.0
#include "model/migration/reasons.h"

#define SEE_AGENT "See journalctl -u ferry-agentd on that host."
#define WITH_VIRSH "Look at the domain on both hosts with virsh"

#define AS_ROW(kind, id, name, text, advice)                                                       \
  [FERRY_REASON_##id] = {FERRY_REASONS_##kind, name, text, advice},

static const FerryReasonRow reason_rows[FERRY_REASON_LAST] = {FERRY_REASONS(AS_ROW)};

static const struct {
  const char *title, *field;
} reason_kinds[FERRY_REASONS_KINDS] = {
    [FERRY_REASONS_ENDED] = {"A migration that has ended", "`status.reason` of a migration"},
    [FERRY_REASONS_WAITS] = {"A migration that waits",
                             "`status.queue.reason` and `status.reason` of a migration"},
    [FERRY_REASONS_REFUSED] = {"A host that cannot take the VM",
                               "`status.refusals[].reasons[]` of a migration, and `ferry check`"},
    [FERRY_REASONS_IMMOBILE] = {"A VM that cannot move live",
                                "the conditions `LiveMigratable` and `StorageLiveMigratable` of a "
                                "VM, which KubeVirt names so"},
    [FERRY_REASONS_CONDITION] = {"Other conditions", "`status.conditions[].reason`"},
    [FERRY_REASONS_DECISION] = {"Decisions while it runs",
                                "`status.decisions[].code` of a migration, besides the reasons it "
                                "may end with"},
    [FERRY_REASONS_EVENT] = {"Events", "`reason` of an Event, besides all of the above"},
    [FERRY_REASONS_RPC] = {"The agent's local socket", "`reason` of an answer"},
};

const char *ferry_reason_name(FerryReason reason) {
  return reason_rows[reason].name;
}

FerryReason ferry_reason_parse(FerryReasonKind kind, const char *name) {
  guint reason = name ? FERRY_REASON_LAST - 1 : FERRY_REASON_NONE;
  while (reason > FERRY_REASON_NONE &&
         (reason_rows[reason].kind != kind || !g_str_equal(reason_rows[reason].name, name)))
    reason--;
  return (FerryReason)reason;
}

const FerryReasonRow *ferry_reason_row(FerryReason reason) {
  return reason == FERRY_REASON_NONE ? NULL : &reason_rows[reason];
}

gboolean ferry_reason_is(const json_t *object, FerryReason reason) {
  return g_strcmp0(ferry_json_str(object, "status.reason"), reason_rows[reason].name) == 0;
}

char *ferry_reasons_markdown(void) {
  GString *out = g_string_new(
      "# Troubleshooting\n\n"
      "Whatever Ferry does not do, it gives a reason: one word for programs, and a message with "
      "the names and numbers of the case. `ferry describe vmim NAME` shows them, `ferry explain "
      "NAME` "
      "the decisions, `ferry check VM` what stands in the way now. Every word is listed below; how "
      "an end "
      "is decided is in [outcomes.md](outcomes.md). Made by `build/src/policy/reasons-doc` from "
      "`src/model/migration/reasons_table.h`.\n");
  for (guint kind = 0; kind < FERRY_REASONS_KINDS; kind++) {
    g_string_append_printf(out,
                           "\n## %s\n\nIn %s.\n\n| reason | what it means | what to do |\n"
                           "|---|---|---|\n",
                           reason_kinds[kind].title, reason_kinds[kind].field);
    for (guint i = FERRY_REASON_NONE + 1; i < FERRY_REASON_LAST; i++)
      if (reason_rows[i].kind == kind)
        g_string_append_printf(out, "| `%s` | %s | %s |\n", reason_rows[i].name,
                               reason_rows[i].text, reason_rows[i].advice);
  }
  return g_string_free(out, FALSE);
}
