// SPDX-License-Identifier: Apache-2.0
// The hypervisor port: what Ferry asks of a virtualisation host, whatever is behind it (libvirt, or
// a simulated host in tests).
//
// A driver fills in FerryHostOps and embeds FerryHost and FerryHostJob as its first members; the
// functions below call through them and are all that anybody else uses. A host is asked about its
// domains and about other hosts, a job moves one domain. Errors carry libvirt's own numbers and,
// where that is known, a hint of what is to be done.
#pragma once
#include <gio/gio.h>
#include "base/json.h"
#include "model/domain/domain_states.h"

G_BEGIN_DECLS

/** Errors of a hypervisor: the code is the driver's own (libvirt's virErrorNumber; 78 = aborted,
 * 42 = no such domain), the message names the libvirt error domain and what was tried. Errors that
 * are not the hypervisor's own use FERRY_ERROR. */
#define FERRY_HOST_ERROR (ferry_host_error_quark())
/** The domain of errors of a hypervisor. */
GQuark ferry_host_error_quark(void);

/* Codes of FERRY_HOST_ERROR that callers tell apart; equal to libvirt's numbers, but for those from
 * 1000 on: which connection it was that broke, libvirt has no numbers for. */
enum {
  FERRY_HOST_ERROR_NO_CONNECTION = 5, /* one's own, whatever way it broke */
  FERRY_HOST_ERROR_NO_DOMAIN = 42,
  FERRY_HOST_ERROR_INVALID_STATE = 55,
  FERRY_HOST_ERROR_ABORTED = 78,
  FERRY_HOST_ERROR_LOCKED = 87,      /* the lock manager, or QEMU: another copy holds its disks */
  FERRY_HOST_ERROR_PEER_NAME = 1000, /* the target's name does not resolve */
  FERRY_HOST_ERROR_PEER_UNREACHABLE, /* no connection to the target's hypervisor */
  FERRY_HOST_ERROR_PEER_LOGIN,       /* the target lets this host not in, or this host it not */
  FERRY_HOST_ERROR_PEER_LOST,        /* the connection to the target's hypervisor broke */
  FERRY_HOST_ERROR_PEER_PORT,        /* the port that takes the data on the target is closed */
  FERRY_HOST_ERROR_SILENT,           /* the hypervisor does not answer */
  FERRY_HOST_ERROR_VM_SILENT,        /* that VM's part of it does not answer */
};

/** What the hypervisor's word for a failure says of what is to be done, where it is known. */
typedef enum {
  FERRY_HOST_HINT_NONE,
  FERRY_HOST_HINT_DISKS_ARE_NOT_SHARED, /* disks are neither shared nor to be copied */
  FERRY_HOST_HINT_DISKS_ARE_CACHED,     /* in a way that another host does not see */
  FERRY_HOST_HINT_NO_CERTIFICATES,      /* of the connection that carries the data */
  FERRY_HOST_HINT_HANDSHAKE,            /* the same: the two ends do not trust each other */
  FERRY_HOST_HINT_NO_MEMORY_LIMIT,      /* which locking the VM's memory needs */
  FERRY_HOST_HINT_TARGET_IS_BUSY,       /* with a connection that broke, which it did not notice */
} FerryHostHint;

/** Sets the hint of an error of FERRY_HOST_ERROR; a copy of it has it, too. */
void ferry_host_error_set_hint(GError *error, FerryHostHint hint);
/** The hint of an error of any domain, or NONE. `error` may be NULL. */
FerryHostHint ferry_host_error_hint(const GError *error);

/** Whether it is that something did not answer. `error` may be NULL. */
gboolean ferry_host_error_is_silent(const GError *error);

/** Whether it is the hypervisor that is away or silent, and not what it was asked that is wrong:
 * asked again later it may answer. `error` may be NULL. */
gboolean ferry_host_error_is_away(const GError *error);

typedef struct _FerryHost FerryHost;
typedef struct _FerryHostJob FerryHostJob;

typedef enum {
  FERRY_HOST_EVENT_CONNECTED,    /* (again) connected: read everything anew */
  FERRY_HOST_EVENT_DISCONNECTED, /* its daemon is gone or does not answer; detail says why */
  FERRY_HOST_EVENT_STATE,        /* a domain started, stopped, paused, resumed, appeared or went */
  FERRY_HOST_EVENT_CONFIG,       /* a device, metadata or the definition changed */
  FERRY_HOST_EVENT_ITERATION,    /* a migration's memory pass `iteration` began */
  FERRY_HOST_EVENT_COMPLETED,    /* a job of the domain ended well, `stats` are its last */
  FERRY_HOST_EVENT_NETWORK,      /* an interface, an address or a route of the host changed */
} FerryHostEventType;

/** Numbers of a migration job; bytes, bytes/s, milliseconds; -1 where the driver gave none. */
typedef struct {
  gboolean active; /* a job is under way */
  gboolean migration_out, migration_in;
  char operation[24]; /* "migration-out", "backup", ... */
  gint64 elapsed_ms, downtime_ms, setup_ms, expected_downtime_ms;
  gint64 data_total, data_processed, data_remaining;
  gint64 memory_total, memory_processed, memory_remaining, memory_bps;
  gint64 dirty_pages_per_s, page_size, iteration, throttle_percent;
  gint64 normal_pages, xbzrle_pages; /* sent as they are, and that xbzrle had in its cache */
  gint64 disk_total, disk_processed, disk_remaining, disk_bps;
} FerryJobStats;

/** All -1, nothing active. */
void ferry_job_stats_clear(FerryJobStats *stats);

typedef enum {
  FERRY_HOST_PAUSE_NONE,
  FERRY_HOST_PAUSE_SWITCHOVER, /* for the switch-over of a migration */
  FERRY_HOST_PAUSE_POST_COPY,  /* it goes on at the target from now on */
  FERRY_HOST_PAUSE_ENDED,      /* it was resumed */
} FerryHostPause;

typedef struct {
  FerryHostEventType type;
  const char *uuid;   /* of the domain; NULL for (DIS)CONNECTED, NETWORK */
  const char *detail; /* for logs: "stopped/migrated" */
  int iteration;
  const FerryJobStats *stats;
  FerryHostPause pause; /* of STATE: why the guest was paused */
  gboolean defined;     /* of STATE: somebody stored a definition of it */
  /* of STATE: libvirt's word for why it stopped (destroyed, shutdown, crashed, saved, failed),
   * where no migration took it away. A domain that was never defined is gone by then. Static. */
  const char *stopped;
} FerryHostEvent;

/** Called in the driver's own thread; must return quickly and must not call the host. */
typedef void (*FerryHostEventFunc)(const FerryHostEvent *event, gpointer data);

/** A domain's state; `reason` is static. */
typedef struct {
  gboolean exists;
  FerryVmState state;
  const char *reason; /* libvirt's reason, lower case with dashes: "migration", "postcopy" */
  int id;             /* -1 when not active */
  gboolean active, persistent;
} FerryDomainState;

/** How to move a domain. Strings and `config` are borrowed for the call of job_start. */
typedef struct {
  const char *dest_uri;     /* the target's hypervisor, as this host's daemon reaches it */
  const char *address;      /* where migration data goes: an IP address of the target */
  const json_t *config;     /* the resolved configuration: fields of ferry_migration_flags */
  gboolean persistent;      /* the domain has a persistent definition here */
  gboolean active;          /* it runs (or is paused) here */
  gboolean copy_disks;      /* as copyStorageAll in `config` */
  const char *const *disks; /* target names to copy; NULL: all that are writable and not shared */
  gint64 bandwidth;         /* bytes/s, 0: unlimited; what `config` says, for the caller */
  gboolean post_copy, tls, unsafe, auto_converge; /* the same */
} FerryMigrateRequest;

/** Called once in a thread of the driver when the migration call has returned: `error` is NULL on
 * success, else borrowed. */
typedef void (*FerryMigrateDone)(const GError *error, gpointer data);

/** A connection of a migration. */
typedef struct {
  guint64 id;
  guint16 port;        /* on the target */
  gboolean connecting; /* not answered yet */
  gint64 pending;      /* bytes written and not acknowledged */
  gint64
      since_ack_ms; /* since the target last acknowledged anything, again or not; -1: not known */
  gboolean control; /* between both hypervisors, maybe for other migrations as well; else it
                       carries data, or tries to */
  gint64 acked;     /* bytes that the target acknowledged so far; -1: not known */
} FerryHostConnection;

/** Versions of two hypervisors, "11.3.0". */
typedef struct {
  char here[24], there[24];
} FerryHostVersions;

typedef struct {
  void (*free)(FerryHost *host);
  void (*hurry)(FerryHost *host); /* may be NULL */
  void (*start)(FerryHost *host, FerryHostEventFunc func, gpointer data);
  json_t *(*info)(FerryHost *host, GError **error);
  json_t *(*network)(FerryHost *host, GError **error);                        /* may be NULL */
  json_t *(*resources)(FerryHost *host, const json_t *looks, GError **error); /* may be NULL */
  json_t *(*list)(FerryHost *host, GError **error);
  json_t *(*record)(FerryHost *host, const char *uuid, GError **error);
  gboolean (*peer_state)(FerryHost *host, const char *uri, const char *uuid, FerryDomainState *out,
                         GError **error);
  gboolean (*peer_incoming)(FerryHost *host, const char *uri, gint64 *n, GError **error);
  gboolean (*peer_set_autostart)(FerryHost *host, const char *uri, const char *uuid, gboolean on,
                                 GError **error); /* may be NULL */
  gboolean (*peer_sweep)(FerryHost *host, const char *uri, json_t *disks,
                         GError **error); /* may be NULL */
  gboolean (*forget)(FerryHost *host, const char *uuid, gboolean definition,
                     GError **error); /* may be NULL */
  gboolean (*peer_forget)(FerryHost *host, const char *uri, const char *uuid, gboolean definition,
                          GError **error); /* may be NULL */
  gboolean (*save)(FerryHost *host, const char *uuid, const char *path, GError **error);
  gboolean (*restore)(FerryHost *host, const char *path, GError **error);
  FerryHostJob *(*job_open)(FerryHost *host, const char *uuid, GError **error);
  void (*job_close)(FerryHostJob *job);
  gboolean (*job_start)(FerryHostJob *job, const FerryMigrateRequest *request,
                        FerryMigrateDone done, gpointer data, GError **error);
  json_t *(*job_disks_plan)(FerryHostJob *job, const FerryMigrateRequest *request, GError **error);
  gboolean (*job_disks_make)(FerryHostJob *job, const char *uri, json_t *disks, GError **error);
  gboolean (*job_disks_remove)(FerryHostJob *job, const char *uri, const json_t *disks,
                               GError **error);
  gboolean (*job_stats)(FerryHostJob *job, FerryJobStats *out, GError **error);
  gboolean (*job_state)(FerryHostJob *job, FerryDomainState *out, GError **error);
  gboolean (*job_set_max_downtime)(FerryHostJob *job, gint64 ms, GError **error);
  gboolean (*job_set_max_speed)(FerryHostJob *job, gint64 bytes_per_s, GError **error);
  gboolean (*job_dirty_rate)(FerryHostJob *job, int seconds, gint64 *bytes_per_s, GError **error);
  gboolean (*job_resident)(FerryHostJob *job, gint64 *bytes, GError **error);
  gboolean (*job_set_throttle)(FerryHostJob *job, int percent, GError **error); /* may be NULL */
  gboolean (*job_start_postcopy)(FerryHostJob *job, GError **error);
  gboolean (*job_abort)(FerryHostJob *job, GError **error);
  gboolean (*job_suspend)(FerryHostJob *job, GError **error);
  gboolean (*job_resume)(FerryHostJob *job, GError **error);
  gboolean (*job_destroy)(FerryHostJob *job, gboolean undefine, GError **error); /* may be NULL */
  gboolean (*job_autostart)(FerryHostJob *job, gboolean *on, GError **error);    /* may be NULL */
  gboolean (*job_set_autostart)(FerryHostJob *job, gboolean on, GError **error);
  json_t *(*job_definition)(FerryHostJob *job, GError **error); /* may be NULL */
  char *(*job_stored)(FerryHostJob *job, GError **error);       /* may be NULL */
  json_t *(*peer_give)(FerryHost *host, const char *uri, const char *uuid, const json_t *load,
                       GError **error);                                        /* may be NULL */
  void (*job_set_path)(FerryHostJob *job, const FerryMigrateRequest *request); /* may be NULL */
  GArray *(*job_connections)(FerryHostJob *job, GError **error);               /* may be NULL */
  gboolean (*job_disconnect)(FerryHostJob *job, guint64 id, GError **error);   /* may be NULL */
  gboolean (*job_break_post_copy)(FerryHostJob *job, GError **error);          /* may be NULL */
  gboolean (*peer_versions)(FerryHost *host, const char *uri, FerryHostVersions *out,
                            GError **error); /* may be NULL */
  gboolean (*incoming_close)(FerryHost *host, const char *uuid, guint16 port, guint *n,
                             GError **error); /* may be NULL */
} FerryHostOps;

/* Drivers embed these as their first members. */
struct _FerryHost {
  const FerryHostOps *ops;
  gboolean local; /* the agent runs in the host itself and sees its network */
};
struct _FerryHostJob {
  const FerryHostOps *ops;
};

/** Ends the driver's threads; no job may be open. NULL is fine. */
void ferry_host_free(FerryHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryHost, ferry_host_free)

/** The process is about to end: from now on no call waits longer than a moment for a hypervisor
 * that does not answer. Any thread. */
void ferry_host_hurry(FerryHost *host);
/** Begins to connect (and to reconnect, with growing pauses up to 5 s) and to send events. Once. */
void ferry_host_start(FerryHost *host, FerryHostEventFunc func, gpointer data);

/* All calls below block, may be used from any thread, and fail with FERRY_HOST_ERROR: NO_CONNECTION
 * while the hypervisor is away, SILENT or VM_SILENT where there is no answer within seconds. One
 * that was silent may still be carried out, as late as the hypervisor likes. */

/** Fields of Node.status: capacity, allocatable, nodeInfo, hypervisor, interfaces, addresses, and
 * routes and sharedFileSystems where they are known. */
json_t *ferry_host_info(FerryHost *host, GError **error);
/** The interfaces and, where they are known, routes of these fields; it asks the operating system,
 * so that a hypervisor that hangs keeps nobody waiting. NULL without an error: the driver doesn't
 * see the host's network, and sends no FERRY_HOST_EVENT_NETWORK. */
json_t *ferry_host_network(FerryHost *host, GError **error);
/** resources and resourceKinds of these fields: what libvirt can list, and of `looks`, a list of
 * {kind, name} (may be NULL), what is here of it. NULL without an error: the driver has none. */
json_t *ferry_host_resources(FerryHost *host, const json_t *looks, GError **error);
/** A new list for status.addresses: all addresses of `interfaces`, and the host's name where it is
 * not NULL. Pure. */
json_t *ferry_host_addresses(const json_t *interfaces, const char *hostname);
/** The host's name in such a list, borrowed; NULL: it has none. Pure. */
const char *ferry_host_name_of(const json_t *addresses);
/** A list with one record a domain (see ferry_domain_xml_parse for the fields), active or not.
 * Where the VM's part of the hypervisor does not answer, `silent` is true in it. */
json_t *ferry_host_list(FerryHost *host, GError **error);
/** One record; NO_DOMAIN where it is gone. */
json_t *ferry_host_record(FerryHost *host, const char *uuid, GError **error);
/** The state of domain `uuid` on ANOTHER host, asked directly at its hypervisor `uri`. A hypervisor
 * that does not answer within 10 s fails with PEER_UNREACHABLE, and at once while one that was
 * asked before still has not. */
gboolean ferry_host_peer_state(FerryHost *host, const char *uri, const char *uuid,
                               FerryDomainState *out, GError **error);
/** How many VMs ANOTHER host is receiving at this moment, asked at its hypervisor `uri`. */
gboolean ferry_host_peer_incoming(FerryHost *host, const char *uri, gint64 *n, GError **error);

/** The versions of this host's hypervisor and of ANOTHER host's, asked at its `uri` now. */
gboolean ferry_host_peer_versions(FerryHost *host, const char *uri, FerryHostVersions *out,
                                  GError **error);
/** Ends the connections by which domain `uuid` is being received here at `port`; `n` gets how many
 * there were. What waited on one that is dead sees that it broke. It asks the operating system. */
gboolean ferry_host_incoming_close(FerryHost *host, const char *uuid, guint16 port, guint *n,
                                   GError **error);

/** Whether ANOTHER host starts domain `uuid`, which is persistent there, when it boots. */
gboolean ferry_host_peer_set_autostart(FerryHost *host, const char *uri, const char *uuid,
                                       gboolean on, GError **error);

/** Removes on ANOTHER host the images of a migration that is over: those of `disks` (elements of
 * ferry_host_job_disks_plan) with `create` that are as they were planned and that no domain there
 * has. `create` becomes false for each that is gone, and `kept` says why one is left alone. FALSE:
 * try again. */
gboolean ferry_host_peer_sweep(FerryHost *host, const char *uri, json_t *disks, GError **error);
/** Takes away what libvirt may leave of a domain that has moved: neither active nor stored, but
 * there, so that somebody could start it; with `definition` one that is stored, too, and not active
 * (its NVRAM and its TPM's state stay). TRUE: there is none (any more). Only where another host
 * runs it for certain. */
gboolean ferry_host_forget(FerryHost *host, const char *uuid, gboolean definition, GError **error);
/** The same on ANOTHER host, of a migration there that is over and has failed: and a copy that
 * waits, paused, for the migration ends first, which frees the ports that it held. INVALID_STATE
 * where it is active otherwise. Only where this host has the domain for certain. */
gboolean ferry_host_peer_forget(FerryHost *host, const char *uri, const char *uuid,
                                gboolean definition, GError **error);
/** Whether it waits, paused, for the memory of a migration to come. */
gboolean ferry_domain_state_waits(const FerryDomainState *state);

/** Hibernates a domain into the file `path` of this host; blocks until it is written. */
gboolean ferry_host_save(FerryHost *host, const char *uuid, const char *path, GError **error);
/** Runs the domain that such a file holds. */
gboolean ferry_host_restore(FerryHost *host, const char *path, GError **error);

/** Everything needed to move one domain: its own connections, opened now. Close it with
 * ferry_host_job_close, after `done` was called if it was started. One thread at a time. */
FerryHostJob *ferry_host_job_open(FerryHost *host, const char *uuid, GError **error);
/** Waits until what was started has called `done`, then closes the connections and frees the job.
 */
void ferry_host_job_close(FerryHostJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryHostJob, ferry_host_job_close)
/** Starts the migration in a thread of its own; FALSE: `done` will not be called. */
gboolean ferry_host_job_start(FerryHostJob *job, const FerryMigrateRequest *request,
                              FerryMigrateDone done, gpointer data, GError **error);
/** What the target must hold before disks can be copied there, looked up and not changed: a new
 * list of {name, path, pool (for volumes), format, sizeBytes, backing, backingFormat, create};
 * `create` is false where something of the right size and format is there already. Empty where
 * nothing is copied. INVALID with all reasons where something else stands in the way. */
json_t *ferry_host_job_disks_plan(FerryHostJob *job, const FerryMigrateRequest *request,
                                  GError **error);
/** Makes those with `create` at the hypervisor `uri`. FALSE, too, where something appeared there
 * since the plan: that is somebody else's, and its `create` becomes false. */
gboolean ferry_host_job_disks_make(FerryHostJob *job, const char *uri, json_t *disks,
                                   GError **error);
/** Removes those with `create` again; one that is not there is no error. */
gboolean ferry_host_job_disks_remove(FerryHostJob *job, const char *uri, const json_t *disks,
                                     GError **error);
/** What libvirt says of the job now; type NONE where none is under way. */
gboolean ferry_host_job_stats(FerryHostJob *job, FerryJobStats *out, GError **error);
/** A domain that is not there is TRUE with FERRY_VM_GONE. */
gboolean ferry_host_job_state(FerryHostJob *job, FerryDomainState *out, GError **error);
/** The pause that the hypervisor may make from now on, in ms. */
gboolean ferry_host_job_set_max_downtime(FerryHostJob *job, gint64 ms, GError **error);
/** 0: unlimited. */
gboolean ferry_host_job_set_max_speed(FerryHostJob *job, gint64 bytes_per_s, GError **error);
/** Bytes a second that the guest changes, measured over `seconds` (1 to 60), for which it blocks.
 * Never while a migration runs. */
gboolean ferry_host_job_dirty_rate(FerryHostJob *job, int seconds, gint64 *bytes_per_s,
                                   GError **error);
/** Bytes of the host's memory that the domain's hypervisor process holds: pages that the guest
 * never touched are not among them. */
gboolean ferry_host_job_resident(FerryHostJob *job, gint64 *bytes, GError **error);
/** From QEMU's next look at its dirty log (a second at most, twice) the guest does not run for
 * `percent` of its time, 0 to 99, neither more nor less. Only in a migration that was started with
 * auto-converge. Goes past libvirt to QEMU's monitor, and libvirt marks the domain tainted
 * (custom-monitor): only where somebody allowed it. */
gboolean ferry_host_job_set_throttle(FerryHostJob *job, int percent, GError **error);
/** Switches the migration to post-copy; only one that was started with postCopy. */
gboolean ferry_host_job_start_postcopy(FerryHostJob *job, GError **error);
/** Ends the migration, the VM staying here; `done` gets the error. Refused in post-copy. */
gboolean ferry_host_job_abort(FerryHostJob *job, GError **error);
/** In post-copy: gives its connection up, so that it counts as broken here and can be resumed. The
 * VM runs nowhere until then: only where nothing moves, and where it can be. */
gboolean ferry_host_job_break_post_copy(FerryHostJob *job, GError **error);
/** Pauses the guest; while it migrates it arrives paused, or is sent in one go. */
gboolean ferry_host_job_suspend(FerryHostJob *job, GError **error);
/** Never while a migration runs: it would wait 30 s for the domain's lock. */
gboolean ferry_host_job_resume(FerryHostJob *job, GError **error);

/** Ends the guest here at once, for good, and with `undefine` removes its definition, too: only
 * where another host runs it for certain. */
gboolean ferry_host_job_destroy(FerryHostJob *job, gboolean undefine, GError **error);
/** Whether the host starts the domain when it boots; never of a transient one. */
gboolean ferry_host_job_autostart(FerryHostJob *job, gboolean *on, GError **error);
/** Never while a migration runs: it would wait 30 s for the domain's lock. */
gboolean ferry_host_job_set_autostart(FerryHostJob *job, gboolean on, GError **error);
/** What the domain is, as far as a migration may change it: a new object {live: its XML where it is
 * active, stored: its XML where it is persistent, checkpoints: [{name, xml}], parents first, nvram:
 * the file of its NVRAM where it has one}. No
 * secrets are in it. Before or after a migration. Empty where the hypervisor keeps none of it. */
json_t *ferry_host_job_definition(FerryHostJob *job, GError **error);
/** The XML that is stored for the domain, with its secrets, to be defined elsewhere; NULL: it is
 * not stored, or not there (any more). Free with g_free. May be asked while a migration runs. */
char *ferry_host_job_stored(FerryHostJob *job, GError **error);
/** Gives domain `uuid` on ANOTHER host, which has it, what `load` has: {stored: XML to define,
 * checkpoints: [{name, xml}] to make known again, nvram: the file of its NVRAM, whose content is to
 * be there}; each may be missing. Returns what
 * ferry_host_job_definition would there, and in addition {refused: [{what, why}]}, what could not
 * be given, and nvramGiven: there was such a file, and it is there. Waits 20 s at most. */
json_t *ferry_host_peer_give(FerryHost *host, const char *uri, const char *uuid, const json_t *load,
                             GError **error);
/** Where the data of a migration that was started before this job was opened goes; job_start says
 * so by itself. Before the calls that follow. */
void ferry_host_job_set_path(FerryHostJob *job, const FerryMigrateRequest *request);
/* Beside the thread that uses the job, one more may make these two calls, from then on until the
 * job is closed; they ask the operating system, so that a hypervisor that hangs keeps nobody
 * waiting. */
/** The connections of the job's migration to the target, of any age: a new array of
 * FerryHostConnection. Empty where there is none (any more). NULL: they cannot be seen, since the
 * hypervisor is on another machine, or for what `error` says. */
GArray *ferry_host_job_connections(FerryHostJob *job, GError **error);
/** Ends one of them at once. What was not acknowledged is lost, so the migration fails if it was
 * not over, and the guest goes on at the source. One that is gone is no error. */
gboolean ferry_host_job_disconnect(FerryHostJob *job, guint64 id, GError **error);

G_END_DECLS
