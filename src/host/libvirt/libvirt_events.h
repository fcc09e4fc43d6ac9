// SPDX-License-Identifier: Apache-2.0
// libvirt's events as the port's.
#pragma once
#include "host/libvirt/libvirt_base.h"

#define FERRY_LIBVIRT_EVENTS 16

/** Registers all event callbacks and stores their ids, -1 where not supported. */
void ferry_libvirt_events_register(FerryLibvirtHost *host, virConnectPtr conn,
                                   int ids[FERRY_LIBVIRT_EVENTS]);
/** Takes them back. */
void ferry_libvirt_events_unregister(virConnectPtr conn, const int ids[FERRY_LIBVIRT_EVENTS]);
