// SPDX-License-Identifier: Apache-2.0
// The network interfaces of the machine that this process runs on.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Network interfaces of this machine: [{name, addresses["a.b.c.d/n"], up, speedMbps}], loopback
 * left out. Reads the network namespace of the calling process. */
json_t *ferry_host_local_interfaces(void);

G_END_DECLS
