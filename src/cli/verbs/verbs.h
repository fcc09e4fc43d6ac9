// SPDX-License-Identifier: Apache-2.0
// The verbs. One is a file cmd_NAME.c with one function `int ferry_cmd_NAME(FerryCli *)` and a row
// in verbs.c. No verb uses another one: what two of them need is in cli/core or cli/view.
#pragma once
#include "cli/core/cli.h"

G_BEGIN_DECLS

/** All verbs, in the order of --help; ends with a NULL name. */
extern const FerryVerb ferry_verbs[];
/** Options that every verb takes. */
extern const FerryCliOption ferry_global_options[];
/** The verb of that name, or NULL. */
const FerryVerb *ferry_verb_find(const char *name);
/** Text of `ferry --help`. Free with g_free. */
char *ferry_help_program(void);
/** Text of `ferry VERB --help`. Free with g_free. */
char *ferry_help_verb(const FerryVerb *verb);

int ferry_cmd_get(FerryCli *cli);
int ferry_cmd_describe(FerryCli *cli);
int ferry_cmd_apply(FerryCli *cli);
int ferry_cmd_create(FerryCli *cli);
int ferry_cmd_delete(FerryCli *cli);
int ferry_cmd_label(FerryCli *cli);
int ferry_cmd_annotate(FerryCli *cli);
int ferry_cmd_migrate(FerryCli *cli);
int ferry_cmd_cancel(FerryCli *cli);
int ferry_cmd_change(FerryCli *cli);
int ferry_cmd_check(FerryCli *cli);
int ferry_cmd_forecast(FerryCli *cli);
int ferry_cmd_explain(FerryCli *cli);
int ferry_cmd_drain(FerryCli *cli);
int ferry_cmd_undrain(FerryCli *cli);
int ferry_cmd_events(FerryCli *cli);
int ferry_cmd_top(FerryCli *cli);
int ferry_cmd_version(FerryCli *cli);
int ferry_cmd_kubeconfig(FerryCli *cli);
int ferry_cmd_user(FerryCli *cli);

G_END_DECLS
