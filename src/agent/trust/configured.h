// SPDX-License-Identifier: Apache-2.0
// Whether libvirt's own configuration has TLS set up by hand.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Why libvirtd would not show the certificates that are written where it looks by itself, or would
 * ask nobody for one, by what libvirtd.conf and virtproxyd.conf below `root` say; NULL: it would.
 * Free with g_free. */
char *ferry_trust_configured(const char *root);

G_END_DECLS
