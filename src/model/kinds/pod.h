// SPDX-License-Identifier: Apache-2.0
// Names of pods, which are made of VMs (kinds_pod.c).
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

#define FERRY_POD_PREFIX "virt-launcher-"
#define FERRY_POD_SHORTENED 200 /* least bytes of a name that was too long */

/** Whether `vmi` runs and its pod has this name. Pure. */
gboolean ferry_pod_is_named(const json_t *vmi, const char *name);

G_END_DECLS
