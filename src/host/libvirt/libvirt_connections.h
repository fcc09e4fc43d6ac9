// SPDX-License-Identifier: Apache-2.0
// A migration's connections to its target.
#pragma once
#include "host/libvirt/libvirt_job_ask.h"

/* As the port has them (host/port/host.h). */
void ferry_libvirt_job_set_path(FerryHostJob *job, const FerryMigrateRequest *request);
GArray *ferry_libvirt_job_connections(FerryHostJob *job, GError **error);
gboolean ferry_libvirt_job_disconnect(FerryHostJob *job, guint64 id, GError **error);
gboolean ferry_libvirt_incoming_close(FerryHost *host, const char *uuid, guint16 port, guint *n,
                                      GError **error);

/** Frees what it holds. */
void ferry_libvirt_path_clear(FerryLibvirtPath *path);
