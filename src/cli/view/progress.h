// SPDX-License-Identifier: Apache-2.0
// One line that says where a migration is. Pure: an object or numbers in, text out.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** What a progress line shows. Sizes in bytes, rates in bytes a second, times in milliseconds;
 * -1: not known (left out). */
typedef struct {
  char *vm;
  char *phase; /* the migration's phase */
  char *note;  /* what it waits for, instead of numbers; NULL: none */
  int percent;
  gint64 remaining_bytes; /* memory and disks */
  gint64 disk_bytes;      /* of these disks */
  gint64 memory_bytes;    /* of these memory */
  gint64 rate, dirty_rate;
  gint64 iteration;
  gint64 elapsed_ms;
  gint64 remaining_s;
  gint64 needed_ms;    /* pause that would be needed, of one that doesn't converge */
  gboolean not_before; /* remaining_s is the least */
  gboolean not_converging;
  gboolean aborting;
} FerryProgress;

/** Reads the numbers from a VirtualMachineInstanceMigration. `elapsed_ms` is the caller's own
 * measure, used where the object has none; -1: unknown. Clear with ferry_progress_clear. */
void ferry_progress_read(FerryProgress *progress, const json_t *object, gint64 elapsed_ms);
void ferry_progress_clear(FerryProgress *progress);

/** One line for a terminal of `width` columns, at most width - 1 columns, without a newline: name,
 * bar, percent and as much of the rest as fits, the least important left out first. */
char *ferry_progress_line(const FerryProgress *progress, guint width, gboolean utf8,
                          gboolean color);
/** The same as a plain line for pipes and logs, without a newline: starts with the time. */
char *ferry_progress_plain(const FerryProgress *progress);
/** Why a migration that has not begun waits: "place 2 in the queue: ...", or what keeps every host
 * from taking it; NULL: nothing is said. Free with g_free. */
char *ferry_progress_waits(const json_t *object);

G_END_DECLS
