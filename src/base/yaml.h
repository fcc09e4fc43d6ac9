// SPDX-License-Identifier: Apache-2.0
// YAML in and out of json_t. Anchors, aliases and tags are refused; limits are those of JSON.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Parses a stream of documents ("---"); returns a json array with one element a document, empty
 * documents left out. JSON text is accepted as it is YAML. Core-schema scalars: null, booleans,
 * integers, reals; everything quoted is a string. Errors are BAD_REQUEST with line and column. */
json_t *ferry_yaml_parse(const char *data, gsize len, GError **error);
/** Block-style YAML of a value with a final newline; strings that would read as something else are
 * quoted. Free with g_free. */
char *ferry_yaml_dump(const json_t *value);

G_END_DECLS
