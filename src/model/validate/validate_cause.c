// SPDX-License-Identifier: Apache-2.0
#include "model/validate/validate_cause.h"

void ferry_validate_cause(GError *invalid, const char *reason, const char *field,
                          const char *format, ...) {
  if (ferry_error_n_causes(invalid) >= VALIDATE_MAX_CAUSES)
    return;
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  ferry_error_add_cause(invalid, reason, field, "%s", text);
}
