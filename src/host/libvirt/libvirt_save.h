// SPDX-License-Identifier: Apache-2.0
// Hibernation.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
gboolean ferry_libvirt_save(FerryHost *host, const char *uuid, const char *path, GError **error);
gboolean ferry_libvirt_restore(FerryHost *host, const char *path, GError **error);
