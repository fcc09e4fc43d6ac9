// SPDX-License-Identifier: Apache-2.0
// Patterns of Kimchi's filters.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct FerryKimchiPattern FerryKimchiPattern;

/** Reads the value of the parameter `name`: letters as they are, ^ $ . [...] [^...] \c, each with *
 * + or ? behind it. BAD_REQUEST with the parameter's name for what is longer than 256 bytes, or has
 * groups or alternatives. */
FerryKimchiPattern *ferry_kimchi_pattern_new(const char *name, const char *text, GError **error);
/** Whether `text` begins with what the pattern means, as Kimchi has it. Costs the product of both
 * lengths, whatever they are. Pure. */
gboolean ferry_kimchi_pattern_fits(const FerryKimchiPattern *pattern, const char *text);
void ferry_kimchi_pattern_free(FerryKimchiPattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryKimchiPattern, ferry_kimchi_pattern_free)

G_END_DECLS
