// SPDX-License-Identifier: Apache-2.0
// Disks that a simulated migration copies.
#pragma once
#include "host/sim/sim_base.h"

/* As the port has them (host/port/host.h). */
json_t *ferry_sim_job_disks_plan(FerryHostJob *job, const FerryMigrateRequest *request,
                                 GError **error);
gboolean ferry_sim_job_disks_make(FerryHostJob *job, const char *uri, json_t *disks,
                                  GError **error);
gboolean ferry_sim_job_disks_remove(FerryHostJob *job, const char *uri, const json_t *disks,
                                    GError **error);
/** Bytes that `request` copies of `domain`, whose places on `target` are there; -1 with an error:
 * something stands in the way. The lock is held. */
double ferry_sim_disks_to_copy(const FerrySimDomain *domain, FerrySimHost *target,
                               const FerryMigrateRequest *request, GError **error);
