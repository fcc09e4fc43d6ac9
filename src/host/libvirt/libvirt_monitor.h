// SPDX-License-Identifier: Apache-2.0
// What only QEMU's monitor says or takes.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
gboolean ferry_libvirt_job_resident(FerryHostJob *job, gint64 *bytes, GError **error);
gboolean ferry_libvirt_job_set_throttle(FerryHostJob *job, int percent, GError **error);
