// SPDX-License-Identifier: Apache-2.0
// The table of verbs: what --help prints, what the parser accepts, what the tests compare the man
// page and the completion with.
#include "cli/verbs/verbs.h"
#include "cli/core/migration_options.h"
#include "model/kinds/policy_fields.h"
#include <string.h>

static const char *const formats_get[] = {"json", "yaml", "wide", "name", "table", NULL};
static const char *const formats_object[] = {"json", "yaml", "name", NULL};
static const char *const formats_final[] = {"json", "yaml", NULL};
static const char *const color_values[] = {"auto", "always", "never", NULL};

#define OPT_OUTPUT(values, doc)                                                                    \
  { "output", 'o', "FORMAT", doc, values }
#define OPT_ALL                                                                                    \
  { "all-namespaces", 'A', NULL, "In every namespace" }
#define OPT_SELECTOR                                                                               \
  { "selector", 'l', "LABELS", "Only objects with these labels: a=b,c!=d,e in (f,g)" }
#define OPT_FILE                                                                                   \
  { "filename", 'f', "FILE", "A file of objects in YAML or JSON, - for standard input; repeatable" }
#define OPT_DRY_RUN                                                                                \
  { "dry-run", 0, NULL, "Check everything on the server and change nothing" }
#define OPT_NO_WAIT(doc)                                                                           \
  { "no-wait", 0, NULL, doc }
#define OPT_HEADERS                                                                                \
  { "no-headers", 0, NULL, "Leave out the line of column names" }
#define OPT_END                                                                                    \
  { NULL }

const FerryCliOption ferry_global_options[] = {
    {"kubeconfig", 0, "FILE", "Where the server is and who you are"},
    {"server", 0, "URL", "Another server than the kubeconfig's"},
    {"namespace", 'n', "NAME", "The namespace, else the kubeconfig's, else default"},
    {"color", 0, "WHEN", "Colours: auto (only on a terminal), always or never", color_values},
    {"help", 'h', NULL, "Show help"},
    OPT_END,
};

static const FerryCliOption options_get[] = {
    OPT_OUTPUT(formats_get, "json, yaml, wide, name or table"), OPT_ALL,     OPT_SELECTOR,
    {"watch", 'w', NULL, "Go on and print each change"},        OPT_HEADERS, OPT_END,
};

static const FerryCliOption options_describe[] = {OPT_ALL, OPT_SELECTOR, OPT_END};

static const FerryCliOption options_write[] = {
    OPT_FILE, OPT_DRY_RUN, OPT_OUTPUT(formats_object, "Print the objects: json, yaml or name"),
    OPT_END};

static const FerryCliOption options_delete[] = {
    OPT_FILE,
    OPT_SELECTOR,
    OPT_DRY_RUN,
    OPT_NO_WAIT("Don't wait until the objects are gone"),
    {"timeout", 0, "DURATION", "Wait so long at most; without it until they are gone"},
    {"ignore-not-found", 0, NULL, "An object that is not there is no error"},
    {"force", 0, NULL, "A host too on which VMs run or whose agent reports"},
    OPT_END,
};

static const FerryCliOption options_meta[] = {
    {"overwrite", 0, NULL, "Change values that are there already"},      OPT_SELECTOR, OPT_DRY_RUN,
    OPT_OUTPUT(formats_object, "Print the objects: json, yaml or name"), OPT_END,
};

#define OPT_TARGET                                                                                 \
  {"to", 0, "HOST", "The host to move to; without it Ferry chooses"}, {                            \
    "network", 0, "NAME", "The network to move over"                                               \
  }
#define OPT_POLICY                                                                                 \
  {"policy", 0, "NAME", "The MigrationPolicy to go by, in place of the one that matches"}, {       \
    "preset", 0, "NAME", "The rules to go by, such as intent or ovirt-post-copy"                   \
  }

static const FerryCliOption before_flags[] = {
    OPT_TARGET,
    OPT_POLICY,
    {"max-downtime", 0, "MS",
     "The longest pause allowed, in milliseconds (1 to " G_STRINGIFY(FERRY_DOWNTIME_MAX_MS) ")"},
    OPT_END,
};
static const FerryCliOption migrate_only[] = {
    {"no-wait", 0, NULL, "Return as soon as the migration is accepted", NULL, "detach"},
    OPT_OUTPUT(formats_final, "Print only the final object: json or yaml"),
    OPT_END,
};
static const FerryCliOption check_only[] = {
    OPT_OUTPUT(formats_final, "Print the object as it would be: json or yaml"), OPT_END};
static FerryCliOption options_migrate[FERRY_MIGRATION_OPTIONS_MAX];
static FerryCliOption options_check[FERRY_MIGRATION_OPTIONS_MAX];

/* The options in the middle are libvirt's flags, from the model's table. */
static void __attribute__((constructor)) fill_options(void) {
  ferry_migration_options_fill(options_migrate, before_flags, migrate_only);
  ferry_migration_options_fill(options_check, before_flags, check_only);
}

static const FerryCliOption options_forecast[] = {
    OPT_TARGET,
    OPT_POLICY,
    {"max-downtime", 0, "MS",
     "The longest pause allowed, in milliseconds (1 to " G_STRINGIFY(FERRY_DOWNTIME_MAX_MS) ")"},
    OPT_OUTPUT(formats_final, "Print the whole forecast: json or yaml"),
    OPT_END};

static const FerryCliOption options_cancel[] = {
    OPT_NO_WAIT("Don't wait until the migration has ended"),
    OPT_OUTPUT(formats_final, "Print only the final object: json or yaml"), OPT_END};

static const char *const technique_values[] = {"pre-copy", "post-copy", NULL};

static const FerryCliOption options_change[] = {
    {"downtime", 0, "MS",
     "The longest pause allowed from now on, in milliseconds (1 to " G_STRINGIFY(
         FERRY_DOWNTIME_MAX_MS) ")"},
    {"bandwidth", 0, "MIB", "The bandwidth limit from now on, in MiB a second (1 to 1048576)"},
    {"technique", 0, "WORD", "Switch to post-copy now, or stay in pre-copy", technique_values},
    {"stalling-limit", 0, "SECONDS", "Say that it stalls after so long without progress; 0: never"},
    {"reason", 0, "TEXT", "Why; kept with the change and told in its event"},
    OPT_NO_WAIT("Don't wait until the change is in force"),
    OPT_OUTPUT(formats_final, "Print only the migration's object: json or yaml"),
    OPT_END};

static const FerryCliOption options_explain[] = {
    OPT_OUTPUT(formats_final, "Print all of it as json or yaml"), OPT_END};

static const FerryCliOption options_drain[] = {
    OPT_NO_WAIT("Return as soon as the evacuation is accepted"),
    OPT_OUTPUT(formats_final, "Print only the final Evacuation: json or yaml"), OPT_END};

static const FerryCliOption options_none[] = {OPT_END};

static const FerryCliOption options_events[] = {
    {"for", 0, "KIND/NAME", "Only events about this object"},
    OPT_OUTPUT(formats_get, "json, yaml, wide, name or table"),
    OPT_ALL,
    {"watch", 'w', NULL, "Go on and print each new event"},
    OPT_HEADERS,
    OPT_END,
};

static const FerryCliOption options_top[] = {OPT_HEADERS, OPT_END};

static const FerryCliOption options_version[] = {
    OPT_OUTPUT(formats_final, "json or yaml"),
    {"client", 0, NULL, "Only this program's version, without asking the server"},
    OPT_END,
};

static const FerryCliOption options_kubeconfig[] = {
    {"state-dir", 0, "DIR",
     "Take the administrator's kubeconfig of a ferryd with this state "
     "directory"},
    {"path", 0, NULL, "Print the file's path instead of its content"},
    OPT_END,
};

static const FerryCliOption options_user[] = {
    {"role", 0, "ROLE", "Create: the ClusterRole it gets, such as view, operate or admin"},
    {"group", 0, "GROUP", "Create: a group it is in; repeatable"},
    {"expires", 0, "TIME",
     "Create, rotate: how long the credential is good, as 30d (the default "
     "is 90 days)"},
    {"certificate", 0, NULL, "Create, rotate: a certificate in place of a token"},
    {"credential", 0, "ID", "Revoke: only this credential, which user list shows"},
    {"grace", 0, "TIME", "Rotate: how long the old credentials go on to work, as 1h"},
    OPT_OUTPUT(formats_final, "List: json or yaml"),
    OPT_END,
};

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

const FerryVerb ferry_verbs[] = {
    {"get", LINES("KIND[,KIND...] [NAME...]", "KIND/NAME...", "all"), "List objects",
     "KIND is a kind, its plural or short name (vmi, vmim, node, kv, net, ...). VMs are found by\n"
     "the object's name, the domain's name or the UUID.",
     options_get, 1, 1000, ferry_cmd_get},
    {"describe", LINES("KIND [NAME...]", "KIND/NAME..."), "Show objects and their events in full",
     NULL, options_describe, 1, 1000, ferry_cmd_describe},
    {"apply", LINES("-f FILE"), "Make objects be as a file says", NULL, options_write, 0, 0,
     ferry_cmd_apply},
    {"create", LINES("-f FILE", "namespace NAME"), "Create objects from a file", NULL,
     options_write, 0, 2, ferry_cmd_create},
    {"delete", LINES("KIND NAME...", "KIND/NAME...", "KIND -l LABELS", "-f FILE"), "Delete objects",
     "Deleting a migration that runs cancels it.", options_delete, 0, 1000, ferry_cmd_delete},
    {"label", LINES("KIND NAME... KEY=VALUE... KEY-...", "KIND -l LABELS KEY=VALUE..."),
     "Set or remove labels", NULL, options_meta, 2, 1000, ferry_cmd_label},
    {"annotate", LINES("KIND NAME... KEY=VALUE... KEY-...", "KIND -l LABELS KEY=VALUE..."),
     "Set or remove annotations", NULL, options_meta, 2, 1000, ferry_cmd_annotate},
    {"migrate", LINES("VM"), "Move a running VM to another host",
     "Shows the progress until the migration has ended. On a terminal Ctrl-C asks whether to\n"
     "cancel it; elsewhere the migration goes on and the exit code is 130.",
     options_migrate, 1, 1, ferry_cmd_migrate},
    {"check", LINES("VM"), "Say whether a VM can move, with all reasons if not",
     "Nothing is changed. The exit code is 3 where the migration would be refused.", options_check,
     1, 1, ferry_cmd_check},
    {"forecast", LINES("VM"), "Say what a migration would cost, and move nothing",
     "Measures the path for a second and the VM's writes for five, and prices every strategy.",
     options_forecast, 1, 1, ferry_cmd_forecast},
    {"cancel", LINES("VM|MIGRATION"), "Cancel a migration; the VM stays where it is", NULL,
     options_cancel, 1, 1, ferry_cmd_cancel},
    {"change", LINES("VM|MIGRATION"), "Change a migration while it runs",
     "Returns when the source's host has done it, with exit code 3 where it was refused.",
     options_change, 1, 1, ferry_cmd_change},
    {"explain", LINES("VM|MIGRATION"), "Show how a migration went and why",
     "Its course with each decision and the reason, what remained over time, and the policy with\n"
     "where each field came from.",
     options_explain, 1, 1, ferry_cmd_explain},
    {"drain", LINES("HOST"), "Move every running VM off a host and keep others from it",
     "Cordons the host and shows each VM's move until all have ended; a move that fails is tried\n"
     "again. Ctrl-C leaves the evacuation running with exit code 130.",
     options_drain, 1, 1, ferry_cmd_drain},
    {"undrain", LINES("HOST"), "Let VMs move to a host again, and end its evacuation",
     "Moves that wait are cancelled, those that run go on.", options_none, 1, 1, ferry_cmd_undrain},
    {"events", LINES(""), "List what happened", NULL, options_events, 0, 0, ferry_cmd_events},
    {"top", LINES(""), "Show the running migrations, refreshed", NULL, options_top, 0, 0,
     ferry_cmd_top},
    {"version", LINES(""), "Show the versions of this program and of the server", NULL,
     options_version, 0, 0, ferry_cmd_version},
    {"kubeconfig", LINES(""), "Print the kubeconfig in use", NULL, options_kubeconfig, 0, 0,
     ferry_cmd_kubeconfig},
    {"user", LINES("create NAME --role ROLE", "list", "revoke NAME", "rotate NAME"),
     "Let people and programs in, and end it again",
     "create and rotate print a kubeconfig, which ferry and kubectl take. With -n the role holds "
     "in\n"
     "that namespace only.",
     options_user, 1, 2, ferry_cmd_user},
    {NULL},
};

const FerryVerb *ferry_verb_find(const char *name) {
  for (const FerryVerb *v = ferry_verbs; v->name != NULL; v++)
    if (g_str_equal(v->name, name))
      return v;
  return NULL;
}

static void add_options(GString *out, const FerryCliOption *options) {
  for (const FerryCliOption *o = options; o->name != NULL; o++) {
    g_autoptr(GString) left = g_string_new("  ");
    if (o->letter != 0)
      g_string_append_printf(left, "-%c, ", o->letter);
    else
      g_string_append(left, "    ");
    g_string_append_printf(left, "--%s", o->name);
    if (o->alias != NULL)
      g_string_append_printf(left, ", --%s", o->alias);
    if (o->arg != NULL)
      g_string_append_printf(left, " %s", o->arg);
    g_string_append_printf(out, "%-30s %s\n", left->str, o->doc);
  }
}

char *ferry_help_program(void) {
  GString *out = g_string_new("Live migration of libvirt/KVM virtual machines.\n\n"
                              "Usage: ferry VERB [ARGUMENTS] [OPTIONS]\n\nVerbs:\n");
  for (const FerryVerb *v = ferry_verbs; v->name != NULL; v++)
    g_string_append_printf(out, "  %-12s %s\n", v->name, v->doc);
  g_string_append(out, "\nOptions of every verb:\n");
  add_options(out, ferry_global_options);
  g_string_append(out, "      --version                Show this program's version\n"
                       "\nferry VERB --help shows the verb's own options; ferry(1) has everything."
                       "\n");
  return g_string_free(out, FALSE);
}

char *ferry_help_verb(const FerryVerb *verb) {
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "%s.\n\n", verb->doc);
  for (guint i = 0; verb->synopses[i] != NULL; i++)
    g_string_append_printf(out, "%s ferry %s%s%s [OPTIONS]\n", i == 0 ? "Usage:" : "      ",
                           verb->name, *verb->synopses[i] ? " " : "", verb->synopses[i]);
  if (verb->details != NULL)
    g_string_append_printf(out, "\n%s\n", verb->details);
  g_string_append(out, "\nOptions:\n");
  add_options(out, verb->options);
  g_string_append(out, "\nOptions of every verb:\n");
  add_options(out, ferry_global_options);
  return g_string_free(out, FALSE);
}
