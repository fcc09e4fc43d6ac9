// SPDX-License-Identifier: Apache-2.0
// Connections beside the main one: a job's own, kept warm where possible, and those to other hosts.
// How one is opened and closed without waiting for a libvirtd that hangs.
#pragma once
#include "host/libvirt/libvirt_base.h"

/** Opens a connection, for as long as libvirtd takes: only where nobody waits for it. */
virConnectPtr ferry_libvirt_open(const char *uri, GError **error);
/** Closes a connection (NULL is fine), waiting a moment at most. */
void ferry_libvirt_close(FerryLibvirtHost *host, virConnectPtr conn);
/** A connection to another host's libvirtd (ferry_libvirt_close it), which must answer in time. */
virConnectPtr ferry_libvirt_open_peer(FerryLibvirtHost *host, const char *uri, GError **error);
/** An open connection for a job's own use, kept warm where possible; give it back. It takes as long
 * as libvirtd takes. */
virConnectPtr ferry_libvirt_take(FerryLibvirtHost *host, GError **error);
/** NULL is fine. */
void ferry_libvirt_give(FerryLibvirtHost *host, virConnectPtr conn);
/** Closes those that are kept warm. */
void ferry_libvirt_drop_idle(FerryLibvirtHost *host);
