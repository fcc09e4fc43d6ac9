// SPDX-License-Identifier: Apache-2.0
// Theory of operation: Kimchi's web code looks for tasks by regular expressions such as
// ^/plugins/kimchi/vms/[^/]+$. A stranger's expression must not cost more than it brought, so there
// is no backtracking: the pattern is a row of items, and all places in it that the text read so far
// may have led to are kept at once.
#include "api/kimchi/kimchi_pattern.h"
#include "base/error.h"

#include <string.h>

#define LONGEST 256

typedef enum { ONE, OPTIONAL, MANY, SOME } Times; /* nothing, ?, *, + behind an item */

typedef struct {
  guint8 set[32]; /* the bytes that fit */
  Times times;
  gboolean end; /* $: fits the end alone */
} PatternItem;

struct FerryKimchiPattern {
  PatternItem items[LONGEST];
  gsize n;
};

static void add_byte(PatternItem *item, guchar c) {
  item->set[c / 8] |= (guint8)(1 << c % 8);
}

static gboolean has_byte(const PatternItem *item, guchar c) {
  return item->set[c / 8] & (1 << c % 8);
}

/* [...] from behind the bracket on; NULL: it has no end. */
static const char *read_class(PatternItem *item, const char *p) {
  gboolean inverted = *p == '^', first = TRUE;
  for (p += inverted; *p && (*p != ']' || first); p++, first = FALSE) {
    if (*p == '\\' && p[1])
      p++;
    guchar from = (guchar)*p, to = from;
    if (p[1] == '-' && p[2] && p[2] != ']') {
      to = (guchar)p[2];
      p += 2;
    }
    for (guint c = from; c <= to; c++)
      add_byte(item, (guchar)c);
  }
  for (gsize i = 0; inverted && i < sizeof item->set; i++)
    item->set[i] = (guint8)~item->set[i];
  return *p ? p + 1 : NULL;
}

/* One item; where it ends, or NULL where there is no item. */
static const char *read_item(PatternItem *item, const char *p) {
  if (*p == '[')
    p = read_class(item, p + 1);
  else if (*p == '$' && !p[1]) {
    item->end = TRUE;
    return p + 1;
  } else if (*p == '.') {
    memset(item->set, 0xff, sizeof item->set);
    p++;
  } else if (*p == '\\' && p[1] && !g_ascii_isalnum(p[1])) {
    add_byte(item, (guchar)p[1]);
    p += 2;
  } else if (!strchr("()|{}*+?^$\\", *p)) {
    add_byte(item, (guchar)*p++);
  } else {
    return NULL;
  }
  if (p && *p && strchr("?*+", *p)) {
    item->times = *p == '?' ? OPTIONAL : *p == '*' ? MANY : SOME;
    p++;
  }
  return p;
}

FerryKimchiPattern *ferry_kimchi_pattern_new(const char *name, const char *text, GError **error) {
  g_autoptr(FerryKimchiPattern) pattern = g_new0(FerryKimchiPattern, 1);
  const char *p = strlen(text) > LONGEST ? NULL : text;
  for (p = p && *p == '^' ? p + 1 : p; p && *p; pattern->n++)
    p = read_item(&pattern->items[pattern->n], p);
  if (p)
    return g_steal_pointer(&pattern);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "%s: Invalid value: \"%.64s\": expected at most %d characters, a pattern of letters, "
              "^ $ . * + ? [...] and \\ alone",
              name, text, LONGEST);
  return NULL;
}

/* Marks place `i` and those that are reached from it by leaving items out. */
static void kimchi_pattern_reach(const FerryKimchiPattern *pattern, gboolean *places, gsize i) {
  places[i] = TRUE;
  while (i < pattern->n && !pattern->items[i].end &&
         (pattern->items[i].times == OPTIONAL || pattern->items[i].times == MANY))
    places[++i] = TRUE;
}

gboolean ferry_kimchi_pattern_fits(const FerryKimchiPattern *pattern, const char *text) {
  gboolean now[LONGEST + 1] = {FALSE};
  kimchi_pattern_reach(pattern, now, 0);
  for (const char *c = text;; c++) {
    gboolean next[LONGEST + 1] = {FALSE};
    if (now[pattern->n] ||
        (!*c && pattern->n && now[pattern->n - 1] && pattern->items[pattern->n - 1].end))
      return TRUE;
    if (!*c)
      return FALSE;
    for (gsize i = 0; i < pattern->n; i++) {
      const PatternItem *item = &pattern->items[i];
      if (!now[i] || item->end || !has_byte(item, (guchar)*c))
        continue;
      kimchi_pattern_reach(pattern, next, i + 1);
      if (item->times == MANY || item->times == SOME)
        next[i] = TRUE;
    }
    memcpy(now, next, sizeof now);
  }
}

void ferry_kimchi_pattern_free(FerryKimchiPattern *pattern) {
  g_free(pattern);
}
