// SPDX-License-Identifier: Apache-2.0
// One question to libvirt that may never be answered: made in a thread of its own, waited for only
// so long (base/patience.h). All calls of the driver that wait for libvirtd or for a QEMU are such,
// but for the migration's own call, which has its thread anyway.
#pragma once
#include "host/libvirt/libvirt_base.h"

/* How long each is waited for. */
#define FERRY_ASK_DAEMON_MS 4000  /* libvirtd's sign of life */
#define FERRY_ASK_STATE_MS 4000   /* what libvirtd knows without asking QEMU */
#define FERRY_ASK_NUMBERS_MS 2000 /* what is asked again and again */
#define FERRY_ASK_CALL_MS 5000    /* what QEMU does at once */
#define FERRY_ASK_CONNECT_MS 8000
#define FERRY_ASK_PEER_MS 10000
#define FERRY_ASK_PEER_PLACES 4 /* one question's calls that may hang at once */
#define FERRY_ASK_PEER_MOST 16  /* calls to one peer, about anything, that may hang at once */
#define FERRY_ASK_LONG_MS 60000 /* what may take its time in a libvirtd that is well */
#define FERRY_ASK_FOR_EVER_MS (365 * 24 * 3600 * (gint64)1000)

/** What libvirtd is asked to see whether it lives: the key of that question. */
#define FERRY_LIBVIRT_PULSE "libvirtd"

/* Who is asked. */
#define FERRY_ASK_DAEMON "this host's libvirtd"
#define FERRY_ASK_QEMU "the VM's QEMU"

/** What can be left out is not asked while so many questions hang. */
#define FERRY_LIBVIRT_LATE_MOST 8

typedef struct _FerryLibvirtAsk FerryLibvirtAsk;
typedef gboolean (*FerryLibvirtAskFunc)(FerryLibvirtAsk *ask, GError **error);

struct _FerryLibvirtAsk {
  FerryLibvirtHost *host; /* a reference */
  FerryLibvirtAskFunc func;
  /* what is asked; its own */
  virConnectPtr conn; /* a reference, may be NULL */
  virDomainPtr domain;
  char *uuid, *text;
  gint64 value;
  json_t *json;
  gint64 until_us; /* monotonic: nobody waits for the answer after it */
  gint64 peer_ms;  /* how long another host's libvirtd has; 0: FERRY_ASK_PEER_MS */
  /* what was answered; read after ferry_libvirt_ask alone */
  gboolean ok;
  GError *error;
  FerryJobStats stats;
  FerryDomainState state;
  gint64 number;
  json_t *found;
  gpointer made; /* whoever takes it sets it to NULL; else `unmake` gets it */
  void (*unmake)(gpointer made, FerryLibvirtHost *host);
};

/** A new one with nothing in it; `func` is called in another thread and must use nothing but it. */
FerryLibvirtAsk *ferry_libvirt_ask_new(FerryLibvirtHost *host, FerryLibvirtAskFunc func);
/** For a `func` that changes something, right before it does: FALSE, with an error, where the one
 * who asked has given up. A libvirtd that hung for hours must not do then what was right before. */
gboolean ferry_libvirt_ask_is_wanted(const FerryLibvirtAsk *ask, GError **error);
/** The asker's reference. */
void ferry_libvirt_ask_unref(FerryLibvirtAsk *ask);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLibvirtAsk, ferry_libvirt_ask_unref)

/** Asks, `ms` at most. FALSE: what `func` said, or FERRY_HOST_ERROR_SILENT (VM_SILENT where `who`
 * is FERRY_ASK_QEMU) where no answer came in time, or none to an earlier question about `key` has
 * come yet: "WHO has not answered for N s". At once where libvirtd itself is known to be silent. */
gboolean ferry_libvirt_ask(FerryLibvirtAsk *ask, const char *key, const char *who, gint64 ms,
                           GError **error);
/** Asks, with one of the host's two sorts of patience, even a libvirtd that is known to be silent.
 * FALSE: not answered in time, `*since_us` is when it began; else the answer and its error are in
 * `ask`. */
gboolean ferry_libvirt_ask_anyway(FerryPatience *patience, FerryLibvirtAsk *ask, const char *key,
                                  gint64 ms, gint64 *since_us);
/** Of `n` places for a question, each with one that is late since `late_us[i]` (0: free), the one
 * that it takes now; -1: none, as what was begun last has not had its time, or all are taken. Pure.
 */
int ferry_libvirt_ask_place(const gint64 *late_us, guint n, gint64 now_us);
/** Asks another host's libvirtd, at `uri`, which `func` finds in `text`; `what` is a word for the
 * question. PEER_UNREACHABLE where it does not answer in time, or has not answered the same yet
 * and it was asked just now, or often, or FERRY_ASK_PEER_MOST questions to it hang. */
gboolean ferry_libvirt_ask_peer(FerryLibvirtAsk *ask, const char *what, const char *uri,
                                GError **error);
