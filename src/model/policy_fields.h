// SPDX-License-Identifier: Apache-2.0
// Fields by which anyone says how a VM is to be migrated: the same in the KubeVirt object, in a
// MigrationPolicy and in a migration's spec. What libvirt's flags say is in
// model/migration_flags_table.h.
#pragma once
#include "model/fields.h"

/** Members of the object `intent`; ends with END. */
extern const FerryField ferry_fields_intent[];

#define FERRY_POLICY_FIELDS                                                                        \
  STR("preset", "Rules by name, such as intent, kubevirt, ovirt-post-copy, nova or proxmox.",      \
      .pattern = "dns-subdomain", .max = 63),                                                      \
      OBJ("intent", ferry_fields_intent,                                                           \
          "What the migration may cost; Ferry finds the cheapest way to keep to it."),             \
      ANY("schedule", "oVirt's convergenceSchedule: init, stalling and lastItems; it must end in " \
                      "abort, postcopy or suspend."),                                              \
      INT("migrationProgressTimeout",                                                              \
          "Seconds without a new best, after which the source's agent gives the migration up by "  \
          "itself, whatever other rules say; in place of progressTimeout.",                        \
          .min = 1, .max = 10000000),                                                              \
      INT("stallingLimit",                                                                         \
          "Seconds without a new best, after which the migration gets the condition Stalling and " \
          "an event; 0 never (default 30).",                                                       \
          .min = 0, .max = 10000000),                                                              \
      INT("dirtyRateSeconds",                                                                      \
          "Seconds for which the guest's writes are measured before the migration begins; 0 not "  \
          "at all (default).",                                                                     \
          .min = 0, .max = 60),                                                                    \
      BOOL("allowMonitorCommands",                                                                 \
           "Let the agent slow the guest down through QEMU's monitor where libvirt has no call: "  \
           "just as much as is needed, up to the intent's maxSlowdown. libvirt marks such a "      \
           "domain tainted.",                                                                      \
           .right = "unsafe"),                                                                     \
      STRS("onStalling",                                                                           \
           "What ferryd does when the migration stalls, one after the other, each after another "  \
           "stallingLimit without a new best; not with an intent, which acts by itself.",          \
           .values = WORDS("raiseDowntime", "postCopy", "abort"), .max = 8),                       \
      STR("compression", "How to compress the memory that is sent; none switches it off.",         \
          .values = WORDS("none", "xbzrle", "mt", "zlib", "zstd")),                                \
      INT("retries",                                                                               \
          "How often a migration that failed is tried again on another host, where no target was " \
          "named (default 3).",                                                                    \
          .min = 0, .max = 100)

/** Besides, where libvirt's flags are not fields already. */
#define FERRY_POLICY_TRANSPORT_FIELDS                                                              \
  BOOL("parallel", "Send memory over several connections at once."),                               \
      INT("parallelConnections", "Number of connections of a parallel migration.", .min = 1,       \
          .max = 255)
