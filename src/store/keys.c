// SPDX-License-Identifier: Apache-2.0
#include "store/keys.h"
#include "model/field/object_meta.h"
#include "model/migration/evacuation.h"
#include "model/migration/migration.h"
#include "model/migration/phase.h"

#include <string.h>

typedef struct {
  FerryIndexBy by;
  const FerryKind *kind; /* NULL: any */
  const char *list;      /* of the objects that have the word; NULL: it is the object's own */
  const char *path;
} KeyRow;

static const KeyRow key_rows[] = {
    {FERRY_BY_UID, NULL, NULL, "metadata.uid"},
    {FERRY_BY_DOMAIN, NULL, NULL, "spec.domainName"},
    {FERRY_BY_NODE, &ferry_kind_vmi, NULL, "status.nodeName"},
    {FERRY_BY_NODE, &ferry_kind_vmi, "status.domains", "nodeName"},
    {FERRY_BY_NODE, &ferry_kind_vmim, NULL, "spec.targetNode"},
    {FERRY_BY_NODE, &ferry_kind_vmim, NULL, "status.migrationState.targetNode"},
    {FERRY_BY_NODE, &ferry_kind_evacuation, NULL, "spec.nodeName"},
};

static gboolean is_kind(const FerryKind *kind, const char *group, const char *plural) {
  return strcmp(kind->plural, plural) == 0 && strcmp(kind->group, group) == 0;
}

/* A migration's VM, and whether it is under way. */
static void each_of_migration(const json_t *m,
                              void (*key)(FerryIndexBy by, const char *word, gpointer data),
                              gpointer data) {
  const char *ns = ferry_json_str(m, "metadata.namespace"), *vm = ferry_json_str(m, "spec.vmiName");
  g_autofree char *word = g_strconcat(ns ? ns : "", "/", vm ? vm : "", NULL);
  key(FERRY_BY_VM, word, data);
  if (!ferry_migration_is_final(m))
    key(FERRY_BY_LIVE, "", data);
  if (ferry_phase_of(m) == FERRY_PHASE_FAILED &&
      ferry_object_annotation(m, FERRY_EVACUATES_ANNOTATION))
    key(FERRY_BY_EVICTED, "", data);
}

void ferry_keys_each(const char *group, const char *plural, const json_t *object,
                     void (*key)(FerryIndexBy by, const char *word, gpointer data), gpointer data) {
  for (gsize i = 0; i < G_N_ELEMENTS(key_rows); i++) {
    const KeyRow *row = &key_rows[i];
    if (row->kind && !is_kind(row->kind, group, plural))
      continue;
    const json_t *list = row->list ? ferry_json_get(object, row->list) : NULL;
    for (gsize k = 0; k < (row->list ? json_array_size(list) : 1); k++) {
      const char *word = ferry_json_str(row->list ? json_array_get(list, k) : object, row->path);
      if (word && *word)
        key(row->by, word, data);
    }
  }
  if (is_kind(&ferry_kind_vmim, group, plural))
    each_of_migration(object, key, data);
  if (is_kind(&ferry_kind_vmi, group, plural) &&
      json_array_size(ferry_json_get(object, "status.domains")) == 0)
    key(FERRY_BY_NODE, "", data);
}

char *ferry_store_resource_name(const char *group, const char *plural) {
  return *group == '\0' ? g_strdup(plural) : g_strconcat(plural, ".", group, NULL);
}
