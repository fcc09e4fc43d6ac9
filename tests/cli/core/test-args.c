// SPDX-License-Identifier: Apache-2.0
#include "cli/core/args.h"

static const char *const formats[] = {"json", "yaml", NULL};
static const FerryCliOption first[] = {{"output", 'o', "FORMAT", "", formats},
                                       {"watch", 'w', NULL, ""},
                                       {"all", 'A', NULL, ""},
                                       {NULL}};
static const FerryCliOption second[] = {
    {"filename", 'f', "FILE", ""}, {"no-wait", 0, NULL, "", NULL, "detach"}, {NULL}};
static const FerryCliOption *const tables[] = {first, second, NULL};

static FerryArgs *parse(const char *line, GError **error) {
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  return ferry_args_parse(tables, (int)g_strv_length(argv), argv, error);
}

static void test_forms(void) {
  static const char *const lines[] = {"vmi --output yaml db", "vmi --output=yaml db",
                                      "vmi -o yaml db",       "vmi -oyaml db",
                                      "vmi -o=yaml db",       "vmi db -wo yaml"};
  for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryArgs) args = parse(lines[i], &error);
    g_assert_no_error(error);
    g_assert_cmpstr(ferry_args_get(args, "output"), ==, "yaml");
    g_assert_cmpuint(args->words->len, ==, 2);
    g_assert_cmpstr(args->words->pdata[1], ==, "db");
  }
}

static void test_flags_and_repeats(void) {
  g_autoptr(FerryArgs) args = parse("-Aw -f a -f b --detach - -- -w --x", NULL);
  g_assert_nonnull(args);
  g_assert_true(ferry_args_has(args, "all"));
  g_assert_true(ferry_args_has(args, "watch"));
  g_assert_true(ferry_args_has(args, "no-wait"));
  g_assert_false(ferry_args_has(args, "output"));
  g_assert_cmpuint(ferry_args_all(args, "filename")->len, ==, 2);
  g_assert_cmpstr(ferry_args_get(args, "filename"), ==, "b");
  g_assert_cmpuint(args->words->len, ==, 3);
  g_assert_cmpstr(args->words->pdata[0], ==, "-");
  g_assert_cmpstr(args->words->pdata[2], ==, "--x");
}

static void test_errors(void) {
  static const char *const cases[][2] = {
      {"--watsh", "unknown option --watsh, did you mean --watch?"},
      {"--qqqqqqqq", "unknown option --qqqqqqqq"},
      {"-x", "unknown option -x"},
      {"-wx", "unknown option -x"},
      {"--output", "--output needs a value: --output FORMAT"},
      {"-o", "--output needs a value: --output FORMAT"},
      {"--output=xml", "--output: \"xml\" is not one of json, yaml"},
      {"--watch=1", "--watch takes no value"},
      {"--filename=", "--filename: the value is empty, expected FILE"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(parse(cases[i][0], &error));
    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, cases[i][1]);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/args/forms", test_forms);
  g_test_add_func("/cli/args/flags", test_flags_and_repeats);
  g_test_add_func("/cli/args/errors", test_errors);
  return g_test_run();
}
