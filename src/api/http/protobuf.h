// SPDX-License-Identifier: Apache-2.0
// Protobuf, and the tables by which it is read: protobuf_kinds.c has them, protobuf.c reads by
// them.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_PROTOBUF_TEXT,
  FERRY_PROTOBUF_BOOL,       /* false is as good as absent */
  FERRY_PROTOBUF_INT,        /* so is 0 */
  FERRY_PROTOBUF_GIVEN_INT,  /* 0 says something */
  FERRY_PROTOBUF_TIME,       /* {1 seconds, 2 nanoseconds}; empty: absent */
  FERRY_PROTOBUF_MICRO_TIME, /* the same, told with microseconds */
  FERRY_PROTOBUF_MESSAGE,
  FERRY_PROTOBUF_MAP,        /* of texts */
  FERRY_PROTOBUF_QUANTITIES, /* map of {1 text} */
  FERRY_PROTOBUF_TEXTS,
  FERRY_PROTOBUF_MESSAGES,
} FerryProtobufType;

typedef struct FerryProtobufField FerryProtobufField;
struct FerryProtobufField {
  guint number; /* 0 ends a table */
  const char *name;
  FerryProtobufType type;
  const FerryProtobufField *fields; /* MESSAGE, MESSAGES */
};

typedef struct {
  const char *group, *kind; /* group "" for core, NULL for that of whatever it is about */
  const FerryProtobufField *fields;
} FerryProtobufKind;

extern const FerryProtobufKind ferry_protobuf_kinds[];
extern const gsize ferry_protobuf_n_kinds;
/** Decodes protobuf's Unknown envelope of the kinds that kubectl sends so; new reference. */
json_t *ferry_protobuf_decode(const guint8 *data, gsize len, GError **error);

G_END_DECLS
