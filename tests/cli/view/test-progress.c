// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "cli/view/progress.h"
#include "cli/view/text.h"
#include "../golden.h"
#include <string.h>

static const char running[] =
    "{\"spec\":{\"vmiName\":\"db\"},\"status\":{\"phase\":\"Running\","
    "\"migrationState\":{\"mode\":\"PreCopy\",\"sourceNode\":\"h1\",\"targetNode\":\"h2\"},"
    "\"progress\":{\"percent\":43,\"iteration\":3,\"dataRemainingBytes\":1288490188,"
    "\"memoryTransferRateBytesPerSecond\":123731968,\"dirtyRateBytesPerSecond\":41943040,"
    "\"remainingSeconds\":11,\"elapsedMs\":12345}}}";

static json_t *parse(const char *text) {
  g_autoptr(GError) error = NULL;
  json_t *object = ferry_json_parse(text, strlen(text), &error);
  g_assert_no_error(error);
  return object;
}

static void test_widths(void) {
  g_autoptr(json_t) object = parse(running);
  static const guint widths[] = {20, 30, 40, 60, 80, 100, 120, 200};
  g_autoptr(GString) all = g_string_new(NULL);
  FerryProgress p;
  ferry_progress_read(&p, object, -1);
  for (gsize i = 0; i < G_N_ELEMENTS(widths); i++) {
    g_autofree char *utf8 = ferry_progress_line(&p, widths[i], TRUE, FALSE);
    g_autofree char *ascii = ferry_progress_line(&p, widths[i], FALSE, FALSE);
    g_string_append_printf(all, "%u\n%s\n%s\n", widths[i], utf8, ascii);
  }
  g_autofree char *plain = ferry_progress_plain(&p);
  g_string_append_printf(all, "plain\n%s\n", plain);
  g_autofree char *color = ferry_progress_line(&p, 80, FALSE, TRUE);
  g_auto(GStrv) escaped = g_strsplit(color, "\033", -1);
  g_autofree char *shown = g_strjoinv("<ESC>", escaped);
  g_string_append_printf(all, "color\n%s\n", shown);
  ferry_progress_clear(&p);
  golden_check("progress.txt", all->str);
}

static char *plain_of(const char *progress) {
  g_autofree char *text = g_strdup_printf("{\"spec\":{\"vmiName\":\"db\"},\"status\":{\"phase\":"
                                          "\"Running\",\"progress\":{\"elapsedMs\":1000,%s}}}",
                                          progress);
  g_autoptr(json_t) object = parse(text);
  FerryProgress p;
  ferry_progress_read(&p, object, -1);
  char *plain = ferry_progress_plain(&p);
  ferry_progress_clear(&p);
  return plain;
}

/* Nothing known yet is "starting"; an end that is only the earliest is said to be, and one that
 * does not come with what would be needed. */
static void test_end(void) {
  g_autofree char *starting = plain_of("\"percent\":0,\"phase\":\"Preparing\"");
  g_assert_cmpstr(starting, ==, "    1.0s  db  0%  starting");
  g_autofree char *nothing = plain_of("\"dataRemainingBytes\":0");
  g_assert_null(strstr(nothing, "left"));
  g_autofree char *least =
      plain_of("\"dataRemainingBytes\":1048576,\"estimate\":\"NotBefore\",\"remainingSeconds\":4");
  g_assert_cmpstr(least, ==, "    1.0s  db  1.0 MiB left, not before 4s");
  g_autofree char *never = plain_of("\"dataRemainingBytes\":1048576,\"estimate\":"
                                    "\"NotConverging\",\"neededDowntimeMs\":632");
  g_assert_cmpstr(never, ==,
                  "    1.0s  db  1.0 MiB left, not converging: a pause of 632 ms would do");
}

/* What remains of the data has the disks in it. */
static void test_disks(void) {
  g_autofree char *disks = plain_of("\"phase\":\"CopyingDisks\",\"dataRemainingBytes\":3145728,"
                                    "\"diskRemainingBytes\":3145728");
  g_assert_cmpstr(disks, ==, "    1.0s  db  copying disks, disks 3.0 MiB left");
  g_autofree char *both = plain_of("\"phase\":\"CopyingDisks\",\"dataRemainingBytes\":5242880,"
                                   "\"diskRemainingBytes\":3145728,"
                                   "\"memoryRemainingBytes\":2097152");
  g_assert_cmpstr(both, ==, "    1.0s  db  copying disks, disks 3.0 MiB, memory 2.0 MiB left");
  g_autofree char *memory = plain_of("\"phase\":\"CopyingMemory\",\"dataRemainingBytes\":2097152,"
                                     "\"diskRemainingBytes\":0,"
                                     "\"memoryRemainingBytes\":2097152");
  g_assert_cmpstr(memory, ==, "    1.0s  db  2.0 MiB left");
}

/* Whatever the width and the name, the line never reaches the last column and shows the percent
 * where there is any room. */
static void test_never_wraps(void) {
  g_autoptr(json_t) object = parse(running);
  static const char *const names[] = {"d", "a-virtual-machine-with-a-name-of-many-letters",
                                      "数据库服务器数据库服务器数据库服务器"};
  for (gsize n = 0; n < G_N_ELEMENTS(names); n++)
    for (guint width = 1; width < 220; width++) {
      FerryProgress p;
      ferry_json_set_str(object, "spec.vmiName", names[n]);
      ferry_progress_read(&p, object, 3723000);
      p.aborting = width % 2;
      g_autofree char *line = ferry_progress_line(&p, width, TRUE, FALSE);
      g_assert_cmpuint(ferry_text_width(line), <=, MAX(width - 1, 1));
      if (width >= 24)
        g_assert_nonnull(strstr(line, "43%"));
      ferry_progress_clear(&p);
    }
}

static void test_queue(void) {
  g_autoptr(json_t) object =
      parse("{\"spec\":{\"vmiName\":\"db\"},\"status\":{\"phase\":\"Pending\",\"queue\":"
            "{\"position\":2,\"message\":\"2 of 2 outbound\\u001b[31m migrations of h1 run\"}}}");
  g_autofree char *queue = ferry_progress_waits(object);
  g_assert_cmpstr(queue, ==, "place 2 in the queue: 2 of 2 outbound[31m migrations of h1 run");
  FerryProgress p;
  ferry_progress_read(&p, object, 1500);
  g_autofree char *plain = ferry_progress_plain(&p);
  g_assert_cmpstr(plain, ==,
                  "    1.5s  db  place 2 in the queue: 2 of 2 outbound[31m migrations of h1 run");
  ferry_progress_clear(&p);
}

/* Said while it waits for a host as well, and nothing is said to be left before it is known. */
static void test_before_it_moves(void) {
  static const struct {
    const char *status, *plain;
  } cases[] = {
      {"\"phase\":\"Scheduling\",\"message\":\"no host can take the VM: h2: it is full\"",
       "    1.5s  db  no host can take the VM: h2: it is full"},
      {"\"phase\":\"Scheduling\"", "    1.5s  db  Scheduling"},
      {"\"phase\":\"Running\"", "    1.5s  db  starting"},
      {"\"phase\":\"Running\",\"progress\":{\"percent\":0,\"phase\":\"Preparing\"}",
       "    1.5s  db  0%  starting"},
      {"\"phase\":\"Running\",\"progress\":{\"percent\":9,\"dataRemainingBytes\":0}",
       "    1.5s  db  9%"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text =
        g_strdup_printf("{\"spec\":{\"vmiName\":\"db\"},\"status\":{%s}}", cases[i].status);
    g_autoptr(json_t) object = parse(text);
    FerryProgress p;
    ferry_progress_read(&p, object, 1500);
    g_autofree char *plain = ferry_progress_plain(&p);
    g_assert_cmpstr(plain, ==, cases[i].plain);
    ferry_progress_clear(&p);
  }
}

static void test_empty_and_hostile(void) {
  static const char *const texts[] = {
      "{}", "{\"status\":[]}", "{\"spec\":{\"vmiName\":7},\"status\":{\"phase\":{}}}",
      "{\"status\":{\"progress\":{\"percent\":99999999999,\"dataRemainingBytes\":-5}}}"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(json_t) object = parse(texts[i]);
    FerryProgress p;
    ferry_progress_read(&p, object, -1);
    g_autofree char *line = ferry_progress_line(&p, 80, TRUE, TRUE);
    g_autofree char *plain = ferry_progress_plain(&p);
    g_assert_cmpuint(strlen(plain), >, 0);
    g_assert_cmpuint(strlen(line), >, 0);
    ferry_progress_clear(&p);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/progress/widths", test_widths);
  g_test_add_func("/cli/progress/disks", test_disks);
  g_test_add_func("/cli/progress/end", test_end);
  g_test_add_func("/cli/progress/never-wraps", test_never_wraps);
  g_test_add_func("/cli/progress/queue", test_queue);
  g_test_add_func("/cli/progress/before-it-moves", test_before_it_moves);
  g_test_add_func("/cli/progress/hostile", test_empty_and_hostile);
  return g_test_run();
}
