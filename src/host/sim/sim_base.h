// SPDX-License-Identifier: Apache-2.0
// A world's parts, and what every file of the simulated driver does with them: finding, state, and
// events that are queued for whom they concern.
#pragma once
#include "host/sim/sim.h"

/* libvirt's numbers of errors that only the drivers tell apart. */
enum {
  FERRY_SIM_ERROR_FAILED = 9,  /* VIR_ERR_OPERATION_FAILED */
  FERRY_SIM_ERROR_BUSY = 68,   /* VIR_ERR_OPERATION_TIMEOUT: somebody holds the domain's lock */
  FERRY_SIM_ERROR_UNSAFE = 81, /* VIR_ERR_MIGRATE_UNSAFE */
  FERRY_SIM_ERROR_INVALID_ARG = 8,
};

typedef struct {
  char *name, *address;
  json_t *shared_file_systems; /* NULL: it does not say */
  int cpus;
  gint64 memory;
  double link, lose_samples;
  gboolean daemon, power;
  int next_id;
  int leaving, coming;   /* migrations that share the link each way */
  GHashTable *instances; /* UUID -> FerrySimInstance* */
  GHashTable *volumes;   /* path -> gint64* bytes: disks copied or to be copied to here */
} FerrySimHost;

/** A domain, wherever it is. */
typedef struct {
  char *uuid, *name, *ns;
  json_t *disks;
  FerrySimGuestSpec guest;
  FerrySimMoved last;
  gboolean moved;
} FerrySimDomain;

typedef struct _FerrySimTransfer FerrySimTransfer;

/** A domain as one host has it. */
typedef struct {
  FerrySimDomain *domain;
  FerrySimHost *host;
  char *name;
  FerryDomainState state;     /* exists is TRUE */
  FerrySimTransfer *transfer; /* in or out; NULL: none */
} FerrySimInstance;

typedef struct {
  FerryHost base;
  FerrySimWorld *world;
  FerrySimHost *host;
  FerryHostEventFunc func;
  gpointer data;
  gboolean started, connected; /* connected: it was said */
} FerrySimHandle;

typedef struct {
  FerryHostJob base;
  FerrySimHandle *handle;
  char *uuid;
  gint64 limit_ms; /* set before it started; 0: none */
  gboolean started, returned;
} FerrySimJob;

/** A migration under way. Times are the world's, in seconds. */
struct _FerrySimTransfer {
  FerrySimMigration m;
  FerrySimInstance *source, *target;
  FerrySimPhase seen; /* the phase that events were sent for */
  int iteration_seen;
  double disk_total, disk_left, disk_at; /* copied before memory; disk_at: up to when */
  double started;                        /* when it was started */
  double began;                          /* when memory began: m.now counts from there */
  double due;                            /* not looked at before */
  gboolean memory;                       /* it has begun */
  gboolean orphan;                       /* its daemon is away */
  gboolean post_copy, undefine, persist, was_paused, suspended;
  FerrySimJob *job; /* whose call it is; NULL: returned already */
  FerryMigrateDone done;
  gpointer data;
};

typedef struct {
  FerrySimHost *host; /* whose handles hear it; NULL: a call returns */
  FerrySimHandle *only;
  FerryHostEventType type;
  char *uuid, *detail;
  int iteration;
  gboolean has_stats;
  FerryJobStats stats;
  FerrySimJob *job;
  FerryMigrateDone done;
  gpointer data;
  GError *error;
} FerrySimEvent;

struct _FerrySimWorld {
  double speed;
  gint64 epoch_us;
  double eps; /* of a switch-over */
  GThread *thread;
  GMutex dispatch; /* held while events are given out; taken before `lock` */
  GMutex lock;     /* guards all below, and all that they lead to */
  GCond cond;
  gboolean stop;
  GPtrArray *hosts;    /* FerrySimHost* */
  GHashTable *domains; /* UUID -> FerrySimDomain* */
  GPtrArray *handles;  /* FerrySimHandle*, open ones; not owned */
  GPtrArray *transfers;
  GQueue events; /* FerrySimEvent* */
  guint32 random;
};

/* In all below the world's lock is held. */

/** Seconds of the world by now. */
double ferry_sim_now(const FerrySimWorld *world);
/** By name or URI; NULL: none. */
FerrySimHost *ferry_sim_find_host(FerrySimWorld *world, const char *name);
/** The domain of that UUID on the host; NULL: none. */
FerrySimInstance *ferry_sim_find(FerrySimHost *host, const char *uuid);
/** 0..1, the same sequence in each world. */
double ferry_sim_chance(FerrySimWorld *world);
/** An instance of `domain` on `host`: paused, without an id. */
FerrySimInstance *ferry_sim_instance_new(FerrySimHost *host, FerrySimDomain *domain,
                                         const char *name);
/** `reason` is static. Gives it an id where it has none and is active. */
void ferry_sim_set_state(FerrySimInstance *instance, FerryVmState state, const char *reason);
/** The domain stops here: shut off where it is persistent, else gone (and the instance freed). */
void ferry_sim_instance_stop(FerrySimWorld *world, FerrySimInstance *instance, const char *reason,
                             gboolean undefine);
/** Fails with `code` and the words; returns FALSE. */
gboolean ferry_sim_error(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/** Queues an event for those who listen at `host`. */
void ferry_sim_tell(FerrySimWorld *world, FerrySimHost *host, FerryHostEventType type,
                    const char *uuid, const char *detail);
/** The same, for a caller that adds to it before the lock is given back. */
FerrySimEvent *ferry_sim_queue(FerrySimWorld *world, FerrySimHost *host, FerryHostEventType type,
                               const char *uuid, const char *detail);
void ferry_sim_event_free(gpointer event);
