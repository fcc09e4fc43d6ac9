// SPDX-License-Identifier: Apache-2.0
// How much of a domain is told.
#pragma once

#define FERRY_DOMAIN_SNAPSHOTS_MAX 64 /* names */
#define FERRY_DOMAIN_BLOCKERS_MAX 16  /* reasons of QEMU's against moving it */
