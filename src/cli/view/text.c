// SPDX-License-Identifier: Apache-2.0
#include "cli/view/text.h"
#include "base/quantity.h"
#include "model/migration/phase.h"
#include <string.h>

char *ferry_duration_format(gint64 ms) {
  if (ms < 0)
    return g_strdup("?");
  if (ms < 1000)
    return g_strdup_printf("%d ms", (int)ms);
  if (ms < 10000)
    return g_strdup_printf("%.2f s", (double)ms / 1000);
  if (ms < 59950) /* what would round to 60.0 belongs to the next form */
    return g_strdup_printf("%.1f s", (double)ms / 1000);
  gint64 s = (ms + 500) / 1000;
  if (s < 3600)
    return g_strdup_printf("%d min %d s", (int)(s / 60), (int)(s % 60));
  return g_strdup_printf("%" G_GINT64_FORMAT " h %d min", s / 3600, (int)(s % 3600 / 60));
}

char *ferry_rate_format(gint64 bytes_per_second) {
  g_autofree char *bytes = ferry_bytes_format((double)MAX(bytes_per_second, 0));
  return g_strconcat(bytes, "/s", NULL);
}

char *ferry_unit_format(FerryUnit unit, gint64 n) {
  switch (unit) {
  case FERRY_UNIT_BYTES:
    return ferry_bytes_format((double)n);
  case FERRY_UNIT_BYTES_PER_SECOND:
    return ferry_rate_format(n);
  case FERRY_UNIT_MS:
    return ferry_duration_format(n);
  case FERRY_UNIT_SECONDS:
    return n < G_MAXINT64 / 1000 ? ferry_duration_format(n * 1000) : g_strdup("?");
  case FERRY_UNIT_PERCENT:
    return g_strdup_printf("%" G_GINT64_FORMAT " %%", n);
  default:
    return g_strdup_printf("%" G_GINT64_FORMAT "%s%s", n, *ferry_unit_word(unit) ? " " : "",
                           ferry_unit_word(unit));
  }
}

static guint char_width(gunichar c) {
  if (g_unichar_iszerowidth(c))
    return 0;
  return g_unichar_iswide(c) ? 2 : 1;
}

guint ferry_text_width(const char *text) {
  guint width = 0;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char_validated(p, -1);
    if (c == (gunichar)-1 || c == (gunichar)-2)
      return width + (guint)strlen(p);
    width += char_width(c);
  }
  return width;
}

char *ferry_text_fit(const char *text, guint width, gboolean utf8) {
  if (ferry_text_width(text) <= width || !g_utf8_validate(text, -1, NULL))
    return g_strdup(text);
  if (width == 0)
    return g_strdup("");
  const char *mark = utf8 ? "…" : "~";
  guint used = 0;
  const char *p = text;
  while (*p != '\0' && used + char_width(g_utf8_get_char(p)) <= width - 1) {
    used += char_width(g_utf8_get_char(p));
    p = g_utf8_next_char(p);
  }
  g_autofree char *head = g_strndup(text, (gsize)(p - text));
  return g_strconcat(head, mark, NULL);
}

char *ferry_text_clean(const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
  GString *out = g_string_new(NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (c == '\n' || c == '\t')
      g_string_append_c(out, ' ');
    else if (!g_unichar_iscntrl(c))
      g_string_append_unichar(out, c);
  }
  return g_string_free(out, FALSE);
}

const char *ferry_state_color(const char *word) {
  static const char *const phases[FERRY_PHASE_LAST] = {
      [FERRY_PHASE_PENDING] = "yellow",    [FERRY_PHASE_SCHEDULING] = "cyan",
      [FERRY_PHASE_SCHEDULED] = "cyan",    [FERRY_PHASE_PREPARING_TARGET] = "cyan",
      [FERRY_PHASE_TARGET_READY] = "cyan", [FERRY_PHASE_RUNNING] = "green",
      [FERRY_PHASE_SUCCEEDED] = "green",   [FERRY_PHASE_FAILED] = "red",
      [FERRY_PHASE_PAUSED] = "yellow",     [FERRY_PHASE_STOPPED] = "brown",
      [FERRY_PHASE_CRASHED] = "red",       [FERRY_PHASE_UNKNOWN] = "yellow",
  };
  static const struct {
    const char *word, *color;
  } others[] = {
      {"Ready", "green"},
      {"Active", "green"},
      {"NotReady", "red"},
      {"Warning", "yellow"},
  };
  if (word == NULL)
    return NULL;
  const char *color = phases[ferry_phase_parse(word)];
  if (color != NULL)
    return color;
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
    if (g_str_equal(word, others[i].word))
      return others[i].color;
  /* "Ready,SchedulingDisabled" */
  return g_str_has_suffix(word, ",SchedulingDisabled") ? "yellow" : NULL;
}

char *ferry_title_from_key(const char *key) {
  static const char *const acronyms[] = {"vmi", "id",   "uri",  "uid", "cpu", "tls",
                                         "ip",  "qemu", "uuid", "os",  "gib", NULL};
  GString *out = g_string_new(NULL);
  for (const char *p = key; *p != '\0';) {
    const char *q = p + 1;
    while (*q != '\0' && !(g_ascii_isupper(*q) && !g_ascii_isupper(q[-1])))
      q++;
    g_autofree char *word = g_strndup(p, (gsize)(q - p));
    g_autofree char *lower = g_ascii_strdown(word, -1);
    if (out->len > 0)
      g_string_append_c(out, ' ');
    if (g_strv_contains(acronyms, lower)) {
      g_autofree char *upper = g_ascii_strup(word, -1);
      g_string_append(out, upper);
    } else {
      word[0] = g_ascii_toupper(word[0]);
      g_string_append(out, word);
    }
    p = q;
  }
  return g_string_free(out, FALSE);
}
