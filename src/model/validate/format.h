// SPDX-License-Identifier: Apache-2.0
// Names and other short texts, by the formats of FerryField.pattern.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Checks one name against a format of FerryField.pattern; `problem` (may be NULL) gets a static
 * text that says what is expected. */
gboolean ferry_format_check(const char *format, const char *text, const char **problem);

G_END_DECLS
