// SPDX-License-Identifier: Apache-2.0
// What libvirt stores of a domain: its definition, checkpoints, and the like.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
gboolean ferry_libvirt_forget(FerryHost *host, const char *uuid, gboolean definition,
                              GError **error);
gboolean ferry_libvirt_peer_forget(FerryHost *host, const char *uri, const char *uuid,
                                   gboolean definition, GError **error);
json_t *ferry_libvirt_job_definition(FerryHostJob *job, GError **error);
char *ferry_libvirt_job_stored(FerryHostJob *job, GError **error);
json_t *ferry_libvirt_peer_give(FerryHost *host, const char *uri, const char *uuid,
                                const json_t *load, GError **error);
