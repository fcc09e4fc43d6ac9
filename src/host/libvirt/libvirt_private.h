// SPDX-License-Identifier: Apache-2.0
// What the files of the libvirt driver share; nobody else includes it.
#pragma once
#include "base/patience.h"
#include "host/machine/network_watch.h"
#include "host/port/host.h"
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define FERRY_LIBVIRT_EVENTS 16

/* How often a libvirtd is asked for a sign of life, and how many may be missing. */
#define FERRY_LIBVIRT_KEEPALIVE_S 5
#define FERRY_LIBVIRT_KEEPALIVE_COUNT 5

/* What libvirtd is asked to see whether it lives: the key of that question. */
#define FERRY_LIBVIRT_PULSE "libvirtd"

typedef struct {
  FerryHost base;
  gatomicrefcount refs; /* the owner's, and one of each question that goes on */
  char *uri;
  FerryPatience *patience; /* with this host's libvirtd */
  FerryPatience *peers;    /* with other hosts' */
  GMutex telling;          /* held while `func` is called; guards both */
  FerryHostEventFunc func;
  gpointer data;
  GThread *connector, *pulse;
  FerryNetworkWatch *network; /* NULL: the host is another machine, or its kernel tells nothing */
  GMutex lock;                /* guards all below; never held across a libvirt call */
  GCond cond;
  virConnectPtr conn; /* events and queries */
  gboolean closed, stop;
  char *why;                 /* the last attempt to connect failed; NULL: it did not */
  gint64 silent_us;          /* since when libvirtd does not answer (monotonic); 0: it does */
  GHashTable *definitions;   /* UUID -> json_t*, of domains that run: their last records */
  GHashTable *silent;        /* set of UUIDs whose QEMU does not answer */
  GQueue idle;               /* virConnectPtr, open ones for the next job */
  char **shared_directories; /* as libvirtd is told; read anew at each connection */
  char *lock_manager;        /* the same; NULL: not known */
  GHashTable *disk_sizes;    /* "UUID/target/source" -> gint64 bytes */
} FerryLibvirtHost;

extern const FerryHostOps ferry_libvirt_ops;

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

/* What is not said of functions below that are the port's, host/port/host.h says. */

/* libvirt_host.c */
FerryLibvirtHost *ferry_libvirt_host_ref(FerryLibvirtHost *host);
void ferry_libvirt_host_unref(FerryLibvirtHost *host);
/** Calls the host's listener, unless it has none (any more). */
void ferry_libvirt_tell(FerryLibvirtHost *host, const FerryHostEvent *event);
/** Opens a connection, for as long as libvirtd takes: only where nobody waits for it. */
virConnectPtr ferry_libvirt_open(const char *uri, GError **error);
/** Closes a connection (NULL is fine), waiting a moment at most. */
void ferry_libvirt_close(FerryLibvirtHost *host, virConnectPtr conn);
/** A connection to another host's libvirtd (ferry_libvirt_close it), which must answer in time. */
virConnectPtr ferry_libvirt_open_peer(FerryLibvirtHost *host, const char *uri, GError **error);
/** Moves libvirt's error of this thread into `error` as "DOING: MESSAGE". Returns FALSE. */
gboolean ferry_libvirt_error(GError **error, const char *doing);
/** A reference to the main connection (virConnectClose it), or NO_CONNECTION. */
virConnectPtr ferry_libvirt_ref(FerryLibvirtHost *host, GError **error);
/** An open connection for a job's own use, kept warm where possible; give it back. It takes as long
 * as libvirtd takes. */
virConnectPtr ferry_libvirt_take(FerryLibvirtHost *host, GError **error);
/** NULL is fine. */
void ferry_libvirt_give(FerryLibvirtHost *host, virConnectPtr conn);
/** The domain or NULL: FERRY_HOST_ERROR_NO_DOMAIN where there is none. */
virDomainPtr ferry_libvirt_lookup(virConnectPtr conn, const char *uuid, GError **error);

/* libvirt_pulse.c */
/** Since when libvirtd does not answer (monotonic); 0: it does. */
gint64 ferry_libvirt_silent_us(FerryLibvirtHost *host);
/* An event has come from libvirtd: it answers, before its pulse is felt the next time. */
void ferry_libvirt_sign_of_life(FerryLibvirtHost *host);
/** Whether libvirtd lives; for the connector's thread, every few seconds. */
void ferry_libvirt_feel_daemon(FerryLibvirtHost *host, virConnectPtr conn);
/** The thread that looks whether QEMUs live, until the host stops. */
gpointer ferry_libvirt_pulse_thread(gpointer host);
/** Whether a domain's QEMU is known to be silent. */
gboolean ferry_libvirt_is_silent(FerryLibvirtHost *host, const char *uuid);
/** It did not answer one question: it counts as silent until it answers, or the next look at it. */
void ferry_libvirt_suspect(FerryLibvirtHost *host, const char *uuid);
/** A question about a QEMU that was late has been answered. */
void ferry_libvirt_is_back(FerryLibvirtHost *host, const char *uuid);

/* libvirt_events.c */
/** Registers all event callbacks and stores their ids, -1 where not supported. */
void ferry_libvirt_events_register(FerryLibvirtHost *host, virConnectPtr conn,
                                   int ids[FERRY_LIBVIRT_EVENTS]);
void ferry_libvirt_events_unregister(virConnectPtr conn, const int ids[FERRY_LIBVIRT_EVENTS]);

/* libvirt_info.c */
json_t *ferry_libvirt_info(FerryHost *host, GError **error);
json_t *ferry_libvirt_network(FerryHost *host, GError **error);

/* libvirt_domain.c */
json_t *ferry_libvirt_list(FerryHost *host, GError **error);
json_t *ferry_libvirt_record(FerryHost *host, const char *uuid, GError **error);
/** The domains that the flags of virConnectListAllDomains choose, ended by NULL; free with
 * ferry_libvirt_domains_free (NULL is fine). */
virDomainPtr *ferry_libvirt_domains(FerryLibvirtHost *host, unsigned flags, GError **error);
void ferry_libvirt_domains_free(virDomainPtr *domains);
/** State of `domain`; "gone" where it no longer exists. */
gboolean ferry_libvirt_state(virDomainPtr domain, FerryDomainState *out, GError **error);

/* libvirt_incoming.c */
gboolean ferry_libvirt_peer_incoming(FerryHost *host, const char *uri, gint64 *n, GError **error);

/* libvirt_peer.c */
gboolean ferry_libvirt_peer_state(FerryHost *host, const char *uri, const char *uuid,
                                  FerryDomainState *out, GError **error);
gboolean ferry_libvirt_peer_versions(FerryHost *host, const char *uri, FerryHostVersions *out,
                                     GError **error);

/* libvirt_job.c */
/** A job's numbers, from libvirt's names of them. Pure. */
void ferry_libvirt_stats(const virTypedParameter *params, int n, FerryJobStats *out);
FerryHostJob *ferry_libvirt_job_open(FerryHost *host, const char *uuid, GError **error);
void ferry_libvirt_job_close(FerryHostJob *job);
gboolean ferry_libvirt_job_start(FerryHostJob *job, const FerryMigrateRequest *request,
                                 FerryMigrateDone done, gpointer data, GError **error);
/** The job's own. */
FerryLibvirtPath *ferry_libvirt_job_path(FerryHostJob *job);
FerryLibvirtHost *ferry_libvirt_job_host(FerryHostJob *job);
/** The domain on the job's control connection, borrowed. */
virDomainPtr ferry_libvirt_job_domain(FerryHostJob *job);
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

/* libvirt_save.c */
gboolean ferry_libvirt_save(FerryHost *host, const char *uuid, const char *path, GError **error);
gboolean ferry_libvirt_restore(FerryHost *host, const char *path, GError **error);

/* libvirt_autostart.c */
gboolean ferry_libvirt_job_autostart(FerryHostJob *job, gboolean *on, GError **error);
gboolean ferry_libvirt_job_set_autostart(FerryHostJob *job, gboolean on, GError **error);
gboolean ferry_libvirt_peer_set_autostart(FerryHost *host, const char *uri, const char *uuid,
                                          gboolean on, GError **error);

/* libvirt_disks.c */
gboolean ferry_libvirt_peer_sweep(FerryHost *host, const char *uri, json_t *disks, GError **error);
json_t *ferry_libvirt_job_disks_plan(FerryHostJob *job, const FerryMigrateRequest *request,
                                     GError **error);
gboolean ferry_libvirt_job_disks_make(FerryHostJob *job, const char *uri, json_t *disks,
                                      GError **error);
gboolean ferry_libvirt_job_disks_remove(FerryHostJob *job, const char *uri, const json_t *disks,
                                        GError **error);

/* libvirt_definition.c */
gboolean ferry_libvirt_forget(FerryHost *host, const char *uuid, GError **error);
json_t *ferry_libvirt_job_definition(FerryHostJob *job, GError **error);
char *ferry_libvirt_job_stored(FerryHostJob *job, GError **error);
json_t *ferry_libvirt_peer_give(FerryHost *host, const char *uri, const char *uuid,
                                const json_t *load, GError **error);

/* libvirt_connections.c */
void ferry_libvirt_job_set_path(FerryHostJob *job, const FerryMigrateRequest *request);
GArray *ferry_libvirt_job_connections(FerryHostJob *job, GError **error);
gboolean ferry_libvirt_job_disconnect(FerryHostJob *job, guint64 id, GError **error);
gboolean ferry_libvirt_incoming_close(FerryHost *host, const char *uuid, guint16 port, guint *n,
                                      GError **error);
void ferry_libvirt_path_clear(FerryLibvirtPath *path);

/* disks_xml.c */
/** The disks of a domain's XML: a new list of {name, type, path, pool (for volumes), format,
 * readonly, shareable, backing, backingFormat}, only what is there. The limits are those of
 * ferry_domain_xml_parse. NULL: it cannot be parsed. Pure. */
json_t *ferry_disks_xml_parse(const char *xml);
/** The XML of a volume, by an element of ferry_host_job_disks_plan. Free with g_free. Pure. */
char *ferry_disks_volume_xml(const json_t *disk);
/** The XML of a directory pool. Free with g_free. Pure. */
char *ferry_disks_pool_xml(const char *name, const char *directory);
/** Capacity and format (may be NULL; free with g_free) of a volume's XML. FALSE: it cannot be
 * parsed. Pure. */
gboolean ferry_disks_volume_parse(const char *xml, gint64 *capacity, char **format);
/** /pool/target/path of a pool's XML, or NULL. Free with g_free. Pure. */
char *ferry_disks_pool_path(const char *xml);

/* libvirt_migrate_params.c */
/** libvirt's flags for `request`. Pure. */
unsigned ferry_libvirt_migrate_flags(const FerryMigrateRequest *request);
/** libvirt's typed parameters for `request`; free with virTypedParamsFree, also after FALSE (then
 * libvirt's error of this thread is set). */
gboolean ferry_libvirt_migrate_params(const FerryMigrateRequest *request,
                                      virTypedParameterPtr *params, int *n);

/* libvirt_monitor.c */
gboolean ferry_libvirt_job_resident(FerryHostJob *job, gint64 *bytes, GError **error);
gboolean ferry_libvirt_job_set_throttle(FerryHostJob *job, int percent, GError **error);

/* libvirt_dirty_rate.c */
gboolean ferry_libvirt_job_dirty_rate(FerryHostJob *job, int seconds, gint64 *bytes_per_s,
                                      GError **error);
