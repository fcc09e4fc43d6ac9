// SPDX-License-Identifier: Apache-2.0
// The words of status.progress: what is known of the end (estimate), and what is being copied
// (phase). Pure; any thread.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** When a migration ends, as far as that is known. */
typedef enum {
  FERRY_ETA_UNKNOWN,
  FERRY_ETA_PLANNED,    /* by the plan in force */
  FERRY_ETA_NOT_BEFORE, /* what remains takes so long, if the guest writes nothing meanwhile */
  FERRY_ETA_NEVER,      /* it does not converge within the intent */
} FerryEtaKind;
/** "", "Planned", "NotBefore", "NotConverging". */
const char *ferry_eta_name(FerryEtaKind kind);
/** UNKNOWN for NULL and for a word that is not known. */
FerryEtaKind ferry_eta_parse(const char *name);

/** What is being copied; in post-copy the word is that of the mode. */
typedef enum {
  FERRY_COPYING_UNKNOWN,
  FERRY_COPYING_PREPARING, /* nothing is counted yet */
  FERRY_COPYING_DISKS,
  FERRY_COPYING_MEMORY,
} FerryCopying;
/** Its word; NULL for UNKNOWN. Static. */
const char *ferry_copying_name(FerryCopying what);
/** UNKNOWN for NULL and for a word that is not known. */
FerryCopying ferry_copying_parse(const char *name);

G_END_DECLS
