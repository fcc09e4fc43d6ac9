// SPDX-License-Identifier: Apache-2.0
// libvirt's migration flags and parameters as data. The spec's fields, OpenAPI and explain, the
// command line's options, docs/flags.md, the rules' versions and the call of libvirt come from it.
#pragma once
#include "model/field/field.h"

G_BEGIN_DECLS

/** libvirt's type of a typed parameter. */
typedef enum {
  FERRY_PARAM_NONE, /* the row is a flag */
  FERRY_PARAM_INT,
  FERRY_PARAM_ULLONG,
  FERRY_PARAM_STRING,
  FERRY_PARAM_STRINGS, /* a string parameter given once for each element */
} FerryParamType;

/** One flag or typed parameter of virDomainMigrateToURI3. All strings are static. */
typedef struct {
  FerryField field;     /* its field in a migration's spec and in migrationConfiguration */
  const char *group;    /* heading in documents, on the first row of each group */
  const char *option;   /* of the command line, without dashes: virsh's name where it has one */
  const char *alias;    /* another name of the option */
  const char *negative; /* option that says the opposite; NULL: none */
  const char *arg;      /* placeholder of the option's value; NULL: none */
  gboolean file;        /* the option's value is a file that holds the field's value */
  const char *libvirt;  /* name of libvirt's constant */
  guint flag;           /* libvirt's bit; 0: the row is a parameter */
  gboolean inverted;    /* the flag is given where the field is false (disableTLS) */
  const char *opposite; /* what the option does where `inverted`, for its help */
  const char *param;    /* name of libvirt's typed parameter */
  FerryParamType type;
  gint64 scale;              /* libvirt's unit in ours (1 MiB); 0: the same */
  const char *since_libvirt; /* first version that has it */
  const char *since_qemu;    /* the same of QEMU; NULL: any */
  const char *until_qemu;    /* first version that has it no longer; NULL: none */
  const char *def;           /* what an absent field means, in words; NULL: libvirt's default */
  gboolean offline;          /* a migration that sends a definition only has a use for it */
  gboolean own;              /* only the migration itself may say it, no configuration */
  gboolean configured;       /* the whole cluster's configuration may say it, too */
} FerryMigrationFlag;

/** All rows, in the order of documents; ends with a NULL field.name. */
extern const FerryMigrationFlag ferry_migration_flags[];
/** The row of a spec field, or NULL. */
const FerryMigrationFlag *ferry_migration_flag_find(const char *name);
/** The value that is in force in a resolved configuration: a boolean's own, or its default where
 * that is "true" or "false"; FALSE for one whose default depends on the VM. */
gboolean ferry_migration_flag_on(const json_t *config, const char *name);

/** Whether the target gets a definition of the VM: persistDestination, or as the VM is on the
 * source
 * (`persistent`); a migration that moves only the definition always gives it one. */
gboolean ferry_migration_persists(const json_t *config, gboolean persistent);
/** Whether the source's definition of the VM goes once it has moved: undefineSource, or as the VM
 * is on the source (`persistent`, `active`); never so that no definition would be left, unless
 * somebody overrides that. */
gboolean ferry_migration_undefines(const json_t *config, gboolean persistent, gboolean active);

/** Whether the data of a migration with this resolved configuration go to the target's address on
 * the migration's network: not through libvirtd's own connection (`tunnelled`), not to a
 * `migrateURI`, and there are any (not `offline`). */
gboolean ferry_migration_uses_network(const json_t *config);

/** Whether a method of compression works over several connections, and there alone; FALSE for NULL
 * and for "none". */
gboolean ferry_compression_is_parallel(const char *method);
/** Whether one works over a single connection only. */
gboolean ferry_compression_is_single(const char *method);

/** Compares "11.3.0" with "9.4.0" part by part: < 0, 0, > 0. Missing parts are 0. */
int ferry_version_compare(const char *a, const char *b);

/** Sets what Ferry chooses by itself in a resolved configuration (takes `value`); `origins` (may be
 * NULL) gets "automatic" for it. */
void ferry_migration_config_choose(json_t *config, json_t *origins, const char *name,
                                   json_t *value);

G_END_DECLS
