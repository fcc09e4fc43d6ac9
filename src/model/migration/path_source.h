// SPDX-License-Identifier: Apache-2.0
// Where the rate is from that a forecast reckons with: status.forecast.bandwidthFrom.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  FERRY_PATH_LIMIT,     /* a policy's */
  FERRY_PATH_MEASURED,  /* just now, between the two agents */
  FERRY_PATH_MIGRATION, /* what the last one to the same address reached */
  FERRY_PATH_LINK,      /* half of the slower host's link */
  FERRY_PATH_ASSUMED,
  FERRY_PATH_SOURCES,
} FerryPathSource;

/** All words; ends with NULL. */
extern const char *const ferry_path_source_names[];
/** The word in bandwidthFrom. Static. */
const char *ferry_path_source_name(FerryPathSource source);
/** How far off the rate may be, as a share of it. */
double ferry_path_source_doubt(FerryPathSource source);
/** In words for people, of the word `name`; an unknown one is assumed. Static. */
const char *ferry_path_source_words(const char *name);

G_END_DECLS
