// SPDX-License-Identifier: Apache-2.0
// How fast a guest changes its memory.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
gboolean ferry_libvirt_job_dirty_rate(FerryHostJob *job, int seconds, gint64 *bytes_per_s,
                                      GError **error);
