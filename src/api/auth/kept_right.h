// SPDX-License-Identifier: Apache-2.0
// The right by which a stream was opened, to be asked for again while it is open.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

typedef struct FerryKeptRight FerryKeptRight;

/** The right that req's route asks for, which is checked once more: FORBIDDEN where it was taken
 * away since. req's rule is of resources. Any thread. */
FerryKeptRight *ferry_kept_right_new(FerryRequest *req, GError **error);
FerryKeptRight *ferry_kept_right_ref(FerryKeptRight *right);
void ferry_kept_right_unref(FerryKeptRight *right); /* NULL is allowed */

/** Whether `user` has it still. Costs a comparison while no role or binding has changed. One thread
 * at a time asks. */
gboolean ferry_kept_right_holds(FerryApi *api, const FerryUser *user, FerryKeptRight *right);

G_END_DECLS
