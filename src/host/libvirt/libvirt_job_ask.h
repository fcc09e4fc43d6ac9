// SPDX-License-Identifier: Apache-2.0
// A job as all see it who ask something about its domain, and how they ask.
#pragma once
#include "host/libvirt/libvirt_ask.h"

/** What a job's connections are told by. */
typedef struct {
  gboolean local; /* the host is this machine */
  char *uuid;
  char *address;           /* where its data goes; NULL: not known as an IP address */
  guint16 ports[2];        /* that were asked for on the target; 0: none */
  guint16 hypervisor_port; /* of the target's libvirtd, which carries no data; 0: not known */
  char *hypervisor;        /* the name or address of the target's libvirtd; NULL: not known */
  char *control;           /* its IP address, resolved when first asked for; "": it has none */
} FerryLibvirtPath;

/** What a job begins with; libvirt_job.c has the rest. */
typedef struct {
  FerryHostJob base;
  FerryLibvirtHost *host;
  virConnectPtr control_conn;
  virDomainPtr control_domain; /* on it: what is asked and changed goes there */
  FerryLibvirtPath path;       /* written before the call */
} FerryLibvirtJob;

/** The path of the job's connections; the job's own. */
FerryLibvirtPath *ferry_libvirt_job_path(FerryHostJob *job);
/** The host that the job was opened at; borrowed. */
FerryLibvirtHost *ferry_libvirt_job_host(FerryHostJob *job);
/** The domain on the job's control connection, borrowed. */
virDomainPtr ferry_libvirt_job_domain(FerryHostJob *job);
/** The same as ferry_libvirt_ask, about the domain of a job: with `of_qemu` its QEMU is asked, and
 * else libvirtd alone. */
gboolean ferry_libvirt_ask_job(FerryHostJob *job, FerryLibvirtAsk *ask, gboolean of_qemu, gint64 ms,
                               GError **error);
/** A call about a job's domain that has one argument at most and answers nothing. */
gboolean ferry_libvirt_tell_job(FerryHostJob *job, FerryLibvirtAskFunc func, gint64 value,
                                gint64 ms, GError **error);
