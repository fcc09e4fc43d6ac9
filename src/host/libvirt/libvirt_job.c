// SPDX-License-Identifier: Apache-2.0
// One domain's migration through libvirt: two connections, one for the call that blocks for the
// whole migration (in a thread of its own), one for everything that is asked and changed meanwhile,
// each a question of its own (libvirt_ask.h).
//
// The blocking call returns in its thread, which looks whether the control connection still lives
// to tell whose connection broke, and calls `done` once. Closing the job joins that thread, so
// that nothing is freed under it.
#include "host/libvirt/libvirt_job.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_connect.h"
#include "host/libvirt/libvirt_connections.h"
#include "host/libvirt/libvirt_job_ask.h"
#include "host/libvirt/libvirt_migrate_params.h"
#include "host/libvirt/libvirt_state.h"
#include "base/error.h"
#include "base/quantity.h"
#include "host/libvirt/libvirt_blame.h"
#include <string.h>

typedef struct {
  FerryLibvirtJob base;
  virConnectPtr call_conn;
  virDomainPtr call_domain;
  GThread *thread;
  /* for the call's thread only */
  char *dest_uri;
  virTypedParameterPtr params;
  int n_params;
  unsigned flags;
  FerryMigrateDone done;
  gpointer data;
} Job;

static gboolean job_connect(FerryLibvirtHost *host, const char *uuid, virConnectPtr *conn,
                            virDomainPtr *domain, GError **error) {
  *conn = ferry_libvirt_take(host, error);
  *domain = *conn ? ferry_libvirt_lookup(*conn, uuid, error) : NULL;
  return *domain != NULL;
}

/* Its thread has ended, or there was none. */
static void job_unmake(gpointer made, FerryLibvirtHost *host) {
  Job *job = made;
  /* what is asked still keeps the control connection, which is nobody else's then */
  gboolean hangs = ferry_patience_late_us(host->patience, job->base.path.uuid) != 0;
  if (job->base.control_domain)
    virDomainFree(job->base.control_domain);
  if (job->call_domain)
    virDomainFree(job->call_domain);
  if (hangs)
    ferry_libvirt_close(host, job->base.control_conn);
  else
    ferry_libvirt_give(host, job->base.control_conn);
  ferry_libvirt_give(host, job->call_conn);
  virTypedParamsFree(job->params, job->n_params);
  g_free(job->dest_uri);
  ferry_libvirt_path_clear(&job->base.path);
  g_free(job);
}

static gboolean job_make(FerryLibvirtAsk *a, GError **error) {
  Job *job = g_new0(Job, 1);
  job->base.base.ops = a->host->base.ops;
  job->base.host = a->host;
  job->base.path = (FerryLibvirtPath){.local = a->host->base.local, .uuid = g_strdup(a->uuid)};
  a->made = job;
  return job_connect(job->base.host, a->uuid, &job->base.control_conn, &job->base.control_domain,
                     error) &&
         job_connect(job->base.host, a->uuid, &job->call_conn, &job->call_domain, error);
}

FerryHostJob *ferry_libvirt_job_open(FerryHost *base, const char *uuid, GError **error) {
  g_autofree char *key = g_strconcat("open ", uuid, NULL);
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new((FerryLibvirtHost *)base, job_make);
  ask->uuid = g_strdup(uuid);
  ask->unmake = job_unmake;
  if (!ferry_libvirt_ask(ask, key, FERRY_ASK_DAEMON, FERRY_ASK_CONNECT_MS, error))
    return NULL;
  return g_steal_pointer(&ask->made);
}

void ferry_libvirt_job_close(FerryHostJob *base) {
  Job *job = (Job *)base;
  if (job->thread)
    g_thread_join(job->thread);
  job_unmake(job, job->base.host);
}

/* Managed: this program talks to both hosts, and with it the migration ends. */
static void migrate_managed(Job *job, GError **error) {
  virConnectPtr target = virConnectOpen(job->dest_uri);
  if (!target) {
    ferry_libvirt_error(error, "cannot connect to the target's libvirt");
    return;
  }
  if (virConnectSetKeepAlive(target, FERRY_LIBVIRT_KEEPALIVE_S, FERRY_LIBVIRT_KEEPALIVE_COUNT) < 0)
    virResetLastError();
  virDomainPtr moved =
      virDomainMigrate3(job->call_domain, target, job->params, (unsigned)job->n_params, job->flags);
  if (moved)
    virDomainFree(moved);
  else
    ferry_libvirt_error(error, "libvirt could not migrate the domain");
  virConnectClose(target);
}

/* Which connection broke: one's own, if it is not alive any more; else the target's. */
static void libvirt_job_blame(const Job *job, GError *error) {
  if (!error)
    return;
  ferry_host_error_set_hint(error, ferry_libvirt_hint(error->message));
  if (virConnectIsAlive(job->call_conn) == 1)
    error->code = ferry_libvirt_blame(error->code, error->message, job->base.path.hypervisor_port);
}

static gpointer call_thread(gpointer data) {
  Job *job = data;
  GError *error = NULL;
  if (!(job->flags & VIR_MIGRATE_PEER2PEER))
    migrate_managed(job, &error);
  else if (virDomainMigrateToURI3(job->call_domain, job->dest_uri, job->params,
                                  (unsigned)job->n_params, job->flags) < 0)
    ferry_libvirt_error(&error, "libvirt could not migrate the domain");
  libvirt_job_blame(job, error);
  job->done(error, job->data);
  g_clear_error(&error);
  return NULL;
}

gboolean ferry_libvirt_job_start(FerryHostJob *base, const FerryMigrateRequest *request,
                                 FerryMigrateDone done, gpointer data, GError **error) {
  Job *job = (Job *)base;
  if (job->thread) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "this job was started already");
    return FALSE;
  }
  if (!request->dest_uri || !strstr(request->dest_uri, "://")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "the target's libvirt URI is \"%s\", expected one as qemu+tls://HOST/system; give "
                "its agent --peer-uri",
                request->dest_uri ? request->dest_uri : "");
    return FALSE;
  }
  job->flags = ferry_libvirt_migrate_flags(request);
  if (!ferry_libvirt_migrate_params(request, &job->params, &job->n_params))
    return ferry_libvirt_error(error, "cannot set the migration's parameters");
  job->dest_uri = g_strdup(request->dest_uri);
  ferry_libvirt_job_set_path(base, request);
  job->done = done;
  job->data = data;
  job->thread = g_thread_new("migrate", call_thread, job);
  return TRUE;
}

static gboolean read_stats(FerryLibvirtAsk *a, GError **error) {
  int type = VIR_DOMAIN_JOB_NONE, n = 0;
  virTypedParameterPtr params = NULL;
  if (virDomainGetJobStats(a->domain, &type, &params, &n, 0) < 0)
    return ferry_libvirt_error(error, "cannot read the job's numbers");
  ferry_libvirt_stats(params, n, &a->stats);
  a->stats.active = type == VIR_DOMAIN_JOB_BOUNDED || type == VIR_DOMAIN_JOB_UNBOUNDED;
  virTypedParamsFree(params, n);
  return TRUE;
}

gboolean ferry_libvirt_job_stats(FerryHostJob *base, FerryJobStats *out, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(ferry_libvirt_job_host(base), read_stats);
  ferry_job_stats_clear(out);
  if (!ferry_libvirt_ask_job(base, ask, TRUE, FERRY_ASK_NUMBERS_MS, error))
    return FALSE;
  *out = ask->stats;
  return TRUE;
}

static gboolean read_state(FerryLibvirtAsk *a, GError **error) {
  return ferry_libvirt_state(a->domain, &a->state, error);
}

gboolean ferry_libvirt_job_state(FerryHostJob *base, FerryDomainState *out, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(ferry_libvirt_job_host(base), read_state);
  *out = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  if (!ferry_libvirt_ask_job(base, ask, FALSE, FERRY_ASK_STATE_MS, error))
    return FALSE;
  *out = ask->state;
  return TRUE;
}

static gboolean set_max_downtime(FerryLibvirtAsk *a, GError **error) {
  if (virDomainMigrateSetMaxDowntime(a->domain, (unsigned long long)a->value, 0) < 0)
    return ferry_libvirt_error(error, "cannot set the downtime limit");
  return TRUE;
}

gboolean ferry_libvirt_job_set_max_downtime(FerryHostJob *base, gint64 ms, GError **error) {
  return ferry_libvirt_tell_job(base, set_max_downtime, ms, FERRY_ASK_CALL_MS, error);
}

static gboolean set_max_speed(FerryLibvirtAsk *a, GError **error) {
  unsigned long mib = (unsigned long)((a->value + FERRY_MIB - 1) / FERRY_MIB);
  if (virDomainMigrateSetMaxSpeed(a->domain, mib, 0) < 0)
    return ferry_libvirt_error(error, "cannot set the bandwidth limit");
  return TRUE;
}

gboolean ferry_libvirt_job_set_max_speed(FerryHostJob *base, gint64 bytes_per_s, GError **error) {
  return ferry_libvirt_tell_job(base, set_max_speed, bytes_per_s, FERRY_ASK_CALL_MS, error);
}

static gboolean start_postcopy(FerryLibvirtAsk *a, GError **error) {
  if (virDomainMigrateStartPostCopy(a->domain, 0) < 0)
    return ferry_libvirt_error(error, "cannot switch to post-copy");
  return TRUE;
}

/* libvirt was seen to take 5 s for it. */
gboolean ferry_libvirt_job_start_postcopy(FerryHostJob *base, GError **error) {
  return ferry_libvirt_tell_job(base, start_postcopy, 0, 2 * FERRY_ASK_CALL_MS, error);
}

static gboolean abort_job(FerryLibvirtAsk *a, GError **error) {
  if (virDomainAbortJob(a->domain) < 0)
    return ferry_libvirt_error(error, "cannot abort the migration");
  return TRUE;
}

gboolean ferry_libvirt_job_abort(FerryHostJob *base, GError **error) {
  return ferry_libvirt_tell_job(base, abort_job, 0, FERRY_ASK_CALL_MS, error);
}

static gboolean break_post_copy(FerryLibvirtAsk *a, GError **error) {
  if (virDomainAbortJobFlags(a->domain, VIR_DOMAIN_ABORT_JOB_POSTCOPY) < 0)
    return ferry_libvirt_error(error, "cannot give up the connection of the post-copy");
  return TRUE;
}

gboolean ferry_libvirt_job_break_post_copy(FerryHostJob *base, GError **error) {
  return ferry_libvirt_tell_job(base, break_post_copy, 0, FERRY_ASK_CALL_MS, error);
}

static gboolean suspend_domain(FerryLibvirtAsk *a, GError **error) {
  if (virDomainSuspend(a->domain) < 0)
    return ferry_libvirt_error(error, "cannot suspend the domain");
  return TRUE;
}

gboolean ferry_libvirt_job_suspend(FerryHostJob *base, GError **error) {
  return ferry_libvirt_tell_job(base, suspend_domain, 0, FERRY_ASK_CALL_MS, error);
}

static gboolean resume_domain(FerryLibvirtAsk *a, GError **error) {
  g_autoptr(GError) cause = NULL;
  if (virDomainResume(a->domain) >= 0)
    return TRUE;
  ferry_libvirt_error(&cause, "cannot resume the domain");
  if (ferry_libvirt_is_locked(cause->message))
    cause->code = FERRY_HOST_ERROR_LOCKED;
  g_propagate_error(error, g_steal_pointer(&cause));
  return FALSE;
}

gboolean ferry_libvirt_job_resume(FerryHostJob *base, GError **error) {
  return ferry_libvirt_tell_job(base, resume_domain, 0, 2 * FERRY_ASK_CALL_MS, error);
}

static gboolean destroy_domain(FerryLibvirtAsk *a, GError **error) {
  if (virDomainDestroy(a->domain) < 0)
    return ferry_libvirt_error(error, "cannot destroy the domain");
  /* its NVRAM and the like are the other host's as well where disks are shared */
  if (a->value && virDomainIsPersistent(a->domain) == 1 &&
      virDomainUndefineFlags(a->domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) < 0)
    return ferry_libvirt_error(error, "cannot remove the domain's definition");
  return TRUE;
}

/* libvirtd kills the process, which needs no answer of it. */
gboolean ferry_libvirt_job_destroy(FerryHostJob *job, gboolean undefine, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask =
      ferry_libvirt_ask_new(ferry_libvirt_job_host(job), destroy_domain);
  ask->value = undefine;
  return ferry_libvirt_ask_job(job, ask, FALSE, FERRY_ASK_LONG_MS, error);
}
