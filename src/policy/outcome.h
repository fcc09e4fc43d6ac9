// SPDX-License-Identifier: Apache-2.0
// How a migration ended, as one table: what each of the two hosts has of the VM, state AND reason,
// whether that host can speak, how far the migration had got and what libvirt's call said, to one
// outcome. Pure. Where the rows come from: libvirt's states and their reasons (virDomainState and
// its enums of reasons), and what libvirt and QEMU did when they were killed, hung and cut.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What a host has of the VM. */
typedef enum {
  FERRY_COPY_UNKNOWN,         /* the host can't speak, or could not be asked */
  FERRY_COPY_ABSENT,          /* no such domain */
  FERRY_COPY_OFF,             /* defined only, and nothing says why */
  FERRY_COPY_STOPPED,         /* off since it was destroyed, shut down, crashed or saved */
  FERRY_COPY_LEFT,            /* off since it was migrated away */
  FERRY_COPY_RUNS,            /* runs, and nothing of a migration is open */
  FERRY_COPY_PAUSED,          /* paused for a reason of its own (by a person, an I/O error) */
  FERRY_COPY_SUSPENDED,       /* paused by the migration: handed over, or still being received */
  FERRY_COPY_POSTCOPY,        /* in the middle of post-copy */
  FERRY_COPY_POSTCOPY_FAILED, /* post-copy broke */
  FERRY_COPY_LAST
} FerryCopy;

/** What libvirt's migrate call said. */
typedef enum { FERRY_CALL_NOT_MADE, FERRY_CALL_FAILED, FERRY_CALL_OK, FERRY_CALL_LAST } FerryCall;

typedef enum {
  FERRY_OUTCOME_WAIT,      /* libvirt goes on by itself: it is not over, however long it takes */
  FERRY_OUTCOME_MOVED,     /* runs (or is paused, as it was) on the target alone */
  FERRY_OUTCOME_STAYED,    /* is on the source alone */
  FERRY_OUTCOME_STOPPED,   /* was stopped while it moved, which was not the migration's doing */
  FERRY_OUTCOME_LOST,      /* runs nowhere and can't go on: start it again from its disks */
  FERRY_OUTCOME_BROKEN,    /* post-copy broke and each host holds a part of the memory */
  FERRY_OUTCOME_BOTH,      /* two copies are active */
  FERRY_OUTCOME_SUSPENDED, /* suspended on both hosts, and neither goes on */
  FERRY_OUTCOME_GONE,      /* on neither host, and nothing says why */
  FERRY_OUTCOME_UNKNOWN,   /* only the host that can't speak knows */
  FERRY_OUTCOME_LAST
} FerryOutcomeKind;

/** What the table is asked. */
typedef struct {
  FerryCopy source, target;
  gboolean post_copy; /* the migration had switched to post-copy */
  FerryCall call;
} FerryOutcomeQuestion;

/** What it answers: `kind` at once, or where `settles` is TRUE only once both hosts have had time
 * to agree; until then it is to be waited for. */
typedef struct {
  FerryOutcomeKind kind;
  gboolean settles;
  guint row; /* of the table that answered, for tests */
} FerryOutcomeAnswer;

/** What a host has, from the words of its report. `state` and `reason` are libvirt's, lower case
 * with dashes; state NULL, "gone" or "nostate": no such domain. `speaks`: the host's report is from
 * after what it is asked about. */
FerryCopy ferry_copy_of(const char *state, const char *reason, gboolean speaks);

/** The outcome. Every combination has a row. */
FerryOutcomeAnswer ferry_outcome_decide(const FerryOutcomeQuestion *question);
/** Number of rows of the table. */
guint ferry_outcome_rows(void);

/** CamelCase word for status.reason; NULL for WAIT and MOVED, STAYED (whose reason is libvirt's).
 */
const char *ferry_outcome_reason(FerryOutcomeKind kind);
/** "moved", "stayed", ...: one word for people and documents. */
const char *ferry_outcome_word(FerryOutcomeKind kind);
/** What a person can do, one sentence; "" where nothing is to be done. */
const char *ferry_outcome_advice(FerryOutcomeKind kind);
/** The words for what a host has of the VM, for documents and messages. */
const char *ferry_copy_word(FerryCopy copy);
/** The words for what became of libvirt's call, for documents and messages. */
const char *ferry_call_word(FerryCall call);

/** docs/outcomes.md. Free with g_free. */
char *ferry_outcome_markdown(void);

G_END_DECLS
