// SPDX-License-Identifier: Apache-2.0
// What is known of a host's domains.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
json_t *ferry_libvirt_list(FerryHost *host, GError **error);
json_t *ferry_libvirt_record(FerryHost *host, const char *uuid, GError **error);
