// SPDX-License-Identifier: Apache-2.0
// What the files of the agent share; nobody else includes it.
#pragma once
#include "agent/agent.h"
#include "agent/link/job_check.h"
#include "base/log.h"
#include "convergence/controller.h"

#define FERRY_HEARTBEAT_S 5

struct _FerryAgent {
  char *node, *state_dir;
  json_t *peer; /* may be NULL */
  FerryClientConfig *config;
  FerryHost *host;
  void (*notify)(const char *what, gpointer data);
  gpointer notify_data;
  GCancellable *cancel; /* ends all requests at shutdown */
  GThread *report_thread, *watch_thread;
  struct _FerryRpc *rpc; /* NULL: no local socket */
  char *rpc_path;
  gint64 progress_timeout_s; /* of migrations asked for there without their own; 0: none */
  GMutex lock;               /* guards all below; a migration's own lock may be taken inside it */
  GCond cond;
  gboolean stop, stale;
  gint64 epoch;           /* 0: no session yet */
  gint64 alive_us;        /* the report thread's last turn */
  GQueue clients;         /* FerryClient*, idle */
  GPtrArray *old_configs; /* FerryClientConfig*, of certificates that were renewed */
  /* inventory */
  GHashTable *dirty; /* set of UUIDs */
  gint64 dirty_us;   /* when the first of them came */
  gboolean urgent, need_full, host_connected, host_changed;
  gboolean inventory_ready; /* `domains` is whole */
  char *host_problem;
  GHashTable *domains; /* UUID -> FerryAgentDomain* */
  /* migrations */
  GHashTable *migrations;  /* UID -> FerryMigration* */
  GHashTable *again;       /* UID -> json_t*, attempts that wait for the last one's worker to end;
                              the watch thread's own */
  GHashTable *undelivered; /* set of UIDs whose result waits in state_dir */
  GPtrArray *resumers;     /* GThread*, which deliver those */
  GHashTable *probes; /* UID -> bandwidth_target.c's own; the watch thread's own; may be NULL */
  gboolean measuring_in, measuring_out; /* one bandwidth at a time to here, and from here */
  guint sending;                        /* migrations that run here; guarded by lock */
  gint64 shared_us;  /* when last more than one did, monotonic; guarded by lock */
  GHashTable *rates; /* target's address -> gint64*, bytes/s that the last migration reached */
};

typedef struct {
  char *name, *ns;
  gboolean active;
  gint64 memory;
} FerryAgentDomain;

void ferry_agent_domain_free(gpointer domain);
/** Waits `ms` or until the agent stops; FALSE when it stops. */
gboolean ferry_agent_sleep(FerryAgent *agent, gint64 ms);
/** A pause that doubles from 100 ms to 5 s with jitter; *backoff starts at 0. */
gint64 ferry_agent_backoff(gint64 *backoff);
/** The same after `error` (may be NULL): who was refused asks ever more seldom, up to once a
 * minute. */
gint64 ferry_agent_backoff_after(gint64 *backoff, const GError *error);
/** Replaces `*client` where the agent's certificate is another one by now. */
void ferry_agent_refresh_client(FerryAgent *agent, FerryClient **client);
/** Uses `config` (taken) from now on; who has a client goes on with it until it is refreshed. */
void ferry_agent_set_config(FerryAgent *agent, FerryClientConfig *config);
/** The session's epoch, waiting for one; 0 when the agent stops. */
gint64 ferry_agent_epoch(FerryAgent *agent);
/** Another agent has this node: nothing may be written any more. */
void ferry_agent_set_stale(FerryAgent *agent);
/** A client for this thread's use, with its connection where one is idle. */
FerryClient *ferry_agent_take_client(FerryAgent *agent);
void ferry_agent_give_client(FerryAgent *agent, FerryClient *client);
/** The UUID of the VM that `ns`/`vmi_name` names on this host, or NULL. Free with g_free. */
char *ferry_agent_resolve(FerryAgent *agent, const char *ns, const char *vmi_name);
/** The name of the domain with that UUID on this host, or NULL. Free with g_free. */
char *ferry_agent_domain_name(FerryAgent *agent, const char *uuid);
/** Whether `vmi_name` is how ferryd calls a domain of this name and UUID. Pure. */
gboolean ferry_agent_name_matches(const char *vmi_name, const char *domain_name, const char *uuid);

/* report.c */
gpointer ferry_report_thread(gpointer agent);
void ferry_report_host_event(const FerryHostEvent *event, gpointer agent);

/* watch.c */
gpointer ferry_watch_thread(gpointer agent);
/** Joins the workers that have ended; by the one thread that does so. */
void ferry_watch_sweep(FerryAgent *agent);

/* bandwidth_target.c: measuring the path for forecasts of VMs that would come here */
/** A migration was seen (a watch event's type and object); by the watch thread. */
void ferry_bandwidth_see(FerryAgent *agent, const char *type, const json_t *migration);
/** Joins the threads that have ended; by the watch thread. */
void ferry_bandwidth_sweep(FerryAgent *agent);

/* rpc.c, rpc_verbs.c: the local socket */
typedef struct _FerryRpc FerryRpc;
/** Binds the socket; root's alone. */
FerryRpc *ferry_rpc_new(FerryAgent *agent, const char *path, GError **error);
void ferry_rpc_start(FerryRpc *rpc);
/** Ends its threads; NULL is fine. */
void ferry_rpc_free(FerryRpc *rpc);
/** Sends a notification to every connection. Takes `params`. Any thread. */
void ferry_rpc_notify(FerryRpc *rpc, const char *method, json_t *params);
/** The answer to one request or batch (text of one line), or NULL where none is due. New
 * reference. Pure but for what the verbs do. */
json_t *ferry_rpc_answer(const char *line, gsize len,
                         json_t *(*call)(const char *method, const json_t *params, int *code,
                                         char **message, gpointer data),
                         gpointer data);

typedef struct _FerryLocal FerryLocal;
/** It stays until the process ends, for workers may speak to it until then. */
FerryLocal *ferry_local_new(FerryAgent *agent, FerryRpc *rpc);
/** Does one verb. NULL with *code and *message (g_free) on error. New reference. */
json_t *ferry_local_call(const char *method, const json_t *params, int *code, char **message,
                         gpointer local);
/** Goes on with what an earlier agent left in state_dir/local. Once, before the first verb. */
void ferry_local_take_up(FerryLocal *local);

/* rpc_keep.c: what a local migration needs to outlive the agent, one file a VM in state_dir/local
 */
void ferry_local_keep(FerryAgent *agent, const char *vm, const json_t *record);
void ferry_local_forget(FerryAgent *agent, const char *vm);
/** Calls `func` for each that is kept; those that cannot be read are left alone, and said. */
void ferry_local_kept(FerryAgent *agent,
                      void (*func)(const char *vm, const json_t *record, gpointer data),
                      gpointer data);

/* rpc_params.c: pure */
#define FERRY_LOCAL_MAX_RUNNING 8
/** Whether `params` are such as `method` takes; INVALID names the first that is not. */
gboolean ferry_local_check(const char *method, const json_t *params, GError **error);
/** vmID, or vmId; borrowed. */
const char *ferry_local_vm_of(const json_t *params);
gboolean ferry_local_is_file(const json_t *params);
/** migrateChangeParams' as the fields of an entry of status.changes. A new reference. */
json_t *ferry_local_change_fields(const json_t *params);
/** The object of a migration as the server would have made it, from migrate's parameters; where
 * these have no migrationProgressTimeout, `progress_timeout_s` holds (0: none). NULL with INVALID
 * naming what is wrong. Pure. */
json_t *ferry_local_object(const json_t *params, gint64 progress_timeout_s, GError **error);

#define FERRY_RPC_PARSE_ERROR (-32700)
#define FERRY_RPC_INVALID_REQUEST (-32600)
#define FERRY_RPC_NO_METHOD (-32601)
#define FERRY_RPC_INVALID_PARAMS (-32602)
#define FERRY_RPC_NOT_IN_PROGRESS 1
#define FERRY_RPC_NOTHING_TO_CANCEL 2
#define FERRY_RPC_LIMIT_REACHED 3
#define FERRY_RPC_NO_SUCH_VM 4
#define FERRY_RPC_IN_PROGRESS 5
#define FERRY_RPC_FAILED 6

/* delivery.c: the writes of one migration, in order, by a thread of their own */
typedef struct _FerryDelivery FerryDelivery;
typedef enum {
  FERRY_DELIVERED,
  FERRY_DELIVERY_PENDING, /* not within the time */
  FERRY_DELIVERY_GONE,    /* the object is no more */
  FERRY_DELIVERY_REFUSED, /* the server refused it for good; see the log */
  FERRY_DELIVERY_STOPPED, /* stale epoch, or the agent ends */
} FerryDeliveryResult;

/** `log`: what its log lines are about (a reference is taken). */
FerryDelivery *ferry_delivery_new(FerryAgent *agent, const char *ns, const char *name,
                                  FerryLogContext *log);
/** In place of a server: takes each status patch, or Event, at once, in the worker's thread. */
typedef void (*FerryDeliverySink)(const json_t *item, gboolean event, gpointer data);
FerryDelivery *ferry_delivery_new_local(FerryAgent *agent, const char *name, FerryLogContext *log,
                                        FerryDeliverySink sink, gpointer data);
/** Queues a status patch (taken over) that must arrive: repeated until it does. */
void ferry_delivery_send(FerryDelivery *d, json_t *status);
/** Queues an Event about the migration `object`; tried once. */
void ferry_delivery_tell(FerryDelivery *d, const json_t *object, const char *type,
                         const char *reason, const char *message);
/** Queues a progress patch (taken over) in place of one that still waits; tried once. */
void ferry_delivery_telemetry(FerryDelivery *d, json_t *status);
/** Queues an Event (taken over); tried once. */
void ferry_delivery_event(FerryDelivery *d, json_t *event);
/** Waits until all that must arrive has, at most `timeout_ms` (-1: for ever). */
FerryDeliveryResult ferry_delivery_flush(FerryDelivery *d, gint64 timeout_ms);
void ferry_delivery_free(FerryDelivery *d);

/* results.c: results that could not be delivered, kept in state_dir */
/** `migration`: the object, for its name and what log lines carry. */
void ferry_result_store(FerryAgent *agent, const json_t *migration, const json_t *status);
void ferry_result_remove(FerryAgent *agent, const char *uid);
/** Reads them all into agent->undelivered and delivers them in threads of their own. */
void ferry_results_resume(FerryAgent *agent);

/* settings.c: a migration's resolved configuration */
typedef struct {
  FerryMigrateRequest request; /* strings are borrowed from the object */
  char **disks;                /* owned; what request.disks points to */
  gint64 max_downtime_ms, completion_per_gib_s, progress_timeout_s;
  gint64 completion_s; /* of the whole migration, wins over the one per GiB; -1: unset */
  gboolean allow_workload_disruption;
  gint64 max_duration_ms; /* of the intent; 0: whenever */
  int max_slowdown_percent;
  gint64 infeasible_patience_ms; /* 0: for ever */
  gint64 link_rate;              /* bytes/s; 0: unknown */
  gint64 switchover_bandwidth;   /* bytes/s; 0: QEMU measures it */
  int dirty_rate_s;              /* measure the dirty rate for so long first; 0: not */
  gboolean monitor;              /* QEMU's monitor may be used where libvirt has no call */
  gboolean can_throttle;         /* started so that the throttle can be set while it runs */
  gboolean post_copy_preempt;
  gint64 copied_disk_bytes;      /* what timeouts per GiB count besides memory */
  FerrySchedule *schedule;       /* owned; NULL: the intent drives it */
  const FerryStrategy *strategy; /* a preset's own; NULL: the schedule's or the intent's */
} FerrySettings;
void ferry_settings_read(FerrySettings *settings, const json_t *migration);
/** Takes `config` (borrowed) for the request, with the disks that it copies. */
void ferry_settings_use(FerrySettings *settings, const json_t *config);
void ferry_settings_clear(FerrySettings *settings);
void ferry_settings_intent(const FerrySettings *settings, gint64 bytes,
                           FerryConvergenceIntent *intent);

/* disks.c */
/** The configuration with the choice of disks made anew for `disks` (of a record of the domain),
 * where it is the control plane's and no person's; NULL: it stays as it is. `disks` NULL: as it was
 * asked for. New reference. Pure. */
json_t *ferry_disks_choose(const json_t *config, const json_t *origins, const json_t *disks);

/* progress.c: pure */
typedef struct {
  int percent; /* never falls */
  int iteration;
  gboolean post_copy;
  gint64 memory; /* bytes that follow the disks; 0: none are copied, or not known */
} FerryProgress;
/** Memory in bytes that libvirt does not count yet, as disks are copied first; 0: none. */
gint64 ferry_progress_follows(const FerryProgress *progress, const FerryJobStats *stats);
/** Status.progress of `stats`; keeps percent monotonic and at most 99. */
json_t *ferry_progress_update(FerryProgress *progress, const FerryJobStats *stats,
                              gint64 elapsed_ms);
/** How far a forecast was from what happened, in percent of what happened, to a tenth. */
double ferry_progress_forecast_error(gint64 forecast_ms, gint64 total_ms);
json_t *ferry_progress_summary(const FerryJobStats *stats, gint64 total_ms, gboolean moved);

/* adopt.c: pure; from the status that an earlier agent left */
/** The throttle in percent that it had set; 0: none. */
int ferry_adopt_throttle(const json_t *object);
/** Whether that agent told that it stalls. */
gboolean ferry_adopt_stalling(const json_t *object);
/** For how long it has run: `job_ms` where the hypervisor says (> 0), else since it was Running, by
 * this host's clock (`now_ms`). */
gint64 ferry_adopt_elapsed_ms(const json_t *object, gint64 job_ms, gint64 now_ms);
/** What remained at best, and for how long there was no better while it was watched: the time with
 * no agent there counts neither way. FALSE: nothing is known. */
gboolean ferry_adopt_best(const json_t *object, gint64 *remaining, gint64 *stalled_ms);

/* course.c: pure */
#define FERRY_COURSE_MAX 200 /* rows */
typedef struct {
  json_t *rows; /* status.course */
  gint64 interval_ms, last_ms;
} FerryCourse;
/** Goes on from `before`, an earlier agent's rows (may be NULL). */
void ferry_course_init(FerryCourse *course, const json_t *before);
void ferry_course_clear(FerryCourse *course);
/** Adds a row with the numbers of ferry_convergence_estimate, where it is time for one or it is the
 * `last`; thins the rows when there are FERRY_COURSE_MAX. TRUE where it was added. */
gboolean ferry_course_add(FerryCourse *course, const json_t *estimate, gint64 elapsed_ms,
                          gboolean last);

/* probe.c */
/** Whether this host reaches `address`: a route with a source address (in one of `subnets`, where
 * that is a list of CIDRs) and a peer that answers within a second, be it by refusing. `source`
 * (may be NULL) gets the source address. */
gboolean ferry_probe(const char *address, const json_t *subnets, char **source, GError **error);
/** Whether `address` is inside `cidr` ("10.1.0.0/24"). Pure. */
gboolean ferry_probe_in_subnet(const char *address, const char *cidr);

/* job_fetch.c: jobs are checked before they are taken; see agent/job_check.h */
typedef enum { FERRY_JOB_FITS, FERRY_JOB_REFUSED, FERRY_JOB_STOPPED } FerryJobVerdict;
/** Asks ferryd for the Nodes that `migration` names, as often as it takes, until `stopped`. `here`:
 * what this host has (source); NULL: it is the target. What does not fit is in `error`, and
 * logged. */
FerryJobVerdict ferry_job_verdict(FerryAgent *agent, const json_t *migration,
                                  const FerryJobHere *here, gboolean (*stopped)(gpointer data),
                                  gpointer data, GError **error);

/* migration.c */
typedef struct _FerryMigration FerryMigration;
/** Starts (or adopts, in phase Running) a migration in a thread of its own. */
FerryMigration *ferry_migration_start(FerryAgent *agent, const json_t *object);
/** How often the migration `object` was tried before. */
gint64 ferry_migration_attempt(const json_t *object);
/** Whether `object` is a later attempt of the same migration. */
gboolean ferry_migration_is_before(const FerryMigration *m, const json_t *object);
/** One that no server knows of: what it would write goes to `sink` instead. */
FerryMigration *ferry_migration_start_local(FerryAgent *agent, const json_t *object,
                                            FerryDeliverySink sink, gpointer data);
const char *ferry_migration_domain(const FerryMigration *m);
/** The object changed: a cancel may be in it. */
void ferry_migration_update(FerryMigration *m, const json_t *object);
/** Called in the driver's thread. */
void ferry_migration_event(FerryMigration *m, const FerryHostEvent *event);
gboolean ferry_migration_is_done(FerryMigration *m);
/** Joins its thread; a migration under way is left to libvirt. */
void ferry_migration_free(gpointer m);
