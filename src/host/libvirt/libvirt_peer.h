// SPDX-License-Identifier: Apache-2.0
// What another host's libvirt says.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
gboolean ferry_libvirt_peer_incoming(FerryHost *host, const char *uri, gint64 *n, GError **error);
gboolean ferry_libvirt_peer_state(FerryHost *host, const char *uri, const char *uuid,
                                  FerryDomainState *out, GError **error);
gboolean ferry_libvirt_peer_versions(FerryHost *host, const char *uri, FerryHostVersions *out,
                                     GError **error);
