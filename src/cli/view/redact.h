// SPDX-License-Identifier: Apache-2.0
// What may be shown to strangers of an object.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** Takes secrets out of `value`, in place, at any depth: members whose names say so, definitions in
 * XML, and what a copy keeps of an object. Addresses (IP, MAC) become ip-1, mac-1 and so on, the
 * same one each time by `names` (char * to char *, filled here), so that it can still be followed.
 * Pure. */
void ferry_redact(json_t *value, GHashTable *names);

G_END_DECLS
