// SPDX-License-Identifier: Apache-2.0
#include "base/metrics_text.h"
#include <math.h>
#include <stdarg.h>

#define MAX_LABELS 16

FerryHistogram *ferry_histogram_new(const double *bounds, guint n_bounds) {
  FerryHistogram *h = g_new0(FerryHistogram, 1);
  h->bounds = bounds;
  h->n_bounds = n_bounds;
  h->counts = g_new0(guint64, n_bounds + 1);
  return h;
}

void ferry_histogram_free(FerryHistogram *h) {
  if (!h)
    return;
  g_free(h->counts);
  g_free(h);
}

void ferry_histogram_observe(FerryHistogram *h, double value) {
  if (isnan(value))
    return;
  guint i = 0;
  while (i < h->n_bounds && value > h->bounds[i])
    i++;
  h->counts[i]++;
  h->sum += value;
}

static void put_value(GString *out, double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (isnan(value))
    g_string_append(out, "NaN");
  else if (isinf(value))
    g_string_append(out, value > 0 ? "+Inf" : "-Inf");
  else if (value == floor(value) && fabs(value) < 1e15)
    g_string_append_printf(out, "%" G_GINT64_FORMAT, (gint64)value);
  else
    g_string_append(out, g_ascii_formatd(text, sizeof text, "%.12g", value));
}

static void put_escaped(GString *out, const char *text, gboolean quote) {
  for (; text && *text; text++) {
    if (*text == '\\')
      g_string_append(out, "\\\\");
    else if (*text == '\n')
      g_string_append(out, "\\n");
    else if (quote && *text == '"')
      g_string_append(out, "\\\"");
    else
      g_string_append_c(out, *text);
  }
}

static void put_sample(GString *out, const char *name, const char *suffix,
                       const char *const *labels, guint n, double value) {
  g_string_append(out, name);
  g_string_append(out, suffix);
  for (guint i = 0; i < n; i += 2) {
    g_string_append_printf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i]);
    put_escaped(out, labels[i + 1], TRUE);
    g_string_append_c(out, '"');
  }
  g_string_append(out, n > 0 ? "} " : " ");
  put_value(out, value);
  g_string_append_c(out, '\n');
}

static guint take_labels(va_list ap, const char **labels) {
  guint n = 0;
  const char *label;
  while (n + 2 <= MAX_LABELS && (label = va_arg(ap, const char *))) {
    labels[n++] = label;
    labels[n++] = va_arg(ap, const char *);
  }
  return n;
}

void ferry_metrics_family(GString *out, const char *name, const char *type, const char *help) {
  g_string_append_printf(out, "# HELP %s ", name);
  put_escaped(out, help, FALSE);
  g_string_append_printf(out, "\n# TYPE %s %s\n", name, type);
}

void ferry_metrics_sample(GString *out, const char *name, double value, ...) {
  const char *labels[MAX_LABELS];
  va_list ap;
  va_start(ap, value);
  guint n = take_labels(ap, labels);
  va_end(ap);
  put_sample(out, name, "", labels, n, value);
}

void ferry_metrics_histogram(GString *out, const char *name, const FerryHistogram *h, ...) {
  const char *labels[MAX_LABELS + 2];
  va_list ap;
  va_start(ap, h);
  guint n = take_labels(ap, labels);
  va_end(ap);
  guint64 count = 0;
  labels[n] = "le";
  for (guint i = 0; i <= h->n_bounds; i++) {
    char text[G_ASCII_DTOSTR_BUF_SIZE] = "+Inf";
    if (i < h->n_bounds)
      g_ascii_formatd(text, sizeof text, "%.12g", h->bounds[i]);
    count += h->counts[i];
    labels[n + 1] = text;
    put_sample(out, name, "_bucket", labels, n + 2, (double)count);
  }
  put_sample(out, name, "_sum", labels, n, h->sum);
  put_sample(out, name, "_count", labels, n, (double)count);
}

void ferry_metrics_figure(GString *out, const char *name, const char *type, const char *help,
                          double value) {
  ferry_metrics_family(out, name, type, help);
  put_sample(out, name, "", NULL, 0, value);
}
