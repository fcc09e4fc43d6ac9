// SPDX-License-Identifier: Apache-2.0
// What the target must hold before disks are copied: an image of the exact size and format for
// each, made through the target's own libvirt and removed again where the migration fails.
//
// Theory of operation: a plan is looked up first and changes nothing, so that the caller can write
// it down before anything is made. Only what libvirt says it made is removed again: an image that
// appeared since the plan is somebody else's.
#include "base/error.h"
#include "host/libvirt/storage/libvirt_disks.h"
#include "host/libvirt/storage/disks_xml.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_connect.h"
#include "host/libvirt/libvirt_job_ask.h"
#include "host/libvirt/libvirt_migrate_params.h"
#include "host/libvirt/storage/libvirt_pools.h"
#include "model/flags/migration_flags.h"
#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MS 30000

/* ---- the plan ---- */

static gboolean is_chosen(const FerryMigrateRequest *r, const json_t *disk) {
  const char *name = ferry_json_str(disk, "name");
  const json_t *chosen = json_object_get(r->config, "migrateDisks");
  if (json_array_size(chosen)) {
    for (gsize i = 0; i < json_array_size(chosen); i++)
      if (g_strcmp0(json_string_value(json_array_get(chosen, i)), name) == 0)
        return TRUE;
    return FALSE;
  }
  if (r->disks)
    return name && g_strv_contains(r->disks, name);
  return !ferry_json_bool(disk, "readonly", FALSE) && !ferry_json_bool(disk, "shareable", FALSE);
}

/* The name of a domain of the target, other than `uuid`, that has `path` as a disk, or NULL. */
static char *used_by(virConnectPtr conn, const char *uuid, const char *path) {
  virDomainPtr *domains = NULL;
  char *user = NULL;
  int n = virConnectListAllDomains(conn, &domains, 0);
  for (int i = 0; i < n; i++) {
    char other[VIR_UUID_STRING_BUFLEN] = "";
    virDomainGetUUIDString(domains[i], other);
    char *xml = user || g_strcmp0(other, uuid) == 0 ? NULL : virDomainGetXMLDesc(domains[i], 0);
    g_autoptr(json_t) disks = xml ? ferry_disks_xml_parse(xml) : NULL;
    free(xml);
    if (ferry_json_find(disks, "path", path))
      user = g_strdup(virDomainGetName(domains[i]));
    virDomainFree(domains[i]);
  }
  free(domains);
  virResetLastError();
  return user;
}

/* Whether what is there already can take the copy. */
static void judge_existing(virStorageVolPtr vol, const json_t *disk, GString *problems) {
  char *xml = virStorageVolGetXMLDesc(vol, 0);
  gint64 capacity = -1, size = ferry_json_int(disk, "sizeBytes", 0);
  g_autofree char *format = NULL;
  gboolean known = xml && ferry_disks_volume_parse(xml, &capacity, &format);
  free(xml);
  const char *wanted = ferry_json_str(disk, "format");
  gboolean same_format = !format || g_strcmp0(format, wanted) == 0 ||
                         (g_strcmp0(wanted, "raw") == 0 && g_strcmp0(format, "iso") == 0);
  if (known && capacity == size && same_format)
    return;
  g_string_append_printf(problems,
                         "%sdisk %s: %s exists there with %" G_GINT64_FORMAT
                         " bytes in format %s, the VM's has %" G_GINT64_FORMAT
                         " bytes in format %s; move it away on the target",
                         problems->len ? "; " : "", ferry_json_str(disk, "name"),
                         ferry_json_str(disk, "path"), capacity, format ? format : "unknown", size,
                         wanted);
}

static gboolean look_at(FerryPool *pool, json_t *disk, gpointer problems, GError **error) {
  virStorageVolPtr vol = ferry_pool_find(pool, disk);
  if (vol) {
    judge_existing(vol, disk, problems);
    virStorageVolFree(vol);
  } else if (pool->pool || pool->missing) {
    json_object_set_new(disk, "create", json_true());
  } /* a block device without a pool: it is there or QEMU says so */
  if (pool->missing)
    ferry_json_set_str(disk, "directory", pool->missing);
  return TRUE;
}

static void plan_disk(virConnectPtr conn, const char *uuid, json_t *disk, GString *problems) {
  g_autoptr(GError) error = NULL;
  const char *path = ferry_json_str(disk, "path");
  json_object_set_new(disk, "create", json_false());
  g_autofree char *user = used_by(conn, uuid, path);
  if (user)
    g_string_append_printf(problems, "%sdisk %s: %s belongs to the domain %s there",
                           problems->len ? "; " : "", ferry_json_str(disk, "name"), path, user);
  else if (!ferry_pool_with(conn, disk, FALSE, look_at, problems, &error))
    g_string_append_printf(problems, "%sdisk %s: %s", problems->len ? "; " : "",
                           ferry_json_str(disk, "name"), error->message);
}

static gboolean read_own_disks(FerryLibvirtAsk *a, GError **error) {
  char *xml = virDomainGetXMLDesc(a->domain, 0);
  if (!xml)
    return ferry_libvirt_error(error, "cannot read the domain's XML");
  a->found = ferry_disks_xml_parse(xml);
  free(xml);
  return TRUE;
}

static gboolean read_capacity(FerryLibvirtAsk *a, GError **error) {
  virDomainBlockInfo info;
  if (virDomainGetBlockInfo(a->domain, a->text, &info, 0) < 0) {
    g_autofree char *doing = g_strdup_printf("cannot read the size of disk %s", a->text);
    return ferry_libvirt_error(error, doing);
  }
  a->number = (gint64)info.capacity;
  return TRUE;
}

static gboolean capacity_of(FerryHostJob *job, const char *disk, gint64 *bytes, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask =
      ferry_libvirt_ask_new(ferry_libvirt_job_host(job), read_capacity);
  ask->text = g_strdup(disk);
  if (!ferry_libvirt_ask_job(job, ask, TRUE, FERRY_ASK_CALL_MS, error))
    return FALSE;
  *bytes = ask->number;
  return TRUE;
}

/* The disks to copy with the path each has at the target; sizes are virtual sizes. */
static json_t *wanted_disks(FerryHostJob *job, const FerryMigrateRequest *r, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask =
      ferry_libvirt_ask_new(ferry_libvirt_job_host(job), read_own_disks);
  if (!ferry_libvirt_ask_job(job, ask, TRUE, FERRY_ASK_CALL_MS, error))
    return NULL;
  const json_t *all = ask->found;
  g_autoptr(json_t) there = ferry_disks_xml_parse(ferry_json_str(r->config, "destinationXML"));
  gboolean whole = !ferry_migration_flag_on(r->config, "copyStorageIncremental");
  json_t *out = json_array();
  gsize i;
  json_t *disk;
  json_array_foreach((json_t *)all, i, disk) {
    const char *name = ferry_json_str(disk, "name"), *path = ferry_json_str(disk, "path");
    gint64 capacity;
    if (!name || !path || !is_chosen(r, disk))
      continue;
    if (!capacity_of(job, name, &capacity, error)) {
      json_decref(out);
      return NULL;
    }
    json_t *item = json_deep_copy(disk);
    const json_t *moved = ferry_json_find(there, "name", name);
    if (ferry_json_str(moved, "path"))
      json_object_update((json_t *)item, (json_t *)moved);
    ferry_json_set_int(item, "sizeBytes", capacity);
    if (!ferry_json_str(item, "format"))
      ferry_json_set_str(item, "format", "raw");
    if (whole) { /* a whole copy has no backing file */
      json_object_del(item, "backing");
      json_object_del(item, "backingFormat");
    }
    json_object_del(item, "readonly");
    json_object_del(item, "shareable");
    json_array_append_new(out, item);
  }
  return out;
}

json_t *ferry_libvirt_job_disks_plan(FerryHostJob *job, const FerryMigrateRequest *r,
                                     GError **error) {
  if (!(ferry_libvirt_migrate_flags(r) &
        (VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_NON_SHARED_INC)))
    return json_array();
  FerryLibvirtHost *host = ferry_libvirt_job_host(job);
  g_autoptr(json_t) disks = wanted_disks(job, r, error);
  if (!disks || json_array_size(disks) == 0)
    return g_steal_pointer(&disks);
  virConnectPtr conn = ferry_libvirt_open_peer(host, r->dest_uri, error);
  if (!conn)
    return NULL;
  const char *uuid = ferry_libvirt_job_path(job)->uuid;
  g_autoptr(GString) problems = g_string_new(NULL);
  gsize i;
  json_t *disk;
  json_array_foreach(disks, i, disk) plan_disk(conn, uuid, disk, problems);
  ferry_libvirt_close(host, conn);
  if (problems->len) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "the target cannot take the disks: %s",
                problems->str);
    return NULL;
  }
  return g_steal_pointer(&disks);
}

/* ---- making and removing ---- */

static gboolean exists_already(void) {
  const virError *e = virGetLastError();
  return e && (e->code == VIR_ERR_STORAGE_VOL_EXIST ||
               (e->code == VIR_ERR_SYSTEM_ERROR && e->int1 == EEXIST));
}

static gboolean make_disk(FerryPool *pool, json_t *disk, gpointer data, GError **error) {
  const char *path = ferry_json_str(disk, "path");
  if (!pool->pool)
    return TRUE;
  g_autofree char *xml = ferry_disks_volume_xml(disk);
  virStorageVolPtr vol = virStorageVolCreateXML(pool->pool, xml, 0);
  if (vol) {
    virStorageVolFree(vol);
    return TRUE;
  }
  if (exists_already()) {
    virResetLastError();
    json_object_set_new(disk, "create", json_false());
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "%s appeared on the target meanwhile and is not Ferry's; if it is meant for the "
                "copy, migrate again, else move it away there",
                path);
    return FALSE;
  }
  g_autofree char *doing = g_strdup_printf("cannot make %s on the target", path);
  return ferry_libvirt_error(error, doing);
}

static gboolean remove_disk(FerryPool *pool, json_t *disk, gpointer data, GError **error) {
  virStorageVolPtr vol = ferry_pool_find(pool, disk);
  if (!vol)
    return TRUE;
  gboolean ok = virStorageVolDelete(vol, 0) == 0;
  virStorageVolFree(vol);
  if (ok)
    return TRUE;
  g_autofree char *doing =
      g_strdup_printf("cannot remove %s on the target", ferry_json_str(disk, "path"));
  return ferry_libvirt_error(error, doing);
}

/* Of each of Ferry's own; the others are done though one fails, and the first error is told. */
static gboolean libvirt_disks_each(FerryHostJob *job, const char *uri, json_t *disks, gboolean make,
                                   GError **error) {
  FerryLibvirtHost *host = ferry_libvirt_job_host(job);
  virConnectPtr conn = NULL;
  gboolean ok = TRUE;
  gsize i;
  json_t *disk;
  json_array_foreach(disks, i, disk) {
    const char *path = ferry_json_str(disk, "path"), *top = ferry_json_str(disk, "directory");
    if (!ferry_json_bool(disk, "create", FALSE) || !path)
      continue;
    if (!conn && !(conn = ferry_libvirt_open_peer(host, uri, error)))
      return FALSE;
    ok = ferry_pool_with(conn, disk, make, make ? make_disk : remove_disk, NULL,
                         ok ? error : NULL) &&
         ok;
    if (!make && top)
      ferry_pool_remove_directories(conn, path, top);
  }
  ferry_libvirt_close(host, conn);
  return ok;
}

gboolean ferry_libvirt_job_disks_make(FerryHostJob *job, const char *uri, json_t *disks,
                                      GError **error) {
  return libvirt_disks_each(job, uri, disks, TRUE, error);
}

gboolean ferry_libvirt_job_disks_remove(FerryHostJob *job, const char *uri, const json_t *disks,
                                        GError **error) {
  g_autoptr(json_t) copy = json_deep_copy(disks);
  return libvirt_disks_each(job, uri, copy, FALSE, error);
}

/* ---- what an ended migration left ---- */

static gboolean sweep_disk(FerryPool *pool, json_t *disk, gpointer conn, GError **error) {
  const char *path = ferry_json_str(disk, "path");
  virStorageVolPtr vol = ferry_pool_find(pool, disk);
  g_autofree char *user = vol ? used_by(conn, "", path) : NULL;
  g_autoptr(GString) unlike = g_string_new(NULL);
  gboolean ok = TRUE;
  if (vol)
    judge_existing(vol, disk, unlike);
  if (user || unlike->len) {
    g_autofree char *why =
        user ? g_strdup_printf("the domain %s has it", user) : g_strdup("it is not what was made");
    ferry_json_set_str(disk, "kept", why);
  } else if (vol && virStorageVolDelete(vol, 0) < 0) {
    ok = ferry_libvirt_error(error, "cannot remove an image that a migration left");
  } else {
    json_object_set_new(disk, "create", json_false());
  }
  if (vol)
    virStorageVolFree(vol);
  return ok;
}

static gboolean sweep_all(const FerryLibvirtAsk *a, virConnectPtr conn, GError **error) {
  gsize i;
  json_t *disk;
  json_array_foreach(a->json, i, disk) {
    const char *path = ferry_json_str(disk, "path"), *top = ferry_json_str(disk, "directory");
    if (!path || !ferry_json_bool(disk, "create", FALSE))
      continue;
    if (!ferry_libvirt_ask_is_wanted(a, error) ||
        !ferry_pool_with(conn, disk, FALSE, sweep_disk, conn, error))
      return FALSE;
    if (top && !ferry_json_str(disk, "kept"))
      ferry_pool_remove_directories(conn, path, top);
  }
  return TRUE;
}

static gboolean ask_to_sweep(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = virConnectOpen(a->text);
  if (!conn)
    return ferry_libvirt_error(error, "cannot ask the other host's libvirt");
  gboolean ok = sweep_all(a, conn, error);
  virConnectClose(conn);
  return ok;
}

gboolean ferry_libvirt_peer_sweep(FerryHost *host, const char *uri, json_t *disks, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new((FerryLibvirtHost *)host, ask_to_sweep);
  ask->json = json_deep_copy(disks);
  ask->peer_ms = SWEEP_MS;
  if (!ferry_libvirt_ask_peer(ask, "sweep", uri, error))
    return FALSE;
  json_array_clear(disks);
  json_array_extend(disks, ask->json);
  return TRUE;
}
