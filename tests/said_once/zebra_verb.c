// SPDX-License-Identifier: Apache-2.0
// A verb that test_said_once.py adds.
#include "cli/core/options.h"
#include <stdio.h>

static int cmd_zebra(FerryCli *cli) {
  const char *stripes = ferry_cli_option(cli, "stripes");
  printf("%s has %s stripes\n", ferry_cli_word(cli, 0), stripes ? stripes : "no");
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_zebra[] = {
    {"stripes", 's', "COUNT", "How many stripes it gets", .more = "Most have 40."},
    {"stable", 0, "HOST", "Where it stands", .kind = "node"},
    OPT_NO_WAIT("Return before it is painted"),
    OPT_END,
};

const FerryVerb ferry_verb_zebra = {
    .name = "zebra",
    .synopses = LINES("ANIMAL"),
    .doc = "Paint an animal",
    .details = "It is asked first.",
    .options = options_zebra,
    .min_words = 1,
    .max_words = 1,
    .words_of = "vmi",
    .run = cmd_zebra,
};
