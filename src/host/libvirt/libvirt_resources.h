// SPDX-License-Identifier: Apache-2.0
// What the host has of what VMs need.
#pragma once
#include "host/port/host.h"

/** As the port has it (host/port/host.h). */
json_t *ferry_libvirt_resources(FerryHost *host, const json_t *looks, GError **error);
