// SPDX-License-Identifier: Apache-2.0
// Directories of a target, reached through its own libvirt.
//
// Theory of operation: a file lies in a directory, and libvirt's storage API knows directories as
// pools. Where the target has an active pool with that path, that is used, otherwise a transient
// one is made for the moment. Two agents may do this in one directory at once, then one of them
// finds the other's pool in its way, or vanish: it tries again. libvirt has no call that makes or
// removes a directory but building and deleting a pool.
#include "host/libvirt/storage/libvirt_pools.h"
#include "base/json.h"
#include "host/libvirt/storage/disks_xml.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_blame.h"
#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POOLS 1000
#define TRIES 20
#define TRY_PAUSE_US 100000

static void pool_clear(FerryPool *p) {
  if (p->pool && p->ours && virStoragePoolDestroy(p->pool) < 0)
    virResetLastError();
  if (p->pool)
    virStoragePoolFree(p->pool);
  p->pool = NULL;
  g_clear_pointer(&p->missing, g_free);
}

static virStoragePoolPtr find_active(virConnectPtr conn, const char *directory) {
  virStoragePoolPtr *pools = NULL, found = NULL;
  int n = virConnectListAllStoragePools(conn, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
  for (int i = 0; i < n; i++) {
    char *xml = found || i >= MAX_POOLS ? NULL : virStoragePoolGetXMLDesc(pools[i], 0);
    g_autofree char *path = xml ? ferry_disks_pool_path(xml) : NULL;
    free(xml);
    if (g_strcmp0(path, directory) == 0)
      found = pools[i];
    else
      virStoragePoolFree(pools[i]);
  }
  free(pools);
  virResetLastError();
  return found;
}

static char *directory_xml(const char *directory) {
  g_autofree char *uuid = g_uuid_string_random();
  g_autofree char *name = g_strconcat("ferry-", uuid, NULL);
  return ferry_disks_pool_xml(name, directory);
}

static virStoragePoolPtr make_transient(virConnectPtr conn, const char *directory, unsigned flags) {
  g_autofree char *xml = directory_xml(directory);
  return virStoragePoolCreateXML(conn, xml, flags);
}

static gboolean is_absent(void) {
  const virError *e = virGetLastError();
  return e && e->code == VIR_ERR_SYSTEM_ERROR && e->int1 == ENOENT;
}

/* The topmost directory that is absent, `directory` itself being so. */
static char *topmost_absent(virConnectPtr conn, const char *directory) {
  g_autofree char *top = g_strdup(directory);
  for (;;) {
    g_autofree char *above = g_path_get_dirname(top);
    if (strcmp(above, top) == 0)
      break;
    virStoragePoolPtr pool = make_transient(conn, above, 0);
    gboolean absent = !pool && is_absent();
    FerryPool there = {.conn = conn, .pool = pool, .ours = TRUE};
    pool_clear(&there);
    virResetLastError();
    if (!absent)
      break;
    g_free(g_steal_pointer(&top));
    top = g_steal_pointer(&above);
  }
  return g_steal_pointer(&top);
}

static gboolean open_directory(FerryPool *p, const char *directory, gboolean build,
                               GError **error) {
  p->pool = make_transient(p->conn, directory, build ? VIR_STORAGE_POOL_CREATE_WITH_BUILD : 0);
  p->ours = p->pool != NULL;
  if (p->pool)
    return TRUE;
  if (!build && is_absent()) {
    virResetLastError();
    p->missing = topmost_absent(p->conn, directory);
    return TRUE;
  }
  g_autofree char *doing = g_strdup_printf("the target cannot use the directory %s", directory);
  return ferry_libvirt_error(error, doing);
}

static gboolean pool_open(FerryPool *p, const json_t *disk, gboolean build, GError **error) {
  const char *name = ferry_json_str(disk, "pool"), *path = ferry_json_str(disk, "path");
  if (name) {
    p->pool = virStoragePoolLookupByName(p->conn, name);
    if (!p->pool)
      return ferry_libvirt_error(error, "the target lacks the VM's storage pool");
  } else {
    g_autofree char *directory = g_path_get_dirname(path);
    p->pool = find_active(p->conn, directory);
    if (!p->pool)
      return g_strcmp0(ferry_json_str(disk, "type"), "block") == 0 ||
             open_directory(p, directory, build, error);
  }
  if (virStoragePoolRefresh(p->pool, 0) < 0)
    virResetLastError(); /* another refresh is under way */
  return TRUE;
}

gboolean ferry_pool_with(virConnectPtr conn, json_t *disk, gboolean build, FerryPoolFunc func,
                         gpointer data, GError **error) {
  for (guint i = 0;; i++) {
    g_autoptr(GError) cause = NULL;
    FerryPool pool = {.conn = conn};
    gboolean ok = pool_open(&pool, disk, build, &cause) && func(&pool, disk, data, &cause);
    pool_clear(&pool);
    if (ok)
      return TRUE;
    if (!ferry_libvirt_pool_is_contended(cause) || i >= TRIES) {
      g_propagate_error(error, g_steal_pointer(&cause));
      return FALSE;
    }
    g_usleep(TRY_PAUSE_US);
  }
}

virStorageVolPtr ferry_pool_find(const FerryPool *p, const json_t *disk) {
  g_autofree char *name = g_path_get_basename(ferry_json_str(disk, "path"));
  virStorageVolPtr vol = p->pool ? virStorageVolLookupByName(p->pool, name) : NULL;
  if (!vol)
    virResetLastError();
  return vol;
}

/* libvirt deletes the directory of a pool that is defined and not active. */
static gboolean remove_directory(virConnectPtr conn, const char *directory) {
  g_autofree char *xml = directory_xml(directory);
  virStoragePoolPtr pool = virStoragePoolDefineXML(conn, xml, 0);
  gboolean gone = pool && virStoragePoolDelete(pool, VIR_STORAGE_POOL_DELETE_NORMAL) == 0;
  if (pool) {
    virStoragePoolUndefine(pool);
    virStoragePoolFree(pool);
  }
  virResetLastError();
  return gone;
}

void ferry_pool_remove_directories(virConnectPtr conn, const char *path, const char *top) {
  g_autofree char *directory = g_path_get_dirname(path);
  gsize length = strlen(top);
  while (strncmp(directory, top, length) == 0 &&
         (directory[length] == '/' || directory[length] == '\0') &&
         remove_directory(conn, directory)) {
    char *above = g_path_get_dirname(directory);
    g_free(directory);
    directory = above;
  }
}
