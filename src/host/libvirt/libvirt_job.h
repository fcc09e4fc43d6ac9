// SPDX-License-Identifier: Apache-2.0
// One domain's migration through libvirt.
#pragma once
#include "host/port/host.h"

/* As the port has them (host/port/host.h). */
FerryHostJob *ferry_libvirt_job_open(FerryHost *host, const char *uuid, GError **error);
void ferry_libvirt_job_close(FerryHostJob *job);
gboolean ferry_libvirt_job_start(FerryHostJob *job, const FerryMigrateRequest *request,
                                 FerryMigrateDone done, gpointer data, GError **error);
gboolean ferry_libvirt_job_stats(FerryHostJob *job, FerryJobStats *out, GError **error);
gboolean ferry_libvirt_job_state(FerryHostJob *job, FerryDomainState *out, GError **error);
gboolean ferry_libvirt_job_set_max_downtime(FerryHostJob *job, gint64 ms, GError **error);
gboolean ferry_libvirt_job_set_max_speed(FerryHostJob *job, gint64 bytes_per_s, GError **error);
gboolean ferry_libvirt_job_start_postcopy(FerryHostJob *job, GError **error);
gboolean ferry_libvirt_job_abort(FerryHostJob *job, GError **error);
gboolean ferry_libvirt_job_break_post_copy(FerryHostJob *job, GError **error);
gboolean ferry_libvirt_job_suspend(FerryHostJob *job, GError **error);
gboolean ferry_libvirt_job_destroy(FerryHostJob *job, gboolean undefine, GError **error);
gboolean ferry_libvirt_job_resume(FerryHostJob *job, GError **error);
