// SPDX-License-Identifier: Apache-2.0
#include "base/settings/settings.h"
#include "base/error.h"
#include "base/log.h"
#include <string.h>

typedef struct {
  char *name, *level, *config;
  GStrv listen;
  gint64 keep, bytes, patience_s;
  gboolean announce;
} Target;

#define AT(member) G_STRUCT_OFFSET(Target, member)
#define CONFIG "/nonexistent/ferry.conf"
static const FerrySetting table[] = {
    {"config", FERRY_SETTING_FILE, FERRY_SETTING_COMMAND_LINE, AT(config), "FILE", CONFIG, "File"},
    {"name", FERRY_SETTING_TEXT, 0, AT(name), "NAME", NULL, "A name", "It is \\a name. More."},
    {"listen", FERRY_SETTING_LIST, FERRY_SETTING_RELOADS, AT(listen), "ADDR", NULL, "Addresses"},
    {"keep", FERRY_SETTING_NUMBER, 0, AT(keep), "N", "10", "How many", NULL, 1, 100},
    {"bytes", FERRY_SETTING_SIZE, 0, AT(bytes), "SIZE", "64Mi", "How much", NULL, 1024},
    {"patience", FERRY_SETTING_SECONDS, 0, AT(patience_s), "TIME", "2m", "How long", NULL, 0, 600},
    {"announce", FERRY_SETTING_YES, 0, AT(announce), NULL, NULL, "Whether"},
    {"level", FERRY_SETTING_TEXT, FERRY_SETTING_RELOADS, AT(level), "LEVEL", "info", "Level", NULL,
     0, 0, ferry_log_levels},
    {NULL},
};

/* Command line (words after the program's name), then file; FALSE: `error` says why. */
static gboolean settings_load(Target *target, const char *line, const char *file, GError **error) {
  g_autoptr(FerrySettingsRead) s = ferry_settings_new(table);
  g_autofree char *whole = g_strconcat("program ", line, NULL);
  int argc;
  g_auto(GStrv) argv = NULL;
  g_assert_true(g_shell_parse_argv(whole, &argc, &argv, NULL));
  g_autofree char **words = g_memdup2(argv, sizeof(char *) * ((gsize)argc + 1));
  return ferry_settings_read_argv(s, "", NULL, &argc, &words, error) &&
         ferry_settings_read_config(s, "config", error) &&
         ferry_settings_read_text(s, "f", file, strlen(file), error) &&
         ferry_settings_apply(s, target, error);
}

static void test_presets(void) {
  Target t = {0};
  g_assert_true(settings_load(&t, "", "# nothing\n\n", NULL));
  g_assert_cmpint(t.keep, ==, 10);
  g_assert_cmpint(t.bytes, ==, 64 << 20);
  g_assert_cmpint(t.patience_s, ==, 120);
  g_assert_cmpstr(t.level, ==, "info");
  g_assert_null(t.listen);
  g_assert_null(t.name);
  g_assert_false(t.announce);
  ferry_settings_unapply(table, &t);
}

static void test_command_line_over_file(void) {
  static const char file[] =
      "name = filed\r\nlisten=a:1\n  listen = b:2  \nkeep = 3\nbytes = 2MiB\n"
      "announce = yes\npatience = 90\n";
  Target t = {0};
  g_assert_true(settings_load(&t, "--name typed --keep=4 --listen c:3", file, NULL));
  g_assert_cmpstr(t.name, ==, "typed");
  g_assert_cmpint(t.keep, ==, 4);
  g_assert_cmpint(t.bytes, ==, 2 << 20);
  g_assert_cmpint(t.patience_s, ==, 90);
  g_assert_true(t.announce);
  g_assert_cmpuint(g_strv_length(t.listen), ==, 1);
  g_assert_cmpstr(t.listen[0], ==, "c:3");
  ferry_settings_unapply(table, &t);
  g_assert_true(settings_load(&t, "", file, NULL));
  g_assert_cmpuint(g_strv_length(t.listen), ==, 2);
  g_assert_cmpstr(t.listen[1], ==, "b:2");
  g_assert_cmpstr(t.name, ==, "filed");
  ferry_settings_unapply(table, &t);
}

static void test_refused(void) {
  static const struct {
    const char *line, *file, *said;
  } cases[] = {
      {"", "\nkeeps = 3\n", "f:2: unknown key \"keeps\"; did you mean \"keep\"?"},
      {"", "zzzzzzzz = 3\n", "f:1: unknown key \"zzzzzzzz\""},
      {"", "config = /x\n", "f:1: unknown key \"config\""},
      {"", "keep\n", "f:1: expected \"key = value\""},
      {"", "= 3\n", "f:1: expected \"key = value\""},
      {"", "[main]\n", "f:1: expected \"key = value\""},
      {"", "keep =\n", "f:1: keep has no value"},
      {"", "name = \"quoted\"\n", "f:1: name has its value in quotes"},
      {"", "keep = 1\n\nkeep = 2\n", "f:3: keep is there twice, first in line 1"},
      {"", "keep = 101\n", "f:1: keep 101: expected 1 to 100"},
      {"", "keep = 3 # three\n", "f:1: keep 3 # three: expected 1 to 100"},
      {"", "bytes = 1023\n", "f:1: bytes 1023: expected a size of at least 1Ki, such as 64Mi"},
      {"", "patience = 11m\n", "expected 0 to 600 seconds"},
      {"", "announce = maybe\n", "f:1: announce maybe: expected yes or no"},
      {"", "level = loud\n", "f:1: level loud: expected one of debug, info, warning, error"},
      {"", "name = \xff\n", "f: expected at most 256 KiB of UTF-8 text"},
      {"--keep 0", "keep = 5\n", "--keep 0: expected 1 to 100"},
      {"--nothing", "", "--nothing"},
      {"word", "", "unknown argument \"word\""},
      {"--config " CONFIG, "", CONFIG},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    Target t = {0};
    g_assert_false(settings_load(&t, cases[i].line, cases[i].file, &error));
    if (!strstr(error->message, cases[i].said))
      g_error("\"%s\" does not say \"%s\"", error->message, cases[i].said);
    ferry_settings_unapply(table, &t);
  }
}

static void test_too_long(void) {
  g_autofree char *text = g_strnfill(FERRY_SETTINGS_FILE_MAX + 1, '\n');
  g_autoptr(FerrySettingsRead) s = ferry_settings_new(table);
  g_assert_true(ferry_settings_read_text(s, "f", text, FERRY_SETTINGS_FILE_MAX, NULL));
  g_assert_false(ferry_settings_read_text(s, "f", text, FERRY_SETTINGS_FILE_MAX + 1, NULL));
}

/* What a reload does not take differs at the next one, too. */
static void test_reload(void) {
  static const char first[] = "name = a\nlevel = info\n", second[] = "name = b\nlevel = debug\n";
  g_autoptr(FerrySettingsRead) running = ferry_settings_new(table);
  g_assert_true(ferry_settings_read_text(running, "f", first, strlen(first), NULL));
  for (guint i = 0; i < 2; i++) {
    g_autoptr(FerrySettingsRead) read = ferry_settings_new(table);
    g_assert_true(ferry_settings_read_text(read, "f", second, strlen(second), NULL));
    ferry_settings_reload(running, read);
    g_assert_cmpstr(ferry_settings_text(running, "name"), ==, "a");
    g_assert_cmpstr(ferry_settings_text(running, "level"), ==, "debug");
  }
}

/* The file that is installed is right, whether its lines are comments or not. */
static void test_sample(void) {
  g_autofree char *sample = ferry_settings_sample(table, "program");
  g_assert_null(strstr(sample, "config ="));
  g_assert_nonnull(strstr(sample, "\n#keep = 10\n"));
  g_assert_nonnull(strstr(sample, "\n#announce = no\n"));
  g_autoptr(GRegex) comment = g_regex_new("^#(?=[a-z-]+ = )", G_REGEX_MULTILINE, 0, NULL);
  g_autofree char *told = g_regex_replace(comment, sample, -1, 0, "", 0, NULL);
  g_autofree char *valid = g_strdup(told);
  char *level = strstr(valid, "\nlevel = ");
  g_assert_nonnull(level);
  Target t = {0};
  g_assert_true(settings_load(&t, "", sample, NULL));
  ferry_settings_unapply(table, &t);
  g_autoptr(GError) error = NULL;
  settings_load(&t, "", valid, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(t.listen[0], ==, "ADDR");
  ferry_settings_unapply(table, &t);
}

static void test_file_manual(void) {
  g_autofree char *page = ferry_settings_file_manual(table, "program", "program.conf");
  g_assert_nonnull(strstr(page, ".Dt PROGRAM.CONF 5\n"));
  g_assert_nonnull(strstr(page, ".Pa /etc/ferry/program.conf\n"));
  g_assert_nonnull(strstr(page, ".It Cm announce No = Ar yes | no\n"));
  g_assert_nonnull(strstr(page, "Default: 64Mi.\n"));
  g_assert_null(strstr(page, ".It Cm config ")); /* of the command line alone */
}

static void test_manual(void) {
  g_autofree char *manual = ferry_settings_manual(table);
  g_assert_nonnull(strstr(manual, ".It Fl -name Ar NAME\nA name.\nIt is \\ea name.\nMore.\n"));
  g_assert_nonnull(strstr(manual, "Default: 64Mi.\n"));
  g_assert_nonnull(strstr(manual, "May be given several times.\n"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK); /* a reload warns */
  g_test_add_func("/settings/presets", test_presets);
  g_test_add_func("/settings/command-line-over-file", test_command_line_over_file);
  g_test_add_func("/settings/refused", test_refused);
  g_test_add_func("/settings/too-long", test_too_long);
  g_test_add_func("/settings/reload", test_reload);
  g_test_add_func("/settings/sample", test_sample);
  g_test_add_func("/settings/manual", test_manual);
  g_test_add_func("/settings/file-manual", test_file_manual);
  return g_test_run();
}
