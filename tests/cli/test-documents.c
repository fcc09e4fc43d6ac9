// SPDX-License-Identifier: Apache-2.0
// What the marks of a template become; what the whole documents say is test_documents.py's.
#include "cli/documents.h"
#include <string.h>

static void test_man(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *text =
      ferry_documents_man(".Ss get\nOwn words.\n.\\\" @options get@\n.\\\" @verbs@\nend", &error);
  g_assert_no_error(error);
  g_assert_true(g_str_has_prefix(text, ".Ss get\nOwn words.\n.Bl -tag -width Ds\n"));
  g_assert_true(g_str_has_suffix(text, "\nend"));
  g_assert_nonnull(strstr(text, ".It Fl w , Fl -watch\nKeep watching and print each change.\n"));
  g_assert_nonnull(strstr(text, ".Ss drain\n")); /* a verb without words of its own */
  const char *get = strstr(text, ".Ss get");
  g_assert_null(strstr(get + 1, ".Ss get"));
}

/* libvirt's flags have a list of their own. */
static void test_flags(void) {
  g_autofree char *own = ferry_documents_man(".\\\" @options migrate@", NULL);
  g_assert_nonnull(strstr(own, "Fl -no-wait , Fl -detach\n"));
  g_assert_null(strstr(own, "Fl -tls"));
  g_autofree char *change = ferry_documents_man(".\\\" @options change@", NULL);
  g_assert_nonnull(strstr(change, "Fl -bandwidth Ar RATE")); /* of that name, and none of them */
  g_autofree char *flags = ferry_documents_man(".\\\" @flags@", NULL);
  g_assert_nonnull(strstr(flags, "Fl -tls"));
}

static void test_completion(void) {
  g_autofree char *text = ferry_documents_completion("a\n  # @values@\n# @words@\nb\n", NULL);
  g_assert_true(g_str_has_prefix(text, "a\n"));
  g_assert_true(g_str_has_suffix(text, "b\n"));
  g_assert_nonnull(strstr(text, "  migrate\" --to\") value=\"names node\" ;;\n"));
  g_assert_nonnull(strstr(text, "  drain) echo node ;;\n"));
}

static void test_unknown(void) {
  static const char *const bad[] = {".\\\" @nothing@", "x\n.\\\" @options nothing@", ".\\\" @@"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(ferry_documents_man(bad[i], &error));
    g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
    g_assert_nonnull(strstr(error->message, i == 1 ? "line 2" : "line 1"));
  }
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_documents_completion("# @synopsis@", &error));
  g_assert_nonnull(error);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/documents/man", test_man);
  g_test_add_func("/cli/documents/flags", test_flags);
  g_test_add_func("/cli/documents/completion", test_completion);
  g_test_add_func("/cli/documents/unknown", test_unknown);
  return g_test_run();
}
