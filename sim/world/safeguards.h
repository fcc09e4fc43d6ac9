// SPDX-License-Identifier: Apache-2.0
// What keeps production's promises, each of which can be taken away to see whether the world misses
// it. Production code has no switch for that: the linker puts these in between (--wrap).
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  FERRY_SAFEGUARD_SOURCE_GUARD,
  FERRY_SAFEGUARD_ASK_TARGET,
  FERRY_SAFEGUARD_PATH_GUARD,
  FERRY_SAFEGUARD_WRITTEN_FIRST,
  FERRY_SAFEGUARD_EPOCHS,
  FERRY_SAFEGUARD_AGENT_RULES,
  FERRY_SAFEGUARD_REVISIONS,
  FERRY_SAFEGUARD_NEVER_TWO,
  FERRY_SAFEGUARD_LIMITS,
  FERRY_SAFEGUARD_SETTLE,
  FERRY_SAFEGUARD_FRESH_EVIDENCE,
  FERRY_SAFEGUARD_SEQUENCE,
  FERRY_SAFEGUARD_DURABLE,
  FERRY_SAFEGUARDS
} FerrySafeguard;

/** Its name, and what it does in a line. Static. */
const char *ferry_safeguard_name(FerrySafeguard safeguard);
const char *ferry_safeguard_text(FerrySafeguard safeguard);
/** The number of a world that misses it soon. */
guint64 ferry_safeguard_near(FerrySafeguard safeguard);
/** By its name; FERRY_SAFEGUARDS: there is none. */
FerrySafeguard ferry_safeguard_find(const char *name);
/** Takes one away, or gives it back, for the worlds from now on. */
void ferry_safeguard_set(FerrySafeguard safeguard, gboolean on);
gboolean ferry_safeguard_is_off(FerrySafeguard safeguard);

G_END_DECLS
