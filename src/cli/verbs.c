// SPDX-License-Identifier: Apache-2.0
// The verbs there are, and what --help says of them: FERRY_VERBS comes from `cli_verbs` in
// meson.build, each one's description from its own file.
#include "cli/verbs.h"
#include <string.h>

#define VERB(name) extern const FerryVerb ferry_verb_##name;
FERRY_VERBS
#undef VERB

#define VERB(name) &ferry_verb_##name,
static const FerryVerb *const all_verbs[] = {FERRY_VERBS};

static const char *const color_values[] = {"auto", "always", "never", NULL};

const FerryCliOption ferry_global_options[] = {
    {"kubeconfig", 0, "FILE", "Where the server is and who you are",
     .more = "FILES says where it is looked for otherwise."},
    {"server", 0, "URL", "Use this server instead of the kubeconfig's"},
    {"namespace", 'n', "NAME", "The namespace, else the kubeconfig's, else default",
     .kind = "namespace"},
    {"color", 0, "WHEN", "Colours: auto (only on a terminal), always or never", color_values,
     .more = "auto also leaves them out where NO_COLOR is set."},
    {"help", 'h', NULL, "Show help; with a verb, the verb's own"},
    {NULL},
};

const FerryVerb *const *ferry_verbs(gsize *n) {
  *n = G_N_ELEMENTS(all_verbs);
  return all_verbs;
}

const FerryVerb *ferry_verb_find(const char *name) {
  for (gsize i = 0; i < G_N_ELEMENTS(all_verbs); i++)
    if (g_str_equal(all_verbs[i]->name, name))
      return all_verbs[i];
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
  for (gsize i = 0; i < G_N_ELEMENTS(all_verbs); i++)
    g_string_append_printf(out, "  %-12s %s\n", all_verbs[i]->name, all_verbs[i]->doc);
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
