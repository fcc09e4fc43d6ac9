// SPDX-License-Identifier: Apache-2.0
// The verbs. One is a file cmd_NAME.c, which ends with its `const FerryVerb ferry_verb_NAME` (what
// --help, the manual and the completion say of it, and what it does), its line in `cli_verbs`
// (src/cli/meson.build), and its test. No verb uses another one: what two of them need is in
// cli/core or cli/view.
#pragma once
#include "cli/core/cli.h"

G_BEGIN_DECLS

/** All verbs, `n` in number, in the order of --help. */
const FerryVerb *const *ferry_verbs(gsize *n);
/** Options that every verb takes. */
extern const FerryCliOption ferry_global_options[];
/** The verb of that name, or NULL. */
const FerryVerb *ferry_verb_find(const char *name);
/** Text of `ferry --help`. Free with g_free. */
char *ferry_help_program(void);
/** Text of `ferry VERB --help`. Free with g_free. */
char *ferry_help_verb(const FerryVerb *verb);

G_END_DECLS
