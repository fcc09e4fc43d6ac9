// SPDX-License-Identifier: Apache-2.0
#include "model/migration/progress_words.h"
#include "model/migration/reasons.h"

const char *ferry_eta_name(FerryEtaKind kind) {
  switch (kind) {
  case FERRY_ETA_PLANNED:
    return "Planned";
  case FERRY_ETA_NOT_BEFORE:
    return "NotBefore";
  case FERRY_ETA_NEVER:
    return ferry_reason_name(FERRY_REASON_NOT_CONVERGING);
  default:
    return "";
  }
}

FerryEtaKind ferry_eta_parse(const char *name) {
  guint kind = name ? FERRY_ETA_NEVER : FERRY_ETA_UNKNOWN;
  while (kind > FERRY_ETA_UNKNOWN && !g_str_equal(name, ferry_eta_name((FerryEtaKind)kind)))
    kind--;
  return (FerryEtaKind)kind;
}

static const char *const copying_words[] = {NULL, "Preparing", "CopyingDisks", "CopyingMemory"};

const char *ferry_copying_name(FerryCopying what) {
  return copying_words[what];
}

FerryCopying ferry_copying_parse(const char *name) {
  guint what = name ? FERRY_COPYING_MEMORY : FERRY_COPYING_UNKNOWN;
  while (what > FERRY_COPYING_UNKNOWN && !g_str_equal(name, copying_words[what]))
    what--;
  return (FerryCopying)what;
}
