// SPDX-License-Identifier: Apache-2.0
// Where a host reaches the ferryd that this machine's client talks to.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Whether only this machine reaches itself by `host`. Pure. */
gboolean ferry_join_host_is_local(const char *host);
/** `server` as another machine has to write it: with this machine's name where it says localhost.
 * Free with g_free. */
char *ferry_join_url(const char *server);
/** Whether somebody listens at `url`'s host and port, by the network that others come by. Blocks
 * for at most 2 s. */
gboolean ferry_join_url_answers(const char *url);

G_END_DECLS
