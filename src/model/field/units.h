// SPDX-License-Identifier: Apache-2.0
// Units of numbers. A field's unit is part of its row (FerryField); what prints a number asks the
// row and does not guess from its name.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  FERRY_UNIT_NONE,   /* no number */
  FERRY_UNIT_COUNT,  /* so many things */
  FERRY_UNIT_NUMBER, /* names something: a port, an epoch, a level */
  FERRY_UNIT_BYTES,
  FERRY_UNIT_BYTES_PER_SECOND,
  FERRY_UNIT_MIB_PER_SECOND,
  FERRY_UNIT_MBIT_PER_SECOND,
  FERRY_UNIT_MS,
  FERRY_UNIT_SECONDS,
  FERRY_UNIT_SECONDS_PER_GIB,
  FERRY_UNIT_PERCENT,
  FERRY_UNIT_HZ,
} FerryUnit;

/** The unit in words, as documents have it ("ms", "bytes/s"); "" for what has none. Static. */
const char *ferry_unit_word(FerryUnit unit);
/** How the names of fields in that unit end ("Ms"), "" where they have no ending. Static. */
const char *ferry_unit_suffix(FerryUnit unit);

G_END_DECLS
