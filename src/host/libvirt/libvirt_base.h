// SPDX-License-Identifier: Apache-2.0
// What every file of the driver goes by: the host with its connection, its listener, what of it is
// silent, and libvirt's errors in the port's words.
#pragma once
#include "base/patience.h"
#include "host/machine/network_watch.h"
#include "host/port/host.h"
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/* How often a libvirtd is asked for a sign of life, and how many may be missing. */
#define FERRY_LIBVIRT_KEEPALIVE_S 5
#define FERRY_LIBVIRT_KEEPALIVE_COUNT 5

typedef struct {
  FerryHost base;
  gatomicrefcount refs; /* the owner's, and one of each question that goes on */
  char *uri;
  FerryPatience *patience; /* with this host's libvirtd */
  FerryPatience *peers;    /* with other hosts' */
  FerryPatience *looks;    /* with this machine's file systems */
  GMutex telling;          /* held while `func` is called; guards both */
  FerryHostEventFunc func;
  gpointer data;
  GThread *connector, *pulse;
  FerryNetworkWatch *network; /* NULL: the host is another machine, or its kernel tells nothing */
  GMutex lock;                /* guards all below; never held across a libvirt call */
  GCond cond;
  virConnectPtr conn; /* events and queries */
  gboolean closed, stop;
  char *why;                 /* the last attempt to connect failed; NULL: it did not */
  gint64 silent_us;          /* since when libvirtd does not answer (monotonic); 0: it does */
  GHashTable *definitions;   /* UUID -> json_t*, of domains that run: their last records */
  GHashTable *silent;        /* set of UUIDs whose QEMU does not answer */
  GQueue idle;               /* virConnectPtr, open ones for the next job */
  char **shared_directories; /* as libvirtd is told; read anew at each connection */
  char *lock_manager;        /* the same; NULL: not known */
  GHashTable *disk_sizes;    /* "UUID/target/source" -> gint64 bytes */
} FerryLibvirtHost;

FerryLibvirtHost *ferry_libvirt_host_ref(FerryLibvirtHost *host);
void ferry_libvirt_host_unref(FerryLibvirtHost *host);
/** Calls the host's listener, unless it has none (any more). */
void ferry_libvirt_tell(FerryLibvirtHost *host, const FerryHostEvent *event);
/** A reference to the main connection (virConnectClose it), or NO_CONNECTION. */
virConnectPtr ferry_libvirt_ref(FerryLibvirtHost *host, GError **error);
/** Moves libvirt's error of this thread into `error` as "DOING: MESSAGE". Returns FALSE. */
gboolean ferry_libvirt_error(GError **error, const char *doing);
/** The domain or NULL: FERRY_HOST_ERROR_NO_DOMAIN where there is none. */
virDomainPtr ferry_libvirt_lookup(virConnectPtr conn, const char *uuid, GError **error);
/** Since when libvirtd does not answer (monotonic); 0: it does. */
gint64 ferry_libvirt_silent_us(FerryLibvirtHost *host);
