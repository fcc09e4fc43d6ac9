// SPDX-License-Identifier: Apache-2.0
// A VM's interfaces that are plugged into bridges of this host's kernel. No lock.
#pragma once
#include "host/machine/guest_port.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct {
  char *device, *bridge; /* the tap, and the bridge that it is a port of */
  guint8 mac[FERRY_MAC_BYTES];
  char mac_text[3 * FERRY_MAC_BYTES];
} FerryNic;

/** Those of the domain `uuid` as it is here now: a new array of FerryNic; empty: there are none
 * (yet). Asks the hypervisor. */
GArray *ferry_nics_look(FerryHost *host, const char *uuid);

/** Whether one of them has this address. */
gboolean ferry_nics_have(const GArray *nics, const guint8 mac[FERRY_MAC_BYTES]);

G_END_DECLS
