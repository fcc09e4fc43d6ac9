// SPDX-License-Identifier: Apache-2.0
// A question on the terminal that a letter answers.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Asks `question` on stdout until a line of stdin begins with one of `letters` (lower case);
 * returns it, or `otherwise` where there is no answer to be had. */
char ferry_cli_ask(const char *question, const char *letters, char otherwise);
/** Columns of the terminal that stdout is; 80 where nobody knows. */
guint ferry_cli_width(void);

G_END_DECLS
