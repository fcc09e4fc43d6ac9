// SPDX-License-Identifier: Apache-2.0
// Kubernetes quantities ("64Mi", "1.5G", "2e3").
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Bytes of a MiB; as a real number, for reckoning; of a GiB. */
#define FERRY_MIB (G_GINT64_CONSTANT(1) << 20)
#define FERRY_MIB_REAL ((double)FERRY_MIB)
#define FERRY_GIB (G_GINT64_CONSTANT(1) << 30)

/** Parses a quantity to a whole number (fractions round up), in the unit's base (bytes for memory).
 * Negative, malformed or overflowing text is INVALID. */
gboolean ferry_quantity_parse(const char *text, gint64 *value, GError **error);
/** A size as people write it: a quantity, or one with a unit of bytes in full ("64MiB", "1.5 GB",
 * "512B"), in which KiB is 1024 and KB or kB 1000. Not for what the API takes. */
gboolean ferry_size_parse(const char *text, gint64 *bytes, GError **error);
/** Divides `value` by 1024 until it is below `from`; its prefix ("", "Ki", ... "Ei"). Static. */
const char *ferry_binary_scale(double *value, double from);
/** The shortest exact binary form ("256Mi"), else the plain number. Free with g_free. */
char *ferry_quantity_format(gint64 value);
/** For people: "1.2 GiB", "870 MiB", "12 KiB", "0 B". Free with g_free. */
char *ferry_bytes_format(double bytes);

G_END_DECLS
