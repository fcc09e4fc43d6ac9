// SPDX-License-Identifier: Apache-2.0
// Disks of simulated domains: which are copied, and their places on the target.
#include "base/error.h"
#include "host/sim/sim_disks.h"
#include "host/sim/sim_base.h"
#include <string.h>

static char *path_of(const FerrySimDomain *d, const char *disk) {
  return g_strdup_printf("/sim/%s-%s.qcow2", d->name, disk);
}

static gboolean is_copied(const FerryMigrateRequest *r, const json_t *disk) {
  const char *name = ferry_json_str(disk, "name");
  if (!r->copy_disks || !name)
    return FALSE;
  return r->disks ? g_strv_contains(r->disks, name) : !ferry_json_bool(disk, "shared", FALSE);
}

double ferry_sim_disks_to_copy(const FerrySimDomain *d, FerrySimHost *target,
                               const FerryMigrateRequest *r, GError **error) {
  double sum = 0;
  json_t *disk;
  size_t i;
  json_array_foreach(d->disks, i, disk) {
    const char *name = ferry_json_str(disk, "name");
    gint64 size = ferry_json_int(disk, "sizeBytes", 0);
    if (!is_copied(r, disk)) {
      if (ferry_json_bool(disk, "shared", FALSE) || r->unsafe)
        continue;
      ferry_sim_error(error, FERRY_SIM_ERROR_UNSAFE,
                      "Migration without shared storage is unsafe: disk %s", name);
      return -1;
    }
    g_autofree char *path = path_of(d, name);
    const gint64 *there = g_hash_table_lookup(target->volumes, path);
    if (!there || *there != size) {
      ferry_sim_error(error, FERRY_SIM_ERROR_FAILED, "disk %s: %s is not there on %s", name, path,
                      target->name);
      return -1;
    }
    sum += (double)size;
  }
  return sum;
}

/* The host at `uri` with the lock held, or NULL with an error and without it. */
static FerrySimHost *sim_disks_enter(FerrySimJob *job, const char *uri, GError **error) {
  FerrySimWorld *w = job->handle->world;
  g_mutex_lock(&w->lock);
  FerrySimHost *h = ferry_sim_find_host(w, uri);
  if (h && h->daemon && h->power)
    return h;
  g_mutex_unlock(&w->lock);
  ferry_sim_error(error, FERRY_HOST_ERROR_NO_CONNECTION, "libvirt at %s does not answer", uri);
  return NULL;
}

json_t *ferry_sim_job_disks_plan(FerryHostJob *base, const FerryMigrateRequest *r, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  FerrySimHost *target = sim_disks_enter(job, r->dest_uri, error);
  if (!target)
    return NULL;
  g_autoptr(json_t) plan = json_array();
  g_autoptr(GString) wrong = g_string_new(NULL);
  const FerrySimDomain *d = g_hash_table_lookup(job->handle->world->domains, job->uuid);
  json_t *disk;
  size_t i;
  if (d)
    json_array_foreach(d->disks, i, disk) {
      if (!is_copied(r, disk))
        continue;
      const char *name = ferry_json_str(disk, "name");
      gint64 size = ferry_json_int(disk, "sizeBytes", 0);
      g_autofree char *path = path_of(d, name);
      const gint64 *there = g_hash_table_lookup(target->volumes, path);
      if (there && *there != size)
        g_string_append_printf(wrong,
                               "%sdisk %s: %s is there with %" G_GINT64_FORMAT
                               " bytes, expected %" G_GINT64_FORMAT,
                               wrong->len ? "; " : "", name, path, *there, size);
      json_array_append_new(plan, json_pack("{s:s, s:s, s:s, s:I, s:b}", "name", name, "path", path,
                                            "format", "qcow2", "sizeBytes", (json_int_t)size,
                                            "create", there == NULL));
    }
  g_mutex_unlock(&job->handle->world->lock);
  if (!wrong->len)
    return g_steal_pointer(&plan);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s", wrong->str);
  return NULL;
}

static gboolean sim_disks_change(FerryHostJob *base, const char *uri, const json_t *disks,
                                 gboolean make, GError **error) {
  FerrySimJob *job = (FerrySimJob *)base;
  FerrySimHost *target = sim_disks_enter(job, uri, error);
  gboolean ok = TRUE;
  if (!target)
    return FALSE;
  json_t *disk;
  size_t i;
  json_array_foreach((json_t *)disks, i, disk) {
    const char *path = ferry_json_str(disk, "path");
    gint64 size = ferry_json_int(disk, "sizeBytes", 0);
    if (!path || !ferry_json_bool(disk, "create", FALSE))
      continue;
    if (make && g_hash_table_contains(target->volumes, path)) {
      json_object_set_new(disk, "create", json_false());
      if (ok)
        ferry_sim_error(error, FERRY_SIM_ERROR_FAILED, "%s appeared on %s meanwhile", path,
                        target->name);
      ok = FALSE;
    } else if (make)
      g_hash_table_replace(target->volumes, g_strdup(path), g_memdup2(&size, sizeof size));
    else
      g_hash_table_remove(target->volumes, path);
  }
  g_mutex_unlock(&job->handle->world->lock);
  return ok;
}

gboolean ferry_sim_job_disks_make(FerryHostJob *job, const char *uri, json_t *disks,
                                  GError **error) {
  return sim_disks_change(job, uri, disks, TRUE, error);
}

gboolean ferry_sim_job_disks_remove(FerryHostJob *job, const char *uri, const json_t *disks,
                                    GError **error) {
  return sim_disks_change(job, uri, disks, FALSE, error);
}
