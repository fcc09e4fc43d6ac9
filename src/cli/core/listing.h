// SPDX-License-Identifier: Apache-2.0
// Printing objects in any format, once or for ever (-w): what `get` and `events` share.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

typedef struct {
  const FerryKind *kind;
  const char *ns;   /* NULL: all namespaces */
  const char *name; /* NULL: all objects */
  const char *field_selector;
  gboolean by_time;  /* sort by lastTimestamp (events) */
  gboolean prefixed; /* names with their kind, and an empty line between tables */
} FerryListing;

/** Prints `count` listings of one kind as one table (or in the other format asked for) by -o, -l,
 * --no-headers; raises `*n` where anything was printed. Returns an exit code. */
int ferry_listing_print(FerryCli *cli, const FerryListing *listings, gsize count, gsize *n);
/** Prints what is there, then each change until interrupted. Returns an exit code. */
int ferry_listing_watch(FerryCli *cli, const FerryListing *listing);
/** GETs the objects of a listing as a json array (new reference), NULL on error. */
json_t *ferry_listing_objects(FerryCli *cli, const FerryListing *listing, GError **error);
/** Does something with one object; gives an exit code. */
typedef int (*FerryListingFunc)(FerryCli *cli, const FerryKind *kind, json_t *object,
                                gpointer data);
/** GETs the objects of all `targets` (FerryTarget) and calls `each` for every one. What cannot be
 * read is told, and the rest goes on. Returns the exit code of what failed last, or DONE. */
int ferry_listing_each(FerryCli *cli, const GPtrArray *targets, FerryListingFunc each,
                       gpointer data);

/** Sorts a json array of events (or of a Table's rows that hold events), the oldest first. */
void ferry_listing_sort(json_t *list);

G_END_DECLS
