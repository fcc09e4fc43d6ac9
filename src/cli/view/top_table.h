// SPDX-License-Identifier: Apache-2.0
// The table of `ferry top`. Pure.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** A Table (as the server makes them) of the migrations in `items` (a json array) that have not
 * ended, the furthest first. New reference. */
json_t *ferry_top_table(json_t *items, gboolean utf8);

G_END_DECLS
