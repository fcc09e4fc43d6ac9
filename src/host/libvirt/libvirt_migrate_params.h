// SPDX-License-Identifier: Apache-2.0
// A migration's flags and parameters as libvirt takes them.
#pragma once
#include "host/port/host.h"
#include <libvirt/libvirt.h>

/** libvirt's flags for `request`. Pure. */
unsigned ferry_libvirt_migrate_flags(const FerryMigrateRequest *request);
/** libvirt's typed parameters for `request`; free with virTypedParamsFree, also after FALSE (then
 * libvirt's error of this thread is set). */
gboolean ferry_libvirt_migrate_params(const FerryMigrateRequest *request,
                                      virTypedParameterPtr *params, int *n);
