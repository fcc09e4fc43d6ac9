// SPDX-License-Identifier: Apache-2.0
// Hosts as libvirt and QEMU behave, on the world's clock: what is true of each VM, what libvirtd
// thinks is true, and the port (host.h) through which an agent sees it. What they do when something
// dies, hangs or is cut off, their own holes included, follows what real ones did.
//
// A copy is a VM as one host has it. Truth is `qemu`, `runs` and `whole`; `state` and `reason` are
// what libvirtd says.
#pragma once
#include "host/port/host.h"
#include "host/sim/sim_migration.h"
#include "sim/world/fiber.h"

G_BEGIN_DECLS

#define FERRY_WORLD_MAX_HOSTS 6
#define FERRY_WORLD_KEEPALIVE_US (30 * G_USEC_PER_SEC) /* a silent peer is given up */

typedef struct _FerryWorldMove FerryWorldMove;
typedef struct _FerryHyper FerryHyper;

typedef struct _FerryWorldHost FerryWorldHost;

/** A VM, wherever it is. */
typedef struct {
  char *uuid, *name;
  FerrySimGuestSpec guest;
  gboolean copies_disk; /* it has a disk that is not shared */
  /* the truth, for who checks */
  gint64 both_since;   /* two copies run; -1: no */
  gint64 both_us;      /* when they last did; -1: never */
  gint64 unguarded_us; /* when that was where nobody could do anything about it; -1: never */
  gint64 moved_us;     /* when its last migration began; -1: there was none */
  FerryWorldHost *moved_from;
  const FerryWorldProcess *mover; /* the agent that began it */
  gint64 excused_us;  /* when a person or a fault last did something to its copies; -1: never */
  const char *excuse; /* what that was; static */
  gboolean by_hand;   /* a person started a second copy */
  gboolean lost;      /* the only whole copy went by a fault, or a person ended it */
  gboolean person_paused;
} FerryWorldVm;

struct _FerryWorldHost {
  char *name, *address;
  guint index;
  FerryHyper *hyper;
  gboolean power;
  gboolean daemon; /* libvirtd lives */
  gboolean hung;   /* and is stopped (SIGSTOP) */
  guint life;      /* of its libvirtd: counted up at each start */
  gint64 hung_us;  /* since when */
  gboolean disk_full;
  GHashTable *copies;  /* UUID -> FerryWorldCopy* */
  GHashTable *volumes; /* paths of images that were made for migrations */
  GPtrArray *handles;  /* of open ports; not owned */
  int next_id;
};

typedef struct {
  FerryWorldVm *vm;
  FerryWorldHost *host;
  FerryVmState state;
  const char *reason; /* libvirt's word, static */
  int id;
  gboolean persistent, autostart;
  gboolean qemu;     /* its process lives */
  gboolean runs;     /* its processors do */
  gboolean whole;    /* all of the memory is here */
  gboolean stuck;    /* its monitor answers nobody */
  gboolean incoming; /* it is being received, and was not let go on yet */
  FerryWorldMove *move;
} FerryWorldCopy;

typedef enum {
  FERRY_MOVE_PREPARING,
  FERRY_MOVE_ACTIVE,    /* pre-copy */
  FERRY_MOVE_SWITCHING, /* the guest is paused, the rest is on its way */
  FERRY_MOVE_SENT,      /* all of it is there */
  FERRY_MOVE_POSTCOPY,
  FERRY_MOVE_OVER,
} FerryMoveStage;

/** One migration as libvirt and QEMU carry it out. */
struct _FerryWorldMove {
  FerryHyper *hyper;
  FerryWorldVm *vm;
  FerryWorldHost *from, *to;
  FerryMoveStage stage;
  FerrySimMigration data;
  gint64 began_us; /* of the memory */
  gint64 heard_us; /* when the target last acknowledged data */
  gboolean connecting, disconnected, aborted, post_copy;
  gboolean persist, undefine, was_paused;
  guint life_from, life_to;
  int pass;
  struct _FerryWorldJob *job; /* whose call it is; NULL: nobody waits for it */
  FerryMigrateDone done;
  gpointer done_data;
  gboolean replied, refused; /* what the target said to being told to finish */
  gint64 guarded_us;         /* when nobody could end that, for who checks */
  gint64 frozen_us;          /* since when the switch-over pauses the guest; 0: it does not */
  guint users;               /* fibers that hold it */
  gboolean judged;           /* who checks has seen that it began */
};

struct _FerryHyper {
  FerryWorldHost *hosts[FERRY_WORLD_MAX_HOSTS];
  guint n_hosts;
  GPtrArray *vms;   /* FerryWorldVm* */
  GPtrArray *moves; /* its address is a key that is woken when one is in another stage */
  gboolean cut_management[FERRY_WORLD_MAX_HOSTS][FERRY_WORLD_MAX_HOSTS];
  gboolean cut_data[FERRY_WORLD_MAX_HOSTS][FERRY_WORLD_MAX_HOSTS];
  double link;      /* bytes/s */
  gboolean changed; /* since who checks last looked */
};

/** No host yet. */
FerryHyper *ferry_hyper_new(double link);
void ferry_hyper_free(FerryHyper *hyper);
FerryWorldHost *ferry_hyper_add_host(FerryHyper *hyper, const char *name, const char *address);
/** A running VM on `host`. */
FerryWorldVm *ferry_hyper_add_vm(FerryHyper *hyper, FerryWorldHost *host, const char *name,
                                 const FerrySimGuestSpec *guest, gboolean persistent);
/** By name or URI; NULL: none. */
FerryWorldHost *ferry_hyper_find(FerryHyper *hyper, const char *name);
FerryWorldCopy *ferry_hyper_copy(const FerryWorldHost *host, const char *uuid);

/* What is true. */
/** On how many hosts it runs at this moment. */
guint ferry_hyper_running(const FerryHyper *hyper, const FerryWorldVm *vm);
/** The host where a whole copy is: the first that runs, else one that waits there, else one that
 * its libvirtd has not let go on yet; NULL: none. */
FerryWorldHost *ferry_hyper_where(const FerryHyper *hyper, const FerryWorldVm *vm);
/** Whether two copies of it have a process, whatever these do. */
gboolean ferry_hyper_has_two(const FerryHyper *hyper, const FerryWorldVm *vm);
/** Whether both halves of a post-copy are there. */
gboolean ferry_hyper_halves(const FerryHyper *hyper, const FerryWorldVm *vm);

/* Faults. */
void ferry_hyper_kill_daemon(FerryWorldHost *host);
void ferry_hyper_start_daemon(FerryWorldHost *host);
void ferry_hyper_hang_daemon(FerryWorldHost *host, gboolean hung);
/** The QEMU of that copy dies. */
void ferry_hyper_kill_qemu(FerryWorldCopy *copy, const char *reason);
void ferry_hyper_set_power(FerryWorldHost *host, gboolean on);
/** Between two hosts, both ways. */
void ferry_hyper_cut(FerryHyper *hyper, guint a, guint b, gboolean management, gboolean data,
                     gboolean cut);

/* For the files of the hosts. */
void ferry_hyper_changed(FerryHyper *hyper);
/** Sets libvirt's words; static strings. */
void ferry_copy_set(FerryWorldCopy *copy, FerryVmState state, const char *reason);
FerryWorldCopy *ferry_copy_new(FerryWorldHost *host, FerryWorldVm *vm);
/** It ends here: shut off where it is defined, else gone, and freed. */
void ferry_copy_stop(FerryWorldCopy *copy, const char *reason, gboolean undefine);
/** Tells the ports that are open. */
void ferry_hyper_tell(FerryWorldHost *host, const FerryHostEvent *event);
void ferry_hyper_tell_state(FerryWorldHost *host, const char *uuid, FerryHostPause pause);
/** Whether libvirtd of `host` can be talked to now. */
gboolean ferry_hyper_answers(const FerryWorldHost *host);
gboolean ferry_hyper_reaches(const FerryWorldHost *a, const FerryWorldHost *b);
gboolean ferry_hyper_carries(const FerryWorldHost *a, const FerryWorldHost *b);
/** Fails with `code`; FALSE. */
gboolean ferry_hyper_error(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/** Begins what a job asked for. */
void ferry_move_start(FerryWorldMove *move);
/** Who waits for a migration from `host` hears that its connection is gone. */
void ferry_move_lose_calls(FerryWorldHost *host);

/** The port of an agent to its host (`process` is the agent's). */
FerryHost *ferry_hyper_open(FerryWorldHost *host, FerryWorldProcess *process);
/** The agent was killed: its calls come back with nothing, so that its threads can end. */
void ferry_hyper_abandon(FerryHyper *hyper, FerryWorldProcess *process);

G_END_DECLS
