// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_job_ask.h"

FerryLibvirtPath *ferry_libvirt_job_path(FerryHostJob *base) {
  return &((FerryLibvirtJob *)base)->path;
}

FerryLibvirtHost *ferry_libvirt_job_host(FerryHostJob *base) {
  return ((FerryLibvirtJob *)base)->host;
}

virDomainPtr ferry_libvirt_job_domain(FerryHostJob *base) {
  return ((FerryLibvirtJob *)base)->control_domain;
}

gboolean ferry_libvirt_ask_job(FerryHostJob *job, FerryLibvirtAsk *a, gboolean of_qemu, gint64 ms,
                               GError **error) {
  const char *uuid = ferry_libvirt_job_path(job)->uuid;
  g_autofree char *key = of_qemu ? g_strdup(uuid) : g_strconcat("state ", uuid, NULL);
  a->domain = ferry_libvirt_job_domain(job);
  virDomainRef(a->domain);
  return ferry_libvirt_ask(a, key, of_qemu ? FERRY_ASK_QEMU : FERRY_ASK_DAEMON, ms, error);
}

gboolean ferry_libvirt_tell_job(FerryHostJob *job, FerryLibvirtAskFunc func, gint64 value,
                                gint64 ms, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(ferry_libvirt_job_host(job), func);
  ask->value = value;
  return ferry_libvirt_ask_job(job, ask, TRUE, ms, error);
}
