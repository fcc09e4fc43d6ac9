// SPDX-License-Identifier: Apache-2.0
// What a host says of itself.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
json_t *ferry_libvirt_info(FerryHost *host, GError **error);
json_t *ferry_libvirt_network(FerryHost *host, GError **error);
