// SPDX-License-Identifier: Apache-2.0
// What may be shown to strangers of an object.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** Takes secrets out of `value`, in place, at any depth: members whose names say so, definitions in
 * XML, what a copy keeps of an object, and of texts what ferry_redact_secrets takes. Addresses (IP,
 * MAC) become ip-1, mac-1 and so on, the same one each time by `names` (char * to char *, filled
 * here), so that it can still be followed. Pure. */
void ferry_redact(json_t *value, GHashTable *names);
/** `text` likewise. Free with g_free. */
char *ferry_redact_text(const char *text, GHashTable *names);

G_END_DECLS
