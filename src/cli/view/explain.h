// SPDX-License-Identifier: Apache-2.0
// How a migration went and why, for people. Pure: an object in, text out.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** Its course as a table with the decisions between the samples, the remaining bytes over time as a
 * graph of at most `width` columns, what people changed, and the policy with each field's origin.
 * Free with g_free. */
char *ferry_explain_text(const json_t *migration, guint width, gboolean utf8, gboolean color);
/** All of that as data: migration, phase, summary, course, decisions, changes, policy [{field,
 * value, origin}]. A new reference. */
json_t *ferry_explain_json(const json_t *migration);
/** The graph alone, `height` lines and an axis; empty without two rows. Free with g_free. */
char *ferry_explain_graph(const json_t *course, guint width, guint height, gboolean utf8);

/** The fields of a migration's configuration that were set, each with its origin: a table; ""
 * where there are none. Free with g_free. */
char *ferry_explain_stated(const json_t *migration, gboolean utf8, gboolean color);

G_END_DECLS
