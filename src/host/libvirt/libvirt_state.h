// SPDX-License-Identifier: Apache-2.0
// libvirt's numbers for a domain's state and for a job, in the port's words.
#pragma once
#include "host/libvirt/libvirt_base.h"

/** State of `domain`; FERRY_VM_GONE where it no longer exists. */
gboolean ferry_libvirt_state(virDomainPtr domain, FerryDomainState *out, GError **error);
/** A job's numbers, from libvirt's names of them. Pure. */
void ferry_libvirt_stats(const virTypedParameter *params, int n, FerryJobStats *out);
