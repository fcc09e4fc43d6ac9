// SPDX-License-Identifier: Apache-2.0
// What a VM had before a migration and must have after it. libvirt carries most of it along, but it
// forgets checkpoints, it accepts and then loses a definition that somebody stores while the VM
// moves, and with a definition alone it leaves the content of the NVRAM behind. The source's agent
// gives these to the target, and names what differs all the same.
//
// The agent looks before libvirt's call and records what it saw (migrationState.kept: a digest of
// each part of the definitions, and the checkpoints as XML), so that an agent that takes over does
// the same. It belongs to a worker's thread; there is no lock.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct {
  json_t *live, *stored; /* owned: parts (ferry_domain_parts) as they were; NULL: not known */
  json_t *checkpoints;   /* owned: [{name, xml}]; NULL: none */
  char *nvram;           /* owned: the file of its NVRAM; NULL: none, or not known */
  char *stored_xml;      /* owned: the stored definition as it was; NULL: none, or not known */
  char *redefined;       /* owned: the one that was stored while it moved; NULL: none was */
  gboolean missed;       /* one was stored, and gone before it was read */
} FerryKept;

/** From the record: what an earlier agent saw. */
void ferry_kept_recall(FerryKept *kept, const json_t *migration);
void ferry_kept_clear(FerryKept *kept);
/** Looks at the job's domain, before the call. */
gboolean ferry_kept_look(FerryKept *kept, FerryHostJob *job, GError **error);
/** For status.migrationState.kept; NULL: there is nothing to record, or too much of it. New
 * reference. */
json_t *ferry_kept_record(const FerryKept *kept);
/** Looks whether somebody has stored a definition since, and keeps it. `told`: an event said that
 * somebody did. */
void ferry_kept_see(FerryKept *kept, FerryHostJob *job, gboolean told);
/** Whether something is to be given to the target. */
gboolean ferry_kept_has_load(const FerryKept *kept);

/** Where the VM has come to. */
typedef struct {
  FerryHost *host;
  const char *uuid;
  const char *peer_uri;
  const char *target;   /* its name, for words; may be NULL */
  const json_t *config; /* the migration's: what was asked to differ there */
} FerryKeptPlace;

/** What there is to tell, each NULL or a text for people; owned. */
typedef struct {
  char *given;   /* what Ferry carried along, as libvirt does not */
  char *lost;    /* what could not be carried */
  char *changed; /* what differs from before */
} FerryKeptNews;
void ferry_kept_news_clear(FerryKeptNews *news);
/** Gives the load to the target, and compares what is there now with what was here before. Once: a
 * second call tells nothing. */
void ferry_kept_give(FerryKept *kept, const FerryKeptPlace *place, FerryKeptNews *news);

G_END_DECLS
