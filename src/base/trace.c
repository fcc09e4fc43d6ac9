// SPDX-License-Identifier: Apache-2.0
#include "base/trace.h"
#include "base/random.h"
#include <string.h>

#define TRACE_DIGITS 32
#define SPAN_DIGITS 16
#define HEADER_LENGTH 55 /* 00-TRACE-SPAN-01 */
#define HEADER_MAX 512   /* a later version may append more fields */

/* W3C allows lower-case digits only. */
static gboolean trace_is_hex(const char *text, gsize n) {
  for (gsize i = 0; i < n; i++)
    if (!g_ascii_isdigit(text[i]) && (text[i] < 'a' || text[i] > 'f'))
      return FALSE;
  return TRUE;
}

static gboolean is_zero(const char *text, gsize n) {
  return strspn(text, "0") >= n;
}

char *ferry_trace_new(void) {
  char *trace = ferry_random_hex(TRACE_DIGITS / 2);
  if (is_zero(trace, TRACE_DIGITS))
    trace[TRACE_DIGITS - 1] = '1';
  return trace;
}

gboolean ferry_trace_is_valid(const char *text) {
  return text && strlen(text) == TRACE_DIGITS && trace_is_hex(text, TRACE_DIGITS) &&
         !is_zero(text, TRACE_DIGITS);
}

char *ferry_trace_parse(const char *h) {
  gsize len = h ? strlen(h) : 0;
  if (len < HEADER_LENGTH || len > HEADER_MAX || !trace_is_hex(h, 2) || strncmp(h, "ff", 2) == 0 ||
      h[2] != '-' || h[35] != '-' || h[52] != '-' || !trace_is_hex(h + 36, SPAN_DIGITS) ||
      is_zero(h + 36, SPAN_DIGITS) || !trace_is_hex(h + 53, 2))
    return NULL;
  /* Version 00 is exactly this long; a later one may go on after a dash. */
  if (len > HEADER_LENGTH && (strncmp(h, "00", 2) == 0 || h[HEADER_LENGTH] != '-'))
    return NULL;
  g_autofree char *trace = g_strndup(h + 3, TRACE_DIGITS);
  return ferry_trace_is_valid(trace) ? g_steal_pointer(&trace) : NULL;
}

char *ferry_trace_format(const char *trace) {
  g_autofree char *span = ferry_random_hex(SPAN_DIGITS / 2);
  if (is_zero(span, SPAN_DIGITS))
    span[SPAN_DIGITS - 1] = '1';
  return g_strdup_printf("00-%s-%s-01", trace, span);
}
