// SPDX-License-Identifier: Apache-2.0
// Dispatch to the driver behind the port.
//
// Theory of operation: each function of host.h calls the driver's of the same name (FerryHostOps).
// What a driver may leave out (NULL there) is answered here, with an error or with what does no
// harm, so that callers never look whether it is there.
#include "host/port/host.h"

#include "base/error.h"
#include "model/migration/node_address.h"

typedef struct {
  FerryHostHint hint;
} FerryHostErrorPrivate;

static void ferry_host_error_private_init(FerryHostErrorPrivate *priv) {
  priv->hint = FERRY_HOST_HINT_NONE;
}

static void ferry_host_error_private_copy(const FerryHostErrorPrivate *src,
                                          FerryHostErrorPrivate *dest) {
  dest->hint = src->hint;
}

static void ferry_host_error_private_clear(FerryHostErrorPrivate *priv) {
}

FERRY_DEFINE_ERROR_DOMAIN(FerryHostError, ferry_host_error)

void ferry_host_error_set_hint(GError *error, FerryHostHint hint) {
  g_return_if_fail(error && error->domain == FERRY_HOST_ERROR);
  ferry_host_error_get_private(error)->hint = hint;
}

FerryHostHint ferry_host_error_hint(const GError *error) {
  gboolean ours = error && error->domain == FERRY_HOST_ERROR;
  return ours ? ferry_host_error_get_private(error)->hint : FERRY_HOST_HINT_NONE;
}

void ferry_job_stats_clear(FerryJobStats *s) {
  *s = (FerryJobStats){.elapsed_ms = -1,
                       .downtime_ms = -1,
                       .setup_ms = -1,
                       .expected_downtime_ms = -1,
                       .data_total = -1,
                       .data_processed = -1,
                       .data_remaining = -1,
                       .memory_total = -1,
                       .memory_processed = -1,
                       .memory_remaining = -1,
                       .memory_bps = -1,
                       .dirty_pages_per_s = -1,
                       .page_size = -1,
                       .iteration = -1,
                       .throttle_percent = -1,
                       .normal_pages = -1,
                       .xbzrle_pages = -1,
                       .disk_total = -1,
                       .disk_processed = -1,
                       .disk_remaining = -1,
                       .disk_bps = -1};
}

void ferry_host_free(FerryHost *host) {
  if (host)
    host->ops->free(host);
}

gboolean ferry_host_error_is_silent(const GError *error) {
  return g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_SILENT) ||
         g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_VM_SILENT);
}

gboolean ferry_host_error_is_away(const GError *error) {
  return g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION) ||
         g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_SILENT);
}

void ferry_host_hurry(FerryHost *host) {
  if (host->ops->hurry)
    host->ops->hurry(host);
}

void ferry_host_start(FerryHost *host, FerryHostEventFunc func, gpointer data) {
  host->ops->start(host, func, data);
}

json_t *ferry_host_info(FerryHost *host, GError **error) {
  return host->ops->info(host, error);
}

json_t *ferry_host_network(FerryHost *host, GError **error) {
  return host->ops->network ? host->ops->network(host, error) : NULL;
}

json_t *ferry_host_resources(FerryHost *host, const json_t *looks, GError **error) {
  return host->ops->resources ? host->ops->resources(host, looks, error) : NULL;
}

#define HOSTNAME "Hostname"

const char *ferry_host_name_of(const json_t *addresses) {
  return ferry_json_str(ferry_json_find(addresses, "type", HOSTNAME), "address");
}

json_t *ferry_host_addresses(const json_t *interfaces, const char *hostname) {
  json_t *out = json_array(), *item, *address;
  size_t i, k;
  json_array_foreach((json_t *)interfaces, i, item)
      json_array_foreach(json_object_get(item, "addresses"), k, address) {
    g_auto(GStrv) parts = g_strsplit(json_string_value(address), "/", 2);
    json_array_append_new(
        out, json_pack("{s:s, s:s}", "type", FERRY_ADDRESS_INTERNAL, "address", parts[0]));
  }
  if (hostname)
    json_array_append_new(out, json_pack("{s:s, s:s}", "type", HOSTNAME, "address", hostname));
  return out;
}

json_t *ferry_host_list(FerryHost *host, GError **error) {
  return host->ops->list(host, error);
}

json_t *ferry_host_record(FerryHost *host, const char *uuid, GError **error) {
  return host->ops->record(host, uuid, error);
}

gboolean ferry_host_peer_state(FerryHost *host, const char *uri, const char *uuid,
                               FerryDomainState *out, GError **error) {
  return host->ops->peer_state(host, uri, uuid, out, error);
}

gboolean ferry_host_peer_incoming(FerryHost *host, const char *uri, gint64 *n, GError **error) {
  return host->ops->peer_incoming(host, uri, n, error);
}

FerryHostJob *ferry_host_job_open(FerryHost *host, const char *uuid, GError **error) {
  return host->ops->job_open(host, uuid, error);
}

void ferry_host_job_close(FerryHostJob *job) {
  if (job)
    job->ops->job_close(job);
}

gboolean ferry_host_job_start(FerryHostJob *job, const FerryMigrateRequest *request,
                              FerryMigrateDone done, gpointer data, GError **error) {
  return job->ops->job_start(job, request, done, data, error);
}

json_t *ferry_host_job_disks_plan(FerryHostJob *job, const FerryMigrateRequest *request,
                                  GError **error) {
  return job->ops->job_disks_plan(job, request, error);
}

gboolean ferry_host_job_disks_make(FerryHostJob *job, const char *uri, json_t *disks,
                                   GError **error) {
  return job->ops->job_disks_make(job, uri, disks, error);
}

gboolean ferry_host_job_disks_remove(FerryHostJob *job, const char *uri, const json_t *disks,
                                     GError **error) {
  return job->ops->job_disks_remove(job, uri, disks, error);
}

gboolean ferry_host_job_stats(FerryHostJob *job, FerryJobStats *out, GError **error) {
  return job->ops->job_stats(job, out, error);
}

gboolean ferry_host_job_state(FerryHostJob *job, FerryDomainState *out, GError **error) {
  return job->ops->job_state(job, out, error);
}

gboolean ferry_host_job_set_max_downtime(FerryHostJob *job, gint64 ms, GError **error) {
  return job->ops->job_set_max_downtime(job, ms, error);
}

gboolean ferry_host_job_set_max_speed(FerryHostJob *job, gint64 bytes_per_s, GError **error) {
  return job->ops->job_set_max_speed(job, bytes_per_s, error);
}

gboolean ferry_host_job_dirty_rate(FerryHostJob *job, int seconds, gint64 *bytes_per_s,
                                   GError **error) {
  return job->ops->job_dirty_rate(job, seconds, bytes_per_s, error);
}

gboolean ferry_host_job_resident(FerryHostJob *job, gint64 *bytes, GError **error) {
  return job->ops->job_resident(job, bytes, error);
}

gboolean ferry_host_job_set_throttle(FerryHostJob *job, int percent, GError **error) {
  if (job->ops->job_set_throttle)
    return job->ops->job_set_throttle(job, percent, error);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor cannot slow a guest down while it migrates");
  return FALSE;
}

gboolean ferry_host_job_start_postcopy(FerryHostJob *job, GError **error) {
  return job->ops->job_start_postcopy(job, error);
}

gboolean ferry_host_job_abort(FerryHostJob *job, GError **error) {
  return job->ops->job_abort(job, error);
}

gboolean ferry_host_job_suspend(FerryHostJob *job, GError **error) {
  return job->ops->job_suspend(job, error);
}

gboolean ferry_host_job_resume(FerryHostJob *job, GError **error) {
  return job->ops->job_resume(job, error);
}

gboolean ferry_host_job_destroy(FerryHostJob *job, gboolean undefine, GError **error) {
  if (job->ops->job_destroy)
    return job->ops->job_destroy(job, undefine, error);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor's guests cannot be destroyed from here");
  return FALSE;
}

static gboolean has_no_autostart(GError **error) {
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor starts no domain by itself");
  return FALSE;
}

gboolean ferry_host_peer_set_autostart(FerryHost *host, const char *uri, const char *uuid,
                                       gboolean on, GError **error) {
  if (!host->ops->peer_set_autostart)
    return has_no_autostart(error);
  return host->ops->peer_set_autostart(host, uri, uuid, on, error);
}

gboolean ferry_host_job_autostart(FerryHostJob *job, gboolean *on, GError **error) {
  *on = FALSE;
  return !job->ops->job_autostart || job->ops->job_autostart(job, on, error);
}

gboolean ferry_host_job_set_autostart(FerryHostJob *job, gboolean on, GError **error) {
  if (!job->ops->job_set_autostart)
    return has_no_autostart(error);
  return job->ops->job_set_autostart(job, on, error);
}

json_t *ferry_host_job_definition(FerryHostJob *job, GError **error) {
  return job->ops->job_definition ? job->ops->job_definition(job, error) : json_object();
}

char *ferry_host_job_stored(FerryHostJob *job, GError **error) {
  return job->ops->job_stored ? job->ops->job_stored(job, error) : NULL;
}

json_t *ferry_host_peer_give(FerryHost *host, const char *uri, const char *uuid, const json_t *load,
                             GError **error) {
  if (host->ops->peer_give)
    return host->ops->peer_give(host, uri, uuid, load, error);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor keeps no definitions");
  return NULL;
}

void ferry_host_job_set_path(FerryHostJob *job, const FerryMigrateRequest *request) {
  if (job->ops->job_set_path)
    job->ops->job_set_path(job, request);
}

GArray *ferry_host_job_connections(FerryHostJob *job, GError **error) {
  if (job->ops->job_connections)
    return job->ops->job_connections(job, error);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor's connections cannot be seen");
  return NULL;
}

gboolean ferry_host_job_disconnect(FerryHostJob *job, guint64 id, GError **error) {
  if (job->ops->job_disconnect)
    return job->ops->job_disconnect(job, id, error);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor's connections cannot be closed");
  return FALSE;
}

gboolean ferry_host_peer_sweep(FerryHost *host, const char *uri, json_t *disks, GError **error) {
  return !host->ops->peer_sweep || host->ops->peer_sweep(host, uri, disks, error);
}

gboolean ferry_host_forget(FerryHost *host, const char *uuid, gboolean definition, GError **error) {
  return !host->ops->forget || host->ops->forget(host, uuid, definition, error);
}

gboolean ferry_host_peer_forget(FerryHost *host, const char *uri, const char *uuid,
                                gboolean definition, GError **error) {
  return !host->ops->peer_forget || host->ops->peer_forget(host, uri, uuid, definition, error);
}

gboolean ferry_domain_state_waits(const FerryDomainState *state) {
  return state->active && state->state == FERRY_VM_PAUSED &&
         g_strcmp0(state->reason, FERRY_VM_REASON_MIGRATION) == 0;
}

gboolean ferry_host_save(FerryHost *host, const char *uuid, const char *path, GError **error) {
  return host->ops->save(host, uuid, path, error);
}

gboolean ferry_host_restore(FerryHost *host, const char *path, GError **error) {
  return host->ops->restore(host, path, error);
}

gboolean ferry_host_job_break_post_copy(FerryHostJob *job, GError **error) {
  if (job->ops->job_break_post_copy)
    return job->ops->job_break_post_copy(job, error);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor cannot give up the connection of a post-copy");
  return FALSE;
}

gboolean ferry_host_peer_versions(FerryHost *host, const char *uri, FerryHostVersions *out,
                                  GError **error) {
  *out = (FerryHostVersions){0};
  if (host->ops->peer_versions)
    return host->ops->peer_versions(host, uri, out, error);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor has no versions");
  return FALSE;
}

gboolean ferry_host_incoming_close(FerryHost *host, const char *uuid, guint16 port, guint *n,
                                   GError **error) {
  *n = 0;
  if (host->ops->incoming_close)
    return host->ops->incoming_close(host, uuid, port, n, error);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "this hypervisor's connections cannot be closed");
  return FALSE;
}
