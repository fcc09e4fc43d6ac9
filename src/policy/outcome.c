// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the question's four parts are small enumerations, so a row is four sets and
// an answer. Rows are tried in order; the last ones name every state of one side, so that nothing
// falls through (a test asks for every combination, and that each row is the answer to some).
//
// What the rows rest on: a copy whose reason says post-copy is not at its end, as both libvirtds go
// on by themselves; a copy that runs with the reason "post-copy failed" is dead for good once the
// other half is gone; before the switch-over only the source can run; after it the source is
// suspended until the target has confirmed, so that a suspended source beside a running target is a
// hand-over that was not confirmed, and a running source beside a running target two copies.
#include "policy/outcome.h"
#include "model/domain/domain_states.h"
#include "model/migration/reasons.h"

#define SET(x) (1u << (x))
#define ANY 0xffffu

enum {
  S_UNKNOWN = SET(FERRY_COPY_UNKNOWN),
  S_ABSENT = SET(FERRY_COPY_ABSENT),
  S_OFF = SET(FERRY_COPY_OFF),
  S_STOPPED = SET(FERRY_COPY_STOPPED),
  S_LEFT = SET(FERRY_COPY_LEFT),
  S_RUNS = SET(FERRY_COPY_RUNS),
  S_PAUSED = SET(FERRY_COPY_PAUSED),
  S_SUSPENDED = SET(FERRY_COPY_SUSPENDED),
  S_POSTCOPY = SET(FERRY_COPY_POSTCOPY),
  S_BROKEN = SET(FERRY_COPY_POSTCOPY_FAILED),
  /* not there as a machine */
  S_NOTHING = S_ABSENT | S_OFF | S_STOPPED | S_LEFT,
  S_ALIVE = S_RUNS | S_PAUSED,
  PRE = 1,
  POST = 2,
  CALL_NOT_MADE = SET(FERRY_CALL_NOT_MADE),
  CALL_MADE = SET(FERRY_CALL_FAILED) | SET(FERRY_CALL_OK),
  CALL_OK = SET(FERRY_CALL_OK),
};

typedef struct {
  unsigned source, target, mode, call;
  FerryOutcomeKind kind;
  gboolean settles;
  const char *why;
} OutcomeRow;

static const OutcomeRow outcome_rows[] = {
    /* nothing was begun: whatever the source has, it has as before */
    {S_STOPPED, ANY, ANY, CALL_NOT_MADE, FERRY_OUTCOME_STOPPED, FALSE,
     "it was stopped before libvirt was called"},
    {ANY, ANY, ANY, CALL_NOT_MADE, FERRY_OUTCOME_STAYED, FALSE, "libvirt was never called"},

    /* post-copy that is not at its end */
    {S_POSTCOPY | S_SUSPENDED | S_PAUSED | S_UNKNOWN, S_POSTCOPY, ANY, CALL_MADE,
     FERRY_OUTCOME_WAIT, FALSE, "post-copy goes on: both libvirtds finish it by themselves"},
    {S_POSTCOPY, S_RUNS | S_PAUSED | S_SUSPENDED, ANY, CALL_MADE, FERRY_OUTCOME_WAIT, FALSE,
     "post-copy goes on: the source has not seen its end yet"},
    {S_POSTCOPY, S_UNKNOWN, ANY, CALL_MADE, FERRY_OUTCOME_UNKNOWN, FALSE,
     "in post-copy the VM is on the target, which can't speak"},
    {S_LEFT, S_POSTCOPY, ANY, CALL_MADE, FERRY_OUTCOME_WAIT, FALSE,
     "the source has finished post-copy, the target is about to"},
    {S_ABSENT | S_OFF | S_STOPPED, S_POSTCOPY, ANY, CALL_MADE, FERRY_OUTCOME_LOST, TRUE,
     "the source is gone in the middle of post-copy, and with it the memory not sent yet"},

    /* post-copy that broke */
    {S_ALIVE | S_SUSPENDED | S_POSTCOPY | S_BROKEN, S_BROKEN, ANY, CALL_MADE, FERRY_OUTCOME_BROKEN,
     FALSE, "each host holds a part of the VM's memory"},
    {S_NOTHING, S_BROKEN, ANY, CALL_MADE, FERRY_OUTCOME_LOST, FALSE,
     "the memory that had not been sent is gone with the source"},
    {S_UNKNOWN, S_BROKEN, ANY, CALL_MADE, FERRY_OUTCOME_UNKNOWN, FALSE,
     "whether the other half of the memory is still there only the source knows"},
    {S_BROKEN | S_POSTCOPY, S_NOTHING, ANY, CALL_MADE, FERRY_OUTCOME_LOST, FALSE,
     "the memory that had been sent is gone with the target"},
    {S_BROKEN, S_UNKNOWN, ANY, CALL_MADE, FERRY_OUTCOME_BROKEN, TRUE,
     "the source keeps its half of the memory, and the target's half can't be seen"},
    {S_BROKEN, S_ALIVE | S_SUSPENDED | S_POSTCOPY, ANY, CALL_MADE, FERRY_OUTCOME_BROKEN, TRUE,
     "the target has not noticed that the connection broke"},

    /* the target has the VM */
    {S_NOTHING, S_ALIVE, ANY, CALL_MADE, FERRY_OUTCOME_MOVED, FALSE, "only the target has it"},
    {S_SUSPENDED, S_ALIVE, ANY, CALL_MADE, FERRY_OUTCOME_BOTH, TRUE,
     "the target has it, and the source's copy was not given up: it must never be resumed"},
    {S_ALIVE, S_ALIVE, ANY, CALL_MADE, FERRY_OUTCOME_BOTH, TRUE, "two copies are active"},
    {S_ALIVE, S_POSTCOPY, ANY, CALL_MADE, FERRY_OUTCOME_BOTH, TRUE, "two copies are active"},
    {S_UNKNOWN, S_ALIVE, ANY, CALL_MADE, FERRY_OUTCOME_UNKNOWN, FALSE,
     "the target has it, and whether the source has a copy only the source knows"},

    /* it was stopped on the way */
    {S_STOPPED, S_ABSENT | S_OFF | S_STOPPED | S_LEFT | S_SUSPENDED, ANY, CALL_MADE,
     FERRY_OUTCOME_STOPPED, FALSE, "it was stopped on the source before it was handed over"},
    {S_STOPPED, S_UNKNOWN, PRE, CALL_MADE, FERRY_OUTCOME_STOPPED, FALSE,
     "it was stopped on the source before it was handed over"},

    /* the source has it */
    {S_ALIVE, S_NOTHING, ANY, CALL_MADE, FERRY_OUTCOME_STAYED, FALSE, "only the source has it"},
    {S_ALIVE, S_SUSPENDED, ANY, CALL_MADE, FERRY_OUTCOME_STAYED, TRUE,
     "the source has it; what the target was receiving is about to go"},
    {S_ALIVE, S_UNKNOWN, PRE, CALL_MADE, FERRY_OUTCOME_STAYED, FALSE,
     "the source has it; what the target holds can't be seen"},
    {S_ALIVE, S_UNKNOWN, POST, CALL_MADE, FERRY_OUTCOME_UNKNOWN, FALSE,
     "after post-copy began the VM is on the target, which can't speak"},
    {S_SUSPENDED, S_NOTHING, ANY, CALL_MADE, FERRY_OUTCOME_STAYED, TRUE,
     "the target has none of it; the source's libvirtd is about to resume it"},

    /* it was handed over and nobody has it yet */
    {S_LEFT, S_UNKNOWN, ANY, CALL_OK, FERRY_OUTCOME_MOVED, FALSE,
     "the target had confirmed that it runs there before it fell silent"},
    {S_SUSPENDED | S_LEFT | S_ABSENT | S_OFF, S_UNKNOWN, ANY, CALL_MADE, FERRY_OUTCOME_UNKNOWN,
     FALSE, "it was handed over, and the target can't speak"},
    {S_STOPPED, S_UNKNOWN, POST, CALL_MADE, FERRY_OUTCOME_UNKNOWN, FALSE,
     "after post-copy began the VM is on the target, which can't speak"},
    {S_SUSPENDED, S_SUSPENDED, ANY, CALL_MADE, FERRY_OUTCOME_SUSPENDED, TRUE,
     "neither host lets it go on"},
    {S_LEFT | S_ABSENT | S_OFF, S_SUSPENDED, ANY, CALL_MADE, FERRY_OUTCOME_SUSPENDED, TRUE,
     "the source gave it up, and the target does not let it go on"},
    {S_LEFT | S_ABSENT | S_OFF, S_NOTHING, ANY, CALL_MADE, FERRY_OUTCOME_GONE, TRUE,
     "neither host has it"},
    {S_UNKNOWN, S_UNKNOWN | S_NOTHING | S_SUSPENDED, ANY, CALL_MADE, FERRY_OUTCOME_UNKNOWN, FALSE,
     "the source can't speak"},
};

/* What a reason means and what to do then stands in the table of reasons. */
static const struct {
  const char *word;
  FerryReason reason;
} outcome_kinds[FERRY_OUTCOME_LAST] = {
    [FERRY_OUTCOME_WAIT] = {"waiting", FERRY_REASON_NONE},
    [FERRY_OUTCOME_MOVED] = {"moved", FERRY_REASON_NONE},
    [FERRY_OUTCOME_STAYED] = {"stayed", FERRY_REASON_NONE},
    [FERRY_OUTCOME_STOPPED] = {"stopped", FERRY_REASON_STOPPED_MEANWHILE},
    [FERRY_OUTCOME_LOST] = {"lost", FERRY_REASON_VM_LOST},
    [FERRY_OUTCOME_BROKEN] = {"broken", FERRY_REASON_POST_COPY_FAILED},
    [FERRY_OUTCOME_BOTH] = {"both", FERRY_REASON_RUNS_ON_BOTH_HOSTS},
    [FERRY_OUTCOME_SUSPENDED] = {"suspended", FERRY_REASON_SUSPENDED_ON_BOTH_HOSTS},
    [FERRY_OUTCOME_GONE] = {"gone", FERRY_REASON_VM_NOT_FOUND},
    [FERRY_OUTCOME_UNKNOWN] = {"unknown", FERRY_REASON_OUTCOME_UNKNOWN},
};

static const char *const copy_names[FERRY_COPY_LAST] = {
    [FERRY_COPY_UNKNOWN] = "can't speak",
    [FERRY_COPY_ABSENT] = "absent",
    [FERRY_COPY_OFF] = "off",
    [FERRY_COPY_STOPPED] = "stopped",
    [FERRY_COPY_LEFT] = "left",
    [FERRY_COPY_RUNS] = "runs",
    [FERRY_COPY_PAUSED] = "paused",
    [FERRY_COPY_SUSPENDED] = "suspended by the migration",
    [FERRY_COPY_POSTCOPY] = "in post-copy",
    [FERRY_COPY_POSTCOPY_FAILED] = "post-copy failed",
};

static const char *const call_names[FERRY_CALL_LAST] = {
    [FERRY_CALL_NOT_MADE] = "not made",
    [FERRY_CALL_FAILED] = "failed",
    [FERRY_CALL_OK] = "succeeded",
};

/* State and reason to what they mean; a NULL reason is any other. */
static const struct {
  FerryVmState state;
  const char *reason;
  FerryCopy copy;
} copy_words[] = {
    {FERRY_VM_RUNNING, "postcopy-failed", FERRY_COPY_POSTCOPY_FAILED},
    {FERRY_VM_RUNNING, "postcopy", FERRY_COPY_POSTCOPY},
    {FERRY_VM_RUNNING, NULL, FERRY_COPY_RUNS},
    {FERRY_VM_BLOCKED, NULL, FERRY_COPY_RUNS},
    {FERRY_VM_SHUTDOWN, NULL, FERRY_COPY_RUNS},
    {FERRY_VM_PMSUSPENDED, NULL, FERRY_COPY_PAUSED},
    {FERRY_VM_PAUSED, "postcopy-failed", FERRY_COPY_POSTCOPY_FAILED},
    {FERRY_VM_PAUSED, "postcopy", FERRY_COPY_POSTCOPY},
    {FERRY_VM_PAUSED, "migration", FERRY_COPY_SUSPENDED},
    {FERRY_VM_PAUSED, "starting-up", FERRY_COPY_SUSPENDED},
    {FERRY_VM_PAUSED, NULL, FERRY_COPY_PAUSED},
    {FERRY_VM_CRASHED, NULL, FERRY_COPY_STOPPED},
    {FERRY_VM_SHUTOFF, "migrated", FERRY_COPY_LEFT},
    {FERRY_VM_SHUTOFF, "destroyed", FERRY_COPY_STOPPED},
    {FERRY_VM_SHUTOFF, "shutdown", FERRY_COPY_STOPPED},
    {FERRY_VM_SHUTOFF, "crashed", FERRY_COPY_STOPPED},
    {FERRY_VM_SHUTOFF, "saved", FERRY_COPY_STOPPED},
    {FERRY_VM_SHUTOFF, "failed", FERRY_COPY_STOPPED},
    {FERRY_VM_SHUTOFF, "daemon", FERRY_COPY_STOPPED},
    {FERRY_VM_SHUTOFF, NULL, FERRY_COPY_OFF},
    {FERRY_VM_GONE, NULL, FERRY_COPY_ABSENT},
    {FERRY_VM_NOSTATE, "destroyed", FERRY_COPY_STOPPED},
    {FERRY_VM_NOSTATE, "shutdown", FERRY_COPY_STOPPED},
    {FERRY_VM_NOSTATE, "crashed", FERRY_COPY_STOPPED},
    {FERRY_VM_NOSTATE, "saved", FERRY_COPY_STOPPED},
    {FERRY_VM_NOSTATE, "failed", FERRY_COPY_STOPPED},
    {FERRY_VM_NOSTATE, NULL, FERRY_COPY_ABSENT},
};

FerryCopy ferry_copy_of(const char *state, const char *reason, gboolean speaks) {
  if (!speaks)
    return FERRY_COPY_UNKNOWN;
  if (!state)
    return FERRY_COPY_ABSENT;
  for (gsize i = 0; i < G_N_ELEMENTS(copy_words); i++)
    if (ferry_vm_state_parse(state) == copy_words[i].state &&
        (!copy_words[i].reason || g_strcmp0(reason, copy_words[i].reason) == 0))
      return copy_words[i].copy;
  return FERRY_COPY_UNKNOWN;
}

FerryOutcomeAnswer ferry_outcome_decide(const FerryOutcomeQuestion *q) {
  unsigned mode = q->post_copy ? POST : PRE;
  for (gsize i = 0; i < G_N_ELEMENTS(outcome_rows); i++)
    if ((outcome_rows[i].source & SET(q->source)) && (outcome_rows[i].target & SET(q->target)) &&
        (outcome_rows[i].mode & mode) && (outcome_rows[i].call & SET(q->call)))
      return (FerryOutcomeAnswer){outcome_rows[i].kind, outcome_rows[i].settles, (guint)i};
  g_return_val_if_reached(((FerryOutcomeAnswer){FERRY_OUTCOME_UNKNOWN, FALSE, G_MAXUINT}));
}

guint ferry_outcome_rows(void) {
  return G_N_ELEMENTS(outcome_rows);
}

const char *ferry_outcome_reason(FerryOutcomeKind kind) {
  return ferry_reason_name(outcome_kinds[kind].reason);
}

const char *ferry_outcome_word(FerryOutcomeKind kind) {
  return outcome_kinds[kind].word;
}

const char *ferry_outcome_advice(FerryOutcomeKind kind) {
  const FerryReasonRow *row = ferry_reason_row(outcome_kinds[kind].reason);
  return row ? row->advice : kind == FERRY_OUTCOME_WAIT ? "Wait: it ends by itself." : "";
}

const char *ferry_copy_word(FerryCopy copy) {
  return copy_names[copy];
}

const char *ferry_call_word(FerryCall call) {
  return call_names[call];
}

/* The names of a set's members, "any" for all of `n`. */
static char *set_words(unsigned set, const char *const *names, guint n) {
  unsigned all = (1u << n) - 1;
  if ((set & all) == all)
    return g_strdup("any");
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < n; i++)
    if (set & SET(i))
      g_string_append_printf(text, "%s%s", text->len ? ", " : "", names[i]);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

char *ferry_outcome_markdown(void) {
  GString *out = g_string_new(
      "# How a migration ended\n\n"
      "One table decides it, from what both hosts have of the VM, whether each can speak, whether "
      "the migration was in post-copy and what libvirt's call said. Made by "
      "`build/src/policy/outcomes-doc` from `src/policy/outcome.c`. The first row that fits is the "
      "answer; \"once settled\": both hosts get time to agree first.\n\n"
      "## Outcomes\n\n| outcome | `status.reason` | what to do |\n|---|---|---|\n");
  for (guint i = 0; i < FERRY_OUTCOME_LAST; i++)
    g_string_append_printf(out, "| %s | %s | %s |\n", outcome_kinds[i].word,
                           outcome_kinds[i].reason     ? ferry_reason_name(outcome_kinds[i].reason)
                           : i == FERRY_OUTCOME_MOVED  ? ferry_reason_name(FERRY_REASON_COMPLETED)
                           : i == FERRY_OUTCOME_STAYED ? "why the call failed"
                                                       : "",
                           ferry_outcome_advice((FerryOutcomeKind)i));
  g_string_append(out,
                  "\n## What a host has\n\n| libvirt's state | its reason | is |\n|---|---|---|\n");
  for (gsize i = 0; i < G_N_ELEMENTS(copy_words); i++)
    g_string_append_printf(out, "| %s | %s | %s |\n", ferry_vm_state_name(copy_words[i].state),
                           copy_words[i].reason ? copy_words[i].reason : "any other",
                           copy_names[copy_words[i].copy]);
  g_string_append(out, "\n## The table\n\n"
                       "| source | target | mode | call | outcome | because |\n"
                       "|---|---|---|---|---|---|\n");
  for (gsize i = 0; i < G_N_ELEMENTS(outcome_rows); i++) {
    const OutcomeRow *r = &outcome_rows[i];
    g_autofree char *source = set_words(r->source, copy_names, FERRY_COPY_LAST);
    g_autofree char *target = set_words(r->target, copy_names, FERRY_COPY_LAST);
    g_autofree char *call = set_words(r->call, call_names, FERRY_CALL_LAST);
    g_string_append_printf(out, "| %s | %s | %s | %s | %s%s | %s |\n", source, target,
                           r->mode == PRE    ? "pre-copy"
                           : r->mode == POST ? "post-copy"
                                             : "any",
                           call, outcome_kinds[r->kind].word, r->settles ? ", once settled" : "",
                           r->why);
  }
  return g_string_free(out, FALSE);
}
