// SPDX-License-Identifier: Apache-2.0
// Kinds described once, as data. Parsing, validation, defaults, tables, schemas and documents are
// all derived from the tables of FerryField below; no other place knows a field's type or limits.
#pragma once
#include "base/error.h"
#include "base/json.h"
#include "model/units.h"

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
  FERRY_FIELD_OPEN = 1 << 5, /* an object whose unknown members are kept (written by Ferry only) */
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
};

/** A printed column. `cell` makes the cell from the object; NULL: the value at `path`. */
typedef struct {
  const char *name;
  const char *type;   /* string, integer, number, boolean, date */
  const char *format; /* "name" for the first, else "" */
  int priority;       /* > 0: only with -o wide */
  const char *path;
  json_t *(*cell)(const json_t *object, gint64 now_ms);
  const char *doc;
} FerryColumn;

typedef enum {
  FERRY_VERB_GET = 1 << 0,
  FERRY_VERB_LIST = 1 << 1,
  FERRY_VERB_WATCH = 1 << 2,
  FERRY_VERB_CREATE = 1 << 3,
  FERRY_VERB_UPDATE = 1 << 4,
  FERRY_VERB_PATCH = 1 << 5,
  FERRY_VERB_DELETE = 1 << 6,
  FERRY_VERB_READ = FERRY_VERB_GET | FERRY_VERB_LIST | FERRY_VERB_WATCH,
  FERRY_VERB_ALL = FERRY_VERB_READ | FERRY_VERB_CREATE | FERRY_VERB_UPDATE | FERRY_VERB_PATCH |
                   FERRY_VERB_DELETE,
} FerryVerbs;

typedef struct {
  const char *group; /* "" for the core group */
  const char *version;
  const char *kind;
  const char *plural;
  const char *singular;
  const char *const *short_names; /* NULL-ended, may be NULL */
  const char *const *categories;  /* NULL-ended, may be NULL */
  gboolean namespaced;
  unsigned verbs;      /* FerryVerbs a person may use */
  gboolean has_status; /* status is a subresource: writes to the object do not touch it */
  const char *const *subresources; /* others, e.g. "cancel"; may be NULL */
  unsigned subresource_verb; /* theirs: FERRY_VERB_CREATE (POST), or 0: FERRY_VERB_UPDATE (PUT) */
  const FerryField *fields;  /* of the object beside apiVersion, kind and metadata */
  const FerryColumn *columns;
  gsize n_columns;
  const char *const *field_selectors; /* paths beside metadata.name and metadata.namespace */
  const char *doc;
  const char *const *kind_aliases; /* other spellings accepted on input ("Kubevirt"), may be NULL */
  /** Rules across fields; adds causes to `error` (domain FERRY_ERROR, code INVALID). May be NULL.
   */
  void (*check)(const json_t *object, const json_t *old, GError *error);
  const char *name_format; /* of metadata.name; NULL: "dns-subdomain" */
} FerryKind;

/** All kinds, in a stable order; `*n` gets their number. */
const FerryKind *const *ferry_kinds(gsize *n);
/** By group, version and plural, or NULL. `version` may be NULL: any. */
const FerryKind *ferry_kind_by_plural(const char *group, const char *version, const char *plural);
/** By apiVersion ("kubevirt.io/v1", "v1") and kind, aliases included, or NULL. */
const FerryKind *ferry_kind_by_gvk(const char *api_version, const char *kind);
/** By what a person types: plural, singular, short name or kind in any case, or
 * "plural.group"; NULL where none or more than one fits. */
const FerryKind *ferry_kind_by_word(const char *word);
/** Describes the `i`-th other spelling of `kind` as a kind of its own in `alias`: same fields, its
 * own plural, under which the same objects are served with that spelling. For discovery, schemas
 * and routes only: objects are stored under `kind`. FALSE where there is none. */
gboolean ferry_kind_alias(const FerryKind *kind, gsize i, FerryKind *alias);
/** An object with its kind in the spelling `alias` (NULL: its own). New reference. */
json_t *ferry_kind_view(const char *alias, json_t *object);
/** "kubevirt.io/v1" or "v1". Free with g_free. */
char *ferry_kind_api_version(const FerryKind *kind);

/* The kinds, for code that needs a certain one. */
extern const FerryKind ferry_kind_namespace;
extern const FerryKind ferry_kind_node;
extern const FerryKind ferry_kind_service; /* always empty */
extern const FerryKind ferry_kind_event;
extern const FerryKind ferry_kind_vmi;
extern const FerryKind ferry_kind_vmim;
extern const FerryKind ferry_kind_kubevirt;
extern const FerryKind ferry_kind_migration_policy;
extern const FerryKind ferry_kind_network;
extern const FerryKind ferry_kind_evacuation;
extern const FerryKind ferry_kind_role;
extern const FerryKind ferry_kind_cluster_role;
extern const FerryKind ferry_kind_role_binding;
extern const FerryKind ferry_kind_cluster_role_binding;
extern const FerryKind ferry_kind_user;

G_END_DECLS
