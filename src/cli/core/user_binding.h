// SPDX-License-Identifier: Apache-2.0
// The binding that gives a user a role, and those that name it.
#pragma once
#include "cli/core/user_credential.h"

G_BEGIN_DECLS

/** Makes the binding of the wish's user to its role, in its namespace or the whole cluster. FALSE
 * with an error. */
gboolean ferry_user_bind(FerryCli *cli, const FerryUserWish *wish, GError **error);
/** The path of the binding that ferry_user_bind makes. Free with g_free. */
char *ferry_user_binding(const FerryUserWish *wish);
/** Deletes the bindings that are this user's alone: the next user of that name must not get what
 * this one had. Those that name others as well are printed. `*gone` is raised by each that was
 * deleted. FALSE with an error: some may be left. */
gboolean ferry_user_unbind(FerryCli *cli, const char *name, guint *gone, GError **error);

G_END_DECLS
