// SPDX-License-Identifier: Apache-2.0
// Has libvirtd show its certificate at its TLS port, a new one without being restarted.
#pragma once
#include "base/error.h"

G_BEGIN_DECLS

/** What is asked of the machine; a test has its own. */
typedef struct {
  /** Runs a program; FALSE where it cannot be run or does not exit with 0. */
  gboolean (*run)(const char *const *argv, gpointer data, GError **error);
  /** The VMs that migrate from or to this host now, as a text; "": none. Free with g_free. NULL:
   * libvirtd does not answer, which counts as none where its service does not run. */
  char *(*moving)(gpointer data);
  /** Waits a moment; FALSE: it was long enough. */
  gboolean (*wait)(gpointer data);
  /** Whether anybody listens at libvirt's TLS port. */
  gboolean (*taken)(gpointer data);
  gpointer data;
} FerryTrustMachine;

/** Has the daemon that owns libvirt's TLS port (libvirtd, or virtproxyd of the modular ones) serve
 * it, now and at each boot. Where it does already, it takes the new certificate by `virt-admin
 * server-update-tls`; else it is restarted, as soon as no VM migrates from or to this host, which a
 * libvirtd that runs has to say, and not where another process has the port, for it would not get
 * it. UNAVAILABLE says what went wrong or what still migrates. */
gboolean ferry_trust_libvirtd_serve(const FerryTrustMachine *machine, GError **error);

/** Has that daemon's TLS socket neither now nor at the next boot; a daemon that runs keeps what it
 * listens at until it is restarted. */
gboolean ferry_trust_libvirtd_leave(const FerryTrustMachine *machine, GError **error);

G_END_DECLS
