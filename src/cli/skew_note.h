// SPDX-License-Identifier: Apache-2.0
// A word about versions, where ferryd did not understand a verb.
#pragma once
#include "cli/core/cli.h"

G_BEGIN_DECLS

/** After a verb that ended with `code`: where ferryd is of another version than this program, and
 * the verb failed as ferryd knew no such path, method or field, or a field was left out with a
 * warning, a line on stderr says so. Asks for nothing where all was understood. */
void ferry_skew_tell(FerryCli *cli, int code);

G_END_DECLS
