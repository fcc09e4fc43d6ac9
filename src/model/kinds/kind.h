// SPDX-License-Identifier: Apache-2.0
// Kinds described once, as data. Parsing, validation, defaults, tables, schemas and documents are
// all derived from their tables of FerryField. Finding a kind is in kinds.c; each kind is a file
// kinds_NAME.c.
#pragma once
#include "base/error.h"
#include "model/field/field.h"

G_BEGIN_DECLS

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

/** The roles that Ferry ships (api/auth/rbac_shipped.c), rising: each may what those before it may.
 */
typedef enum {
  FERRY_ROLE_NONE, /* none of them: cluster-admin, and who is given the right by name */
  FERRY_ROLE_VIEW,
  FERRY_ROLE_OPERATE,
  FERRY_ROLE_EDIT,
  FERRY_ROLE_ADMIN,
} FerryRole;

typedef struct FerryKind FerryKind;
struct FerryKind {
  const char *group; /* "" for the core group */
  const char *version;
  const char *kind;
  const char *plural;
  const char *singular;
  const char *const *short_names; /* NULL-ended, may be NULL */
  const char *const *categories;  /* NULL-ended, may be NULL */
  gboolean namespaced;
  unsigned verbs;              /* FerryVerbs a person may use */
  gboolean has_status;         /* status is a subresource: writes to the object do not touch it */
  FerryRole read_by, write_by; /* from which role on people may read and write its objects */
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
  const char *const
      *version_aliases;      /* older versions under which the same is served, may be NULL */
  const FerryKind *alias_of; /* of an alias, see ferry_kinds_served */
  const char *instead; /* why a person can't write it, and what to do instead; NULL: goes without
                          saying */
  /** Not NULL: objects are stored nowhere but made of those of another kind when somebody looks. */
  const FerryKind *made_of;
  json_t *(*make)(const json_t *source); /* new reference, or NULL: there is none now */
};

/** All kinds, in a stable order; `*n` gets their number. */
const FerryKind *const *ferry_kinds(gsize *n);
/** By group, version and plural, or NULL. `version` may be NULL: any. */
const FerryKind *ferry_kind_by_plural(const char *group, const char *version, const char *plural);
/** By apiVersion ("kubevirt.io/v1", "v1") and kind, aliases included, or NULL. */
const FerryKind *ferry_kind_by_gvk(const char *api_version, const char *kind);
/** Whether `api_version` is the kind's, or an older one of it. */
gboolean ferry_kind_has_api_version(const FerryKind *kind, const char *api_version);
/** By what a person types: plural, singular, short name or kind in any case, or
 * "plural.group"; NULL where none or more than one fits. */
const FerryKind *ferry_kind_by_word(const char *word);
/** All kinds, each followed by its aliases: other spellings, with plurals of their own, and older
 * versions, under which the same objects are served. For discovery, schemas and routes only:
 * objects are stored under the kind itself. Any thread. */
const FerryKind *const *ferry_kinds_served(gsize *n);
/** The kind whose objects are stored: `kind` itself, or what it is made of. */
const FerryKind *ferry_kind_stored(const FerryKind *kind);
/** An object with apiVersion and kind of `alias` (NULL: its own). New reference. */
json_t *ferry_kind_view(const FerryKind *alias, json_t *object);
/** "kubevirt.io/v1" or "v1". Free with g_free. */
char *ferry_kind_api_version(const FerryKind *kind);

/* For code that needs a certain kind; which there are is said in `kinds` (meson.build). */
extern const FerryKind ferry_kind_namespace;
extern const FerryKind ferry_kind_node;
extern const FerryKind ferry_kind_service; /* always empty */
extern const FerryKind ferry_kind_pod;     /* made of VMs */
extern const FerryKind ferry_kind_event;
extern const FerryKind ferry_kind_virtual_machine; /* always empty */
extern const FerryKind ferry_kind_vmi;
extern const FerryKind ferry_kind_vmim;
extern const FerryKind ferry_kind_kubevirt;
extern const FerryKind ferry_kind_migration_policy;
extern const FerryKind ferry_kind_network;
extern const FerryKind ferry_kind_evacuation;
extern const FerryKind ferry_kind_rollout;
extern const FerryKind ferry_kind_role;
extern const FerryKind ferry_kind_cluster_role;
extern const FerryKind ferry_kind_role_binding;
extern const FerryKind ferry_kind_cluster_role_binding;
extern const FerryKind ferry_kind_user;

/** The merge key of the list at `path` of a kind (`data`), as FerryMergeKeyFunc
 * (base/patch/patch.h) says. Pure. */
const char *ferry_kind_merge_key(const char *path, gpointer data);

G_END_DECLS
