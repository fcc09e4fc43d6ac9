// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.h"
#include "base/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *suffix;
  double factor;
} quantity_suffixes[] = {
    {"", 1},        {"Ki", 1024.0}, {"Mi", 1048576.0}, {"Gi", 1073741824.0}, {"Ti", 0x1p40},
    {"Pi", 0x1p50}, {"Ei", 0x1p60}, {"m", 0.001},      {"k", 1e3},           {"M", 1e6},
    {"G", 1e9},     {"T", 1e12},    {"P", 1e15},       {"E", 1e18},
};

gboolean ferry_quantity_parse(const char *text, gint64 *value, GError **error) {
  const char *p = text;
  if (*p == '+')
    p++;
  gsize digits = strspn(p, "0123456789.");
  char *end = NULL;
  double number = -1;
  if (digits > 0 && digits < 32 && strlen(text) < 64) {
    g_autofree char *head = g_strndup(p, digits);
    if (strspn(head, ".") != strlen(head))
      number = g_ascii_strtod(head, &end);
    if (end && *end)
      number = -1;
  }
  const char *rest = p + digits;
  double factor = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(quantity_suffixes); i++)
    if (g_str_equal(rest, quantity_suffixes[i].suffix))
      factor = quantity_suffixes[i].factor;
  if (factor == 0 && (*rest == 'e' || *rest == 'E')) {
    gint64 exponent;
    const char *e = rest + 1 + (rest[1] == '+');
    if (g_ascii_string_to_signed(e, 10, -18, 18, &exponent, NULL))
      factor = pow(10, (double)exponent);
  }
  double product = ceil(number * factor);
  if (number < 0 || factor == 0 || !(product < 0x1p63)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "\"%.64s\" is not a quantity: expected a number of at most 2^63 with an optional "
                "suffix as in 64Mi, 1.5G or 2e3",
                text);
    return FALSE;
  }
  *value = (gint64)product;
  return TRUE;
}

gboolean ferry_size_parse(const char *text, gint64 *bytes, GError **error) {
  g_autofree char *plain = g_strdup(text);
  gsize len = strlen(g_strchomp(plain));
  if (len > 1 && plain[len - 1] == 'B') {
    plain[--len] = '\0';
    if (plain[len - 1] == 'K')
      plain[len - 1] = 'k';
  }
  gsize digits = strspn(plain, "0123456789.");
  if (digits > 0 && plain[digits] == ' ' && !g_ascii_isdigit(plain[digits + 1]))
    memmove(plain + digits, plain + digits + 1, len - digits); /* one blank before the unit */
  if (ferry_quantity_parse(plain, bytes, NULL))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
              "\"%.64s\" is no size: expected a number with a unit, as in 64Mi, 64MiB or 1.5GB",
              text);
  return FALSE;
}

static const char *const binary_prefixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

const char *ferry_binary_scale(double *value, double from) {
  guint i = 0;
  while (fabs(*value) >= from && i + 1 < G_N_ELEMENTS(binary_prefixes)) {
    *value /= 1024;
    i++;
  }
  return binary_prefixes[i];
}

char *ferry_quantity_format(gint64 value) {
  guint i = 0;
  while (value != 0 && value % 1024 == 0 && i + 1 < G_N_ELEMENTS(binary_prefixes)) {
    value /= 1024;
    i++;
  }
  return g_strdup_printf("%" G_GINT64_FORMAT "%s", value, binary_prefixes[i]);
}

char *ferry_bytes_format(double bytes) {
  const char *prefix = ferry_binary_scale(&bytes, 1000);
  return g_strdup_printf(!*prefix || fabs(bytes) >= 100 ? "%.0f %sB" : "%.1f %sB", bytes, prefix);
}
