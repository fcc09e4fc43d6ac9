// SPDX-License-Identifier: Apache-2.0
// What every object's metadata is asked for: annotations, whose keys have dots, so that no path
// leads to them, finalizers, and the revision. Pure; any thread.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Kubernetes' groups of roles and their bindings, and of reviews of rights. */
#define FERRY_GROUP_RBAC "rbac.authorization.k8s.io"
#define FERRY_GROUP_AUTHORIZATION "authorization.k8s.io"

/** The value of an annotation, borrowed; NULL where it is not there, or `object` is NULL. */
const char *ferry_object_annotation(const json_t *object, const char *key);
/** Whether the finalizer `name` is there. */
gboolean ferry_object_has_finalizer(const json_t *object, const char *name);
/** Adds it in place unless it is there. `object` has metadata. */
void ferry_object_add_finalizer(json_t *object, const char *name);
/** Takes it off in place; returns whether it was there. */
gboolean ferry_object_drop_finalizer(json_t *object, const char *name);
/** metadata.resourceVersion as a number; 0: it has none. */
gint64 ferry_object_revision(const json_t *object);

G_END_DECLS
