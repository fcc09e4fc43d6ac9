// SPDX-License-Identifier: Apache-2.0
// What must outlive the agent's process: JSON objects in files of their own,
// state_dir/FOLDER/NAME.json, readable by the agent's user only. No locks: who writes a name's file
// sees to it that nobody else does.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** One sort of records. */
typedef struct {
  const char *folder;
  const char *what; /* of a record, for a warning: "a stored result" */
  gsize max_bytes;  /* of a file; a longer one is not read */
  guint max;        /* files that are looked at */
} FerryRecords;

/** Writes the record of that name anew; a failure is logged. */
void ferry_record_write(const char *state_dir, const FerryRecords *of, const char *name,
                        const json_t *record);
/** The record of that name; NULL: there is none, or it can't be read. New reference. */
json_t *ferry_record_read(const char *state_dir, const FerryRecords *of, const char *name);
/** Removes it where it is. */
void ferry_record_remove(const char *state_dir, const FerryRecords *of, const char *name);
/** Calls `take` for each record, an object; one that is no object, or for which it says FALSE, is
 * left alone with a warning. */
void ferry_records_each(const char *state_dir, const FerryRecords *of,
                        gboolean (*take)(const char *name, json_t *record, gpointer data),
                        gpointer data);

G_END_DECLS
