// SPDX-License-Identifier: Apache-2.0
// Options that several verbs have, each said once; rows of a verb's table of FerryCliOption.
#pragma once
#include "cli/core/cli.h"
#include "model/kinds/policy_fields.h"

/** Values of --output: of a list, of objects that were written, of one object at the end. */
extern const char *const ferry_formats_list[];
extern const char *const ferry_formats_object[];
extern const char *const ferry_formats_final[];

#define OPT_OUTPUT(formats, text)                                                                  \
  { "output", 'o', "FORMAT", text, formats }
#define OPT_ALL                                                                                    \
  { "all-namespaces", 'A', NULL, "In every namespace" }
#define OPT_SELECTOR                                                                               \
  { "selector", 'l', "LABELS", "Only objects with these labels: a=b,c!=d,e in (f,g)" }
#define OPT_FILE                                                                                   \
  { "filename", 'f', "FILE", "A file of objects in YAML or JSON, - for standard input; repeatable" }
#define OPT_DRY_RUN                                                                                \
  { "dry-run", 0, NULL, "Check everything on the server and change nothing" }
#define OPT_NO_WAIT(text)                                                                          \
  { "no-wait", 0, NULL, text }
#define OPT_HEADERS                                                                                \
  { "no-headers", 0, NULL, "Leave out the line of column names" }
#define OPT_DOWNTIME(name, text)                                                                   \
  {                                                                                                \
    name, 0, "TIME",                                                                               \
        text ", such as 300ms; a bare number is milliseconds (1 to " G_STRINGIFY(                  \
            FERRY_DOWNTIME_MAX_MS) ")"                                                             \
  }
/* Which migration it is to be. */
#define OPT_MIGRATION                                                                              \
  {"to", 0, "HOST", "The host to move to; without it Ferry chooses", .kind = "node"},              \
      {"network", 0, "NAME", "The network to move over", .kind = "network"},                       \
      {"policy",                                                                                   \
       0,                                                                                          \
       "NAME",                                                                                     \
       "The MigrationPolicy to go by, in place of the one that matches",                           \
       .more = "ferry get migrationpolicies lists what there is.",                                 \
       .kind = "migrationpolicy"},                                                                 \
      {"preset",                                                                                   \
       0,                                                                                          \
       "NAME",                                                                                     \
       "The rules to go by, such as intent or ovirt-post-copy",                                    \
       .more = "They are stronger than those of any policy.",                                      \
       .kind = "migrationpolicy"},                                                                 \
      {"at", 0, "TIME", "When it may begin: 10m from now, 02:00, or a full time",                  \
       .more = "It waits until then, and keeps no other migration waiting."},                      \
      OPT_DOWNTIME("max-downtime", "The longest pause allowed")
#define OPT_END                                                                                    \
  { NULL }

/* A verb's synopses, NULL-ended. */
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

/** Of migrate and check, before libvirt's flags. */
extern const FerryCliOption ferry_options_before_flags[];
