// SPDX-License-Identifier: Apache-2.0
// THE table of policy fields: one row each (where it can be said, a FerryField with type, unit,
// range, fallback and doc sentence, then members of FerryPolicyField), and no other place knows
// them. It is expanded into the fields of the KubeVirt object, of a MigrationPolicy, of an intent
// and of a migration (fields_policy.c, kinds_policy.c, kinds_vmim.c), and into
// ferry_policy_fields, from which src/policy/config.c resolves a migration's configuration. To add
// a field: its row, what acts by it, and its test.
#pragma once
#include "model/field/rows.h"
#include "model/kinds/policy_layers.h"
#include "model/kinds/shared_fields.h"

#define TIMEOUT_RANGE .min = 0, .max = 10000000, .zero = "never"
#define LABEL_TERMS .max = 16
#define AT_ONCE_RANGE .unit = FERRY_UNIT_COUNT, .min = 1, .max = 1000

/* Where a row can be said: in the KubeVirt object, a MigrationPolicy, a migration, an intent; and
 * by whom. */
#define WHERE_EVERYWHERE 1, 1, 1, 0
#define LAYERS_EVERYWHERE FERRY_LAYER_ANYONE
#define WHERE_EVERYWHERE_AND_INTENT 1, 1, 1, 1
#define LAYERS_EVERYWHERE_AND_INTENT FERRY_LAYER_ANYONE
#define WHERE_INTENT 0, 0, 0, 1
#define LAYERS_INTENT FERRY_LAYER_ANYONE
#define WHERE_CLUSTER 1, 0, 0, 0
#define LAYERS_CLUSTER FERRY_LAYER_CLUSTER
#define WHERE_CLUSTER_AND_POLICY 1, 1, 0, 0
#define LAYERS_CLUSTER_AND_POLICY FERRY_LAYER_CLUSTER
#define WHERE_CLUSTER_AND_MIGRATION 1, 0, 1, 0
#define LAYERS_CLUSTER_AND_MIGRATION FERRY_LAYER_ANYONE
#define WHERE_OF_THE_VM 1, 1, 0, 0
#define LAYERS_OF_THE_VM (FERRY_LAYER_CLUSTER | FERRY_LAYER_POLICY | FERRY_LAYER_VM)
/* the cluster's stands where KubeVirt has it, beside the migrations' configuration */
#define WHERE_POLICY_AND_VM 0, 1, 0, 0
#define LAYERS_POLICY_AND_VM LAYERS_OF_THE_VM
#define WHERE_MIGRATION 0, 0, 1, 0
#define LAYERS_MIGRATION (FERRY_LAYER_VM | FERRY_LAYER_MIGRATION)
/* an intent's, by the name and in the unit of the resolved configuration */
#define WHERE_FROM_INTENT 0, 0, 0, 0
#define LAYERS_FROM_INTENT FERRY_LAYER_ANYONE
#define WHERE_PRESET 0, 0, 0, 0
#define LAYERS_PRESET FERRY_LAYER_PRESET
/* what Ferry adds when it is resolved (policy/facts.h) */
#define WHERE_FACT 0, 0, 0, 0
#define LAYERS_FACT 0

#define FERRY_POLICY_FIELDS(ROW)                                                                   \
  /* how many at once */                                                                           \
  ROW(CLUSTER,                                                                                     \
      INT("parallelMigrationsPerCluster",                                                          \
          "Most migrations that run at once in the whole "                                         \
          "cluster.",                                                                              \
          AT_ONCE_RANGE, .fallback = "5"),                                                         \
      .lowered_by = FERRY_LAYER_PRESET)                                                            \
  ROW(CLUSTER_AND_POLICY,                                                                          \
      INT("parallelOutboundMigrationsPerNode",                                                     \
          "Most migrations that leave a node at once; a MigrationPolicy's holds while one by it "  \
          "is among them, and only lowers the cluster's.",                                         \
          AT_ONCE_RANGE, .fallback = "2"),                                                         \
      .lowered_by = FERRY_LAYER_POLICY | FERRY_LAYER_PRESET)                                       \
  ROW(CLUSTER_AND_POLICY,                                                                          \
      INT("parallelInboundMigrationsPerNode",                                                      \
          "Most migrations that enter a node at once; a MigrationPolicy's holds while one by it "  \
          "is among them, and only lowers the cluster's.",                                         \
          AT_ONCE_RANGE, .fallback = "2"),                                                         \
      .lowered_by = FERRY_LAYER_POLICY | FERRY_LAYER_PRESET)                                       \
  /* how long */                                                                                   \
  ROW(EVERYWHERE,                                                                                  \
      SECONDS_PER_GIB("completionTimeoutPerGiB",                                                   \
                      "Time allowed per GiB of memory and of disks to copy; 0 switches the limit " \
                      "off.",                                                                      \
                      TIMEOUT_RANGE, .fallback = "150"))                                           \
  ROW(MIGRATION,                                                                                   \
      SECONDS("completionTimeoutSeconds",                                                          \
              "Time allowed for the whole migration, in place of completionTimeoutPerGiB; 0 "      \
              "switches the limit off.",                                                           \
              TIMEOUT_RANGE))                                                                      \
  ROW(EVERYWHERE,                                                                                  \
      SECONDS("progressTimeout",                                                                   \
              "Time without progress after which a migration is given up; without one byte sent "  \
              "15 s are the most, unless another system's rules hold. 0 switches both limits "     \
              "off.",                                                                              \
              TIMEOUT_RANGE, .fallback = "150"))                                                   \
  ROW(EVERYWHERE,                                                                                  \
      SECONDS("migrationProgressTimeout",                                                          \
              "Time without a new best, after which the source's agent gives the migration up by " \
              "itself, whatever other rules say; in place of progressTimeout.",                    \
              .min = 1, .max = 10000000))                                                          \
  ROW(EVERYWHERE_AND_INTENT,                                                                       \
      MS(FERRY_FIELD_MAX_DOWNTIME, "Longest pause of the guest at the switch-over.", .min = 1,     \
         .max = FERRY_DOWNTIME_MAX_MS, .fallback = "900"),                                         \
      .said_as = "maxDowntime", .running = TRUE)                                                   \
  ROW(INTENT,                                                                                      \
      STR("prefer",                                                                                \
          "What is worth more where both can't be had: pause, as where it is unset: the guest "    \
          "loses as little as it can, and takes at most a quarter longer than it must; time: the " \
          "earliest end; balanced: a second is worth 0.2 s of the guest's work.",                  \
          .values = WORDS("pause", "balanced", "time")),                                           \
      .running = TRUE)                                                                             \
  ROW(INTENT,                                                                                      \
      STR("onInfeasible",                                                                          \
          "What ends an intent that stays out of reach: giveUp, as where it is unset; takeBest: "  \
          "the shortest pause there is, however long; ask: it goes on until a person changes or "  \
          "cancels it, or a timeout ends it.",                                                     \
          .values = WORDS("giveUp", "takeBest", "ask")),                                           \
      .running = TRUE)                                                                             \
  ROW(INTENT,                                                                                      \
      BOOL("strict",                                                                               \
           "maxDowntime is a promise: the guest is measured first, and nothing is begun where in " \
           "more than 5 of 100 cases the pause would be longer."),                                 \
      .running = TRUE)                                                                             \
  ROW(EVERYWHERE,                                                                                  \
      BOOL("observeOnly",                                                                          \
           "The intent's controller decides and records, and does nothing: the preset or the "     \
           "schedule that is named acts, or else the hypervisor alone."),                          \
      .running = TRUE)                                                                             \
  ROW(EVERYWHERE,                                                                                  \
      SECONDS("stallingLimit",                                                                     \
              "Time without a new best, after which the migration gets the condition Stalling "    \
              "and an event; 0: never.",                                                           \
              TIMEOUT_RANGE, .fallback = "30"))                                                    \
  /* by which rules */                                                                             \
  ROW(EVERYWHERE,                                                                                  \
      STR("preset", "Rules by name, such as intent, kubevirt, ovirt-post-copy, nova or proxmox.",  \
          .pattern = "dns-subdomain", .max = 63),                                                  \
      .rule = TRUE, .running = TRUE)                                                               \
  ROW(EVERYWHERE,                                                                                  \
      OBJ("intent", ferry_fields_intent,                                                           \
          "What the migration may cost; Ferry finds the cheapest way to keep to it."),             \
      .rule = TRUE)                                                                                \
  ROW(EVERYWHERE,                                                                                  \
      ANY("schedule", "oVirt's convergenceSchedule: init, stalling and lastItems; it must end in " \
                      "abort, postcopy or suspend."),                                              \
      .rule = TRUE, .running = TRUE)                                                               \
  ROW(EVERYWHERE,                                                                                  \
      STRS("onStalling",                                                                           \
           "What ferryd does when the migration stalls, one after the other, each after another "  \
           "stallingLimit without a new best; not with an intent, which acts by itself.",          \
           .values = WORDS("raiseDowntime", "postCopy", "abort"), .max = 8))                       \
  ROW(EVERYWHERE,                                                                                  \
      INT("retries",                                                                               \
          "How often a migration that failed is tried again on another host, where no target was " \
          "named.",                                                                                \
          .unit = FERRY_UNIT_COUNT, .min = 0, .max = 100, .fallback = "3"))                        \
  ROW(EVERYWHERE,                                                                                  \
      STR("onAmbiguity",                                                                           \
          "Which copy may go on where it can't be proven which of the two hosts has the VM: the "  \
          "source's or the target's; pause, as where it is unset: neither, until there is proof "  \
          "or a person's word (ferry resolve).",                                                   \
          .values = WORDS("pause", "source", "target"), .right = "unsafe"))                        \
  /* what may be done for it */                                                                    \
  ROW(EVERYWHERE,                                                                                  \
      BOOL("allowWorkloadDisruption",                                                              \
           "Allow post-copy, or else a pause of the guest, when the completion timeout has "       \
           "passed; follows allowPostCopy where unset."))                                          \
  ROW(EVERYWHERE,                                                                                  \
      SECONDS("dirtyRateSeconds",                                                                  \
              "Time for which the guest's writes are measured before the migration begins; 0: "    \
              "not at all.",                                                                       \
              .min = 0, .max = 60, .fallback = "0"),                                               \
      .running = TRUE)                                                                             \
  ROW(EVERYWHERE,                                                                                  \
      BOOL("allowMonitorCommands",                                                                 \
           "Let the agent slow the guest down through QEMU's monitor where libvirt has no call: "  \
           "just as much as is needed, up to the intent's maxSlowdown. libvirt marks such a "      \
           "domain tainted.",                                                                      \
           .fallback = "false", .right = "unsafe"),                                                \
      .running = TRUE)                                                                             \
  ROW(EVERYWHERE,                                                                                  \
      STR("compression",                                                                           \
          "How to compress the memory that is sent; none switches it off; an intent chooses by "   \
          "itself where nobody says it.",                                                          \
          .values = WORDS("none", "xbzrle", "mt", "zlib", "zstd")))                                \
  /* where */                                                                                      \
  ROW(CLUSTER_AND_MIGRATION,                                                                       \
      STR("network",                                                                               \
          "Name of the Network that carries the migration; unset: the configured one, or else "    \
          "the hosts' own address.",                                                               \
          .pattern = "dns-subdomain", .max = NAME_MAX_LENGTH),                                     \
      .running = TRUE)                                                                             \
  ROW(OF_THE_VM,                                                                                   \
      STR("placement",                                                                             \
          "Which of the hosts that fit is better: the emptier one (spread) or the fuller one "     \
          "(pack).",                                                                               \
          .values = WORDS("spread", "pack"), .fallback = "\"spread\""))                            \
  ROW(OF_THE_VM,                                                                                   \
      STRS("nodeAffinity",                                                                         \
           "Terms such as rack=a, rack!=a or !rack, each of which the labels of the target must "  \
           "match.",                                                                               \
           LABEL_TERMS))                                                                           \
  ROW(OF_THE_VM, STRS("preferredNodeAffinity", "The same where there is a choice.", LABEL_TERMS))  \
  ROW(OF_THE_VM,                                                                                   \
      STRS(                                                                                        \
          "vmAffinity",                                                                            \
          "Terms such as app=web: for each the target must have another VM of the namespace with " \
          "that label, if any host has that is not being emptied.",                                \
          LABEL_TERMS))                                                                            \
  ROW(OF_THE_VM, STRS("preferredVMAffinity", "The same where there is a choice.", LABEL_TERMS))    \
  ROW(OF_THE_VM,                                                                                   \
      STRS("vmAntiAffinity",                                                                       \
           "Terms such as app=db: the target must have no other VM of the namespace with that "    \
           "label, nor one on its way there.",                                                     \
           LABEL_TERMS))                                                                           \
  ROW(OF_THE_VM,                                                                                   \
      STRS("preferredVMAntiAffinity", "The same where there is a choice.", LABEL_TERMS))           \
  ROW(POLICY_AND_VM,                                                                               \
      STR("evictionStrategy",                                                                      \
          "What happens to the VM when its host is emptied: LiveMigrate and "                      \
          "LiveMigrateIfPossible: it is moved; None: it is not, and the host is not empty while "  \
          "it runs there; External: somebody else moves it, and is waited for. Ferry shuts no VM " \
          "down.",                                                                                 \
          .values = WORDS("LiveMigrate", "LiveMigrateIfPossible", "None", "External"),             \
          .fallback = "\"LiveMigrate\""))                                                          \
  ROW(CLUSTER_AND_POLICY,                                                                          \
      PERCENT("memoryReservePercent",                                                              \
              "Share of a host's memory that placement leaves free; a host that a migration "      \
              "names is taken without.",                                                           \
              .min = 0, .max = 90, .fallback = "0"))                                               \
  ROW(CLUSTER_AND_POLICY,                                                                          \
      INT("maxProcessorOvercommit",                                                                \
          "Virtual processors for each real one up to which placement fills a host; a host that "  \
          "a migration names is taken without.",                                                   \
          .unit = FERRY_UNIT_COUNT, .min = 0, .max = 1000, .zero = "no limit", .fallback = "0"))   \
  ROW(CLUSTER, STR("nodeDrainTaintKey", "Key of the node taint that means: move the VMs away.",    \
                   .pattern = "label-key", .max = 317))                                            \
  ROW(CLUSTER,                                                                                     \
      BOOL("allowTCPPeers",                                                                        \
           "Let libvirtds of hosts that report the scheme tcp talk to each other in the clear, "   \
           "where anybody who reaches them rules them.",                                           \
           .fallback = "false", .right = "unsafe"))                                                \
  /* in the resolved configuration only */                                                         \
  ROW(FROM_INTENT, MS(FERRY_FIELD_MAX_DURATION, "The intent's maxDuration."),                      \
      .said_as = "maxDuration", .running = TRUE)                                                   \
  ROW(FROM_INTENT, PERCENT(FERRY_FIELD_MAX_SLOWDOWN, "The intent's maxSlowdown."),                 \
      .said_as = "maxSlowdown", .running = TRUE)                                                   \
  ROW(PRESET,                                                                                      \
      MS("infeasiblePatienceMs", "How long an intent may seem infeasible before it is given up.")) \
  ROW(FACT, RATE("linkRateBytesPerSecond", "What the slower end of the path can carry, half of "   \
                                           "its speed."))                                          \
  ROW(FACT, BOOL("postCopyPreempt", "Whether both hosts let requested pages overtake the "         \
                                    "stream of a post-copy."))                                     \
  ROW(FACT,                                                                                        \
      STRS("possibleMeans",                                                                        \
           "Means that both hosts can use and that no policy has set: the intent "                 \
           "chooses among them before the start.",                                                 \
           .values = WORDS("post-copy", "parallel", "zstd", "xbzrle", "post-copy-with-parallel"),  \
           .max = 8))                                                                              \
  ROW(FACT, COUNT("spareProcessors",                                                               \
                  "Its share of the processors that no VM has, without one that it takes anyway, " \
                  "on the host that has fewer of them."))                                          \
  ROW(FACT, OBJ("lesson", ferry_fields_lesson, "What earlier migrations of the VM taught."))       \
  ROW(FACT, BYTES("copiedDiskBytes", "Disks that are copied with the memory."))                    \
  ROW(FACT, STRS("networkSubnets", "Subnets of the Network that carries the migration."))          \
  ROW(FACT, STR("networkInterface", "Interface that the Network names.", .max = 64))

/* The row's field, where the kind has it, and a comma. */
#define PICK_0(...)
#define PICK_1(...) __VA_ARGS__,
#define IN_KUBEVIRT(where, f, ...) PICK_KUBEVIRT(WHERE_##where, f)
#define PICK_KUBEVIRT(...) PICK_FIRST(__VA_ARGS__)
#define PICK_FIRST(k, p, m, i, ...) PICK_##k(__VA_ARGS__)
#define IN_POLICY(where, f, ...) PICK_POLICY(WHERE_##where, f)
#define PICK_POLICY(...) PICK_SECOND(__VA_ARGS__)
#define PICK_SECOND(k, p, m, i, ...) PICK_##p(__VA_ARGS__)
#define IN_MIGRATION(where, f, ...) PICK_MIGRATION(WHERE_##where, f)
#define PICK_MIGRATION(...) PICK_THIRD(__VA_ARGS__)
#define PICK_THIRD(k, p, m, i, ...) PICK_##m(__VA_ARGS__)
#define IN_INTENT(where, f, ...) PICK_INTENT(WHERE_##where, f)
#define PICK_INTENT(...) PICK_FOURTH(__VA_ARGS__)
#define PICK_FOURTH(k, p, m, i, ...) PICK_##i(__VA_ARGS__)
#define IN_RESOLVED(where, f, ...) f,
