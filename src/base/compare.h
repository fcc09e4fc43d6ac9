// SPDX-License-Identifier: Apache-2.0
// Orders texts, for what GLib sorts. Pure; any thread.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Two texts byte by byte, as of a GList's data: < 0, 0, > 0. */
gint ferry_compare_text(gconstpointer a, gconstpointer b);
/** The same for a GTree; `data` is not looked at. */
gint ferry_compare_keys(gconstpointer a, gconstpointer b, gpointer data);
/** The same of what two pointers point to, as in a GPtrArray. */
gint ferry_compare_text_at(gconstpointer a, gconstpointer b);

G_END_DECLS
