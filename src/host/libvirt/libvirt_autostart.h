// SPDX-License-Identifier: Apache-2.0
// Whether a domain starts with its host.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
gboolean ferry_libvirt_job_autostart(FerryHostJob *job, gboolean *on, GError **error);
gboolean ferry_libvirt_job_set_autostart(FerryHostJob *job, gboolean on, GError **error);
gboolean ferry_libvirt_peer_set_autostart(FerryHost *host, const char *uri, const char *uuid,
                                          gboolean on, GError **error);
