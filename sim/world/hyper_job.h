// SPDX-License-Identifier: Apache-2.0
// One domain's migration at the world's port: the operations of host.h that begin with job_. Their
// meaning stands there. Used by hyper_port.c alone.
#pragma once
#include "sim/world/hyper.h"

G_BEGIN_DECLS

/** The open port of one agent. */
typedef struct {
  FerryHost base;
  FerryWorldHost *host;
  FerryWorldProcess *process;
  FerryHostEventFunc func;
  gpointer data;
  GQueue events;
  FerryFiber *teller;
  gboolean closed;
} FerryWorldPort;

/** hyper_tell.c: whoever is told begins to be; all that waits to be told is dropped. */
void ferry_hyper_tell_begin(FerryWorldPort *port);
void ferry_hyper_tell_drop(FerryWorldPort *port);

typedef struct _FerryWorldJob {
  FerryHostJob base;
  FerryWorldPort *port;
  char *uuid;
  guint life; /* of the libvirtd that it is connected to */
  gint64 limit_ms;
  gboolean started, returned;
  FerryMigrateDone done;
  gpointer data;
} FerryWorldJob;

/** Waits until libvirtd answers; FALSE (NO_CONNECTION): it is gone, or silent for too long. */
gboolean ferry_hyper_call(const FerryWorldPort *port, GError **error);
/** As libvirtd says it; `copy` NULL: gone. */
void ferry_copy_state(const FerryWorldCopy *copy, FerryDomainState *out);

FerryHostJob *ferry_world_job_open(FerryHost *host, const char *uuid, GError **error);
void ferry_world_job_close(FerryHostJob *job);
gboolean ferry_world_job_start(FerryHostJob *job, const FerryMigrateRequest *request,
                               FerryMigrateDone done, gpointer data, GError **error);
json_t *ferry_world_job_disks_plan(FerryHostJob *job, const FerryMigrateRequest *request,
                                   GError **error);
gboolean ferry_world_job_disks_make(FerryHostJob *job, const char *uri, json_t *disks,
                                    GError **error);
gboolean ferry_world_job_disks_remove(FerryHostJob *job, const char *uri, const json_t *disks,
                                      GError **error);
gboolean ferry_world_job_stats(FerryHostJob *job, FerryJobStats *out, GError **error);
gboolean ferry_world_job_state(FerryHostJob *job, FerryDomainState *out, GError **error);
gboolean ferry_world_job_set_max_downtime(FerryHostJob *job, gint64 ms, GError **error);
gboolean ferry_world_job_set_max_speed(FerryHostJob *job, gint64 bytes_per_s, GError **error);
gboolean ferry_world_job_dirty_rate(FerryHostJob *job, int seconds, gint64 *bytes_per_s,
                                    GError **error);
gboolean ferry_world_job_resident(FerryHostJob *job, gint64 *bytes, GError **error);
gboolean ferry_world_job_start_postcopy(FerryHostJob *job, GError **error);
gboolean ferry_world_job_abort(FerryHostJob *job, GError **error);
gboolean ferry_world_job_suspend(FerryHostJob *job, GError **error);
gboolean ferry_world_job_resume(FerryHostJob *job, GError **error);
gboolean ferry_world_job_destroy(FerryHostJob *job, gboolean undefine, GError **error);
gboolean ferry_world_job_autostart(FerryHostJob *job, gboolean *on, GError **error);
gboolean ferry_world_job_set_autostart(FerryHostJob *job, gboolean on, GError **error);
GArray *ferry_world_job_connections(FerryHostJob *job, GError **error);
gboolean ferry_world_job_disconnect(FerryHostJob *job, guint64 id, GError **error);

G_END_DECLS
