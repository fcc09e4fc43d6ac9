// SPDX-License-Identifier: Apache-2.0
// The pieces that both versions of the OpenAPI documents are made of. They differ in small ways
// (references, parameters, bodies), which `v3` chooses. They are made in schema.c.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

#define SCHEMA_META "io.k8s.apimachinery.pkg.apis.meta.v1."
#define SCHEMA_OBJECT_META SCHEMA_META "ObjectMeta"
#define SCHEMA_LIST_META SCHEMA_META "ListMeta"
#define SCHEMA_STATUS SCHEMA_META "Status"
#define SCHEMA_QUANTITY "io.k8s.apimachinery.pkg.api.resource.Quantity"

/** Name of a kind's definition, "io.kubevirt.v1.VirtualMachineInstance" plus `suffix` ("List").
 * Free with g_free. */
char *ferry_schema_name(const FerryKind *kind, const char *suffix);
/** {"$ref": ...} to a definition. */
json_t *ferry_schema_ref(const char *name, gboolean v3);
/** [{"group","version","kind"}] of one kind as an object. */
json_t *ferry_schema_gvk(const FerryKind *kind, const char *suffix);
/** Definitions of the kinds of one group version (`group` NULL: of all), lists and shared
 * definitions included. */
json_t *ferry_schema_definitions(const char *group, const char *version, gboolean v3);
/** Limits and unit of a field in words, as "1 to 1000 ms; default 5", "" where it has none. Free
 * with g_free. */
char *ferry_schema_limits(const FerryField *field);

G_END_DECLS
