// SPDX-License-Identifier: Apache-2.0
// Identifiers that cannot be guessed.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** A random UUID (version 4), lower case. Free with g_free. */
char *ferry_random_uuid(void);
/** `n` random characters of Kubernetes' generateName alphabet (no vowels, no look-alikes). */
char *ferry_random_suffix(guint n);
/** `bytes` random bytes in lower-case hexadecimal. Free with g_free. */
char *ferry_random_hex(guint bytes);
/** SHA-256 of data in lower-case hexadecimal. Free with g_free. */
char *ferry_sha256_hex(const void *data, gsize len);
/** Whether two texts that prove something are the same, in a time that doesn't say where they
 * differ. */
gboolean ferry_secret_equal(const char *a, const char *b);

G_END_DECLS
