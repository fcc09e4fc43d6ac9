// SPDX-License-Identifier: Apache-2.0
// What the target must hold before disks are copied.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
gboolean ferry_libvirt_peer_sweep(FerryHost *host, const char *uri, json_t *disks, GError **error);
json_t *ferry_libvirt_job_disks_plan(FerryHostJob *job, const FerryMigrateRequest *request,
                                     GError **error);
gboolean ferry_libvirt_job_disks_make(FerryHostJob *job, const char *uri, json_t *disks,
                                      GError **error);
gboolean ferry_libvirt_job_disks_remove(FerryHostJob *job, const char *uri, const json_t *disks,
                                        GError **error);
