// SPDX-License-Identifier: Apache-2.0
// What other machines may call this one.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Whether some of the addresses ("ADDR:PORT") are reached from other machines; NULL: none is. */
gboolean ferryd_names_listens_beyond(const char *const *listen);
/** `given` (may be NULL) and, where `beyond`, this machine's host name, its full name where the
 * resolver knows it, and the addresses of its interfaces but for loopback and link-local ones. Free
 * with g_strfreev. */
char **ferryd_names(const char *const *given, gboolean beyond);
/** What starts the agent of `node` there, once the token is in FILE. `server` is the URL by which
 * this machine reaches ferryd; where that is local, the host name stands in its place. Free with
 * g_free. */
char *ferryd_names_join_command(const char *server, const char *node);

G_END_DECLS
