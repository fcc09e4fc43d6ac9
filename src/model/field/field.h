// SPDX-License-Identifier: Apache-2.0
// A field described once, as a row of data; no other place knows its type, unit or limits.
#pragma once
#include "base/json.h"
#include "model/field/units.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_TYPE_STRING,
  FERRY_TYPE_INTEGER,
  FERRY_TYPE_NUMBER,
  FERRY_TYPE_BOOLEAN,
  FERRY_TYPE_QUANTITY, /* "64Mi" or a number; bytes (int-or-string) */
  FERRY_TYPE_TIME,     /* RFC 3339 */
  FERRY_TYPE_OBJECT,   /* `fields` */
  FERRY_TYPE_MAP,      /* string -> string */
  FERRY_TYPE_LIST,     /* of `item`; of objects with `fields` where item is OBJECT */
  FERRY_TYPE_ANY,      /* any JSON, kept as it is */
} FerryType;

typedef enum {
  FERRY_FIELD_REQUIRED = 1 << 0,
  FERRY_FIELD_IMMUTABLE = 1 << 1,   /* may not change after create */
  FERRY_FIELD_LABELS = 1 << 2,      /* a map that follows the rules of labels */
  FERRY_FIELD_SET = 1 << 3,         /* a list of scalars that is a set */
  FERRY_FIELD_ANNOTATIONS = 1 << 4, /* a map that follows the rules of annotations */
  FERRY_FIELD_OPEN = 1 << 5,  /* an object whose unknown members are kept (written by Ferry only) */
  FERRY_FIELD_REACH = 1 << 6, /* says for whom the rest of the object counts */
  FERRY_FIELD_OVERRIDES = 1 << 7, /* wins over what another than a person says: to unset it needs
                                     the rights of its fields, too */
  FERRY_FIELD_BINDS = 1 << 8,     /* names a MigrationPolicy, which counts for others by that */
  FERRY_FIELD_KEPT = 1 << 9,      /* KubeVirt has it and Ferry doesn't act by it: it is kept, and a
                                     warning says that it does nothing */
} FerryFieldFlags;

typedef struct FerryField FerryField;
struct FerryField {
  const char *name;
  FerryType type;
  const char *doc; /* one sentence */
  unsigned flags;
  FerryType item;            /* LIST: type of an element */
  const FerryField *fields;  /* OBJECT or LIST of OBJECT: ends with a NULL name; NULL: free form */
  const char *const *values; /* STRING: the allowed values, NULL-ended; NULL: any */
  const char *pattern;       /* STRING: a name of a format: "dns-label", "dns-subdomain", "uuid",
                                "cidr", "ip", "uri", "label-value"; NULL: any */
  gint64 min, max;           /* INTEGER, QUANTITY: range where max != 0; STRING: max length;
                                LIST, MAP: most elements (defaults: 4096 characters, 1000 elements) */
  const char *def;           /* default as JSON text, NULL: none */
  const char *merge_key;     /* LIST of OBJECT: strategic merge key ("type") */
  const char *right;         /* who sets it needs the verb create on the subresource of this name
                                of virtualmachineinstancemigrations ("uris"), too; NULL: no */
  FerryUnit unit;            /* of a number: every INTEGER and QUANTITY has one */
  const char *zero;          /* of a number: what 0 says, as "unlimited"; NULL: just 0 */
  const char *fallback;      /* what holds where nobody says it, as JSON text; unlike `def` it is
                                not written into the object. NULL: none */
  const char *spec;          /* of a change of what runs: the field of the spec that means the
                                same, a QUANTITY in bytes where this is in MiB; NULL: none */
};

/** The field `path` ("status.migrationState.sourceNode") of a table, or NULL. */
const FerryField *ferry_field_find(const FerryField *fields, const char *path);

G_END_DECLS
