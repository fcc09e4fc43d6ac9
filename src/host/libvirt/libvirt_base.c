// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_base.h"

FerryLibvirtHost *ferry_libvirt_host_ref(FerryLibvirtHost *host) {
  g_atomic_ref_count_inc(&host->refs);
  return host;
}

void ferry_libvirt_host_unref(FerryLibvirtHost *host) {
  if (!g_atomic_ref_count_dec(&host->refs))
    return;
  ferry_patience_unref(host->patience);
  ferry_patience_unref(host->peers);
  ferry_patience_unref(host->looks);
  g_hash_table_unref(host->disk_sizes);
  g_hash_table_unref(host->silent);
  g_hash_table_unref(host->definitions);
  g_strfreev(host->shared_directories);
  g_free(host->lock_manager);
  g_mutex_clear(&host->telling);
  g_mutex_clear(&host->lock);
  g_cond_clear(&host->cond);
  g_free(host->why);
  g_free(host->uri);
  g_free(host);
}

void ferry_libvirt_tell(FerryLibvirtHost *host, const FerryHostEvent *event) {
  g_mutex_lock(&host->telling);
  if (host->func)
    host->func(event, host->data);
  g_mutex_unlock(&host->telling);
}

virConnectPtr ferry_libvirt_ref(FerryLibvirtHost *host, GError **error) {
  g_mutex_lock(&host->lock);
  virConnectPtr conn = host->conn;
  g_autofree char *why = g_strdup(host->why);
  if (conn)
    virConnectRef(conn);
  g_mutex_unlock(&host->lock);
  if (!conn)
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION,
                "libvirt at %s is not connected; check that libvirtd runs there%s%s", host->uri,
                why ? ": " : "", why ? why : "");
  return conn;
}

gint64 ferry_libvirt_silent_us(FerryLibvirtHost *host) {
  g_mutex_lock(&host->lock);
  gint64 since = host->silent_us;
  g_mutex_unlock(&host->lock);
  return since;
}

gboolean ferry_libvirt_error(GError **error, const char *doing) {
  virErrorPtr e = virGetLastError();
  g_autofree char *text = g_strdup(e && e->message ? e->message : "no reason given");
  g_strstrip(text);
  int code = e ? e->code : VIR_ERR_INTERNAL_ERROR;
  /* The many ways in which the connection itself can be what broke. A system call that failed is
   * one only where it was the connection's. */
  gboolean wire = e && (e->domain == VIR_FROM_RPC || e->domain == VIR_FROM_REMOTE);
  if (code == VIR_ERR_RPC || code == VIR_ERR_NO_CONNECT || code == VIR_ERR_INVALID_CONN ||
      (wire && (code == VIR_ERR_INTERNAL_ERROR || code == VIR_ERR_SYSTEM_ERROR)))
    code = FERRY_HOST_ERROR_NO_CONNECTION;
  g_set_error(error, FERRY_HOST_ERROR, code, "%s: %s", doing, text);
  virResetLastError();
  return FALSE;
}

virDomainPtr ferry_libvirt_lookup(virConnectPtr conn, const char *uuid, GError **error) {
  virDomainPtr domain = virDomainLookupByUUIDString(conn, uuid);
  if (!domain)
    ferry_libvirt_error(error, "cannot find the domain");
  return domain;
}
