// SPDX-License-Identifier: Apache-2.0
// ferry-world: worlds of one number each.
#include "store/views.h"
#include "sim/world/runner.h"
#include <stdio.h>

/* Nobody may change in place what the store gave out. */
#define VERIFY_EVERY 64

static gint64 opt_seed = -1, opt_first = 1, opt_worlds;
static double opt_seconds;
static gboolean opt_tell, opt_safeguards, opt_near, opt_keep_going;
static char *opt_resume, *opt_left_out, **opt_without;

static const GOptionEntry world_options[] = {
    {"seed", 0, 0, G_OPTION_ARG_INT64, &opt_seed, "Run this world alone", "N"},
    {"left-out", 0, 0, G_OPTION_ARG_STRING, &opt_left_out,
     "Without these of its acts, as a failure names them", "HEX"},
    {"tell", 0, 0, G_OPTION_ARG_NONE, &opt_tell, "Tell what happens in it", NULL},
    {"first", 0, 0, G_OPTION_ARG_INT64, &opt_first, "Begin with this world (1)", "N"},
    {"worlds", 0, 0, G_OPTION_ARG_INT64, &opt_worlds, "Run so many (100, where no time is given)",
     "N"},
    {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &opt_seconds, "Run as many as fit into this time", "S"},
    {"resume", 0, 0, G_OPTION_ARG_FILENAME, &opt_resume,
     "Go on where this file says, and write there how far it came", "FILE"},
    {"keep-going", 0, 0, G_OPTION_ARG_NONE, &opt_keep_going, "Also after a failure", NULL},
    {"without", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_without, "Take this safeguard away", "NAME"},
    {"safeguards", 0, 0, G_OPTION_ARG_NONE, &opt_safeguards,
     "Take each safeguard away, until that is missed in a world", NULL},
    {"near", 0, 0, G_OPTION_ARG_NONE, &opt_near,
     "With --safeguards: begin with worlds that are known to miss them", NULL},
    {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};

/* What production logs is no part of a world; what ends the program is shown. */
static GLogWriterOutput say_nothing(GLogLevelFlags level, const GLogField *fields, gsize n,
                                    gpointer data) {
  return level & G_LOG_LEVEL_ERROR ? g_log_writer_default(level, fields, n, data)
                                   : G_LOG_WRITER_HANDLED;
}

static gboolean world_take_away(void) {
  for (guint i = 0; opt_without && opt_without[i]; i++) {
    FerrySafeguard which = ferry_safeguard_find(opt_without[i]);
    if (which == FERRY_SAFEGUARDS) {
      fprintf(stderr, "there is no safeguard \"%s\"; there are:\n", opt_without[i]);
      for (guint k = 0; k < FERRY_SAFEGUARDS; k++)
        fprintf(stderr, "  %-14s %s\n", ferry_safeguard_name((FerrySafeguard)k),
                ferry_safeguard_text((FerrySafeguard)k));
      return FALSE;
    }
    ferry_safeguard_set(which, FALSE);
  }
  return TRUE;
}

int main(int argc, char **argv) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, world_options, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return 2;
  }
  if (!world_take_away())
    return 2;
  json_object_seed(1);
  ferry_views_verify_every(VERIFY_EVERY);
  g_log_set_writer_func(say_nothing, NULL, NULL);
  if (opt_safeguards)
    return ferry_runner_safeguards(opt_near ? 0 : (guint64)opt_first,
                                   opt_worlds > 0 ? (guint64)opt_worlds : 20000)
               ? 0
               : 1;
  gboolean one = opt_seed >= 0;
  FerryRunnerOptions options = {.first = (guint64)(one ? opt_seed : opt_first),
                                .worlds = one               ? 1
                                          : opt_worlds > 0  ? (guint64)opt_worlds
                                          : opt_seconds > 0 ? 0
                                                            : 100,
                                .seconds = opt_seconds,
                                .resume = opt_resume,
                                .keep_going = opt_keep_going,
                                .left_out = opt_left_out,
                                .tell = opt_tell};
  return ferry_runner_run(&options) == 0 ? 0 : 1;
}
