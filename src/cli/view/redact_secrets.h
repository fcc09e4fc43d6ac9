// SPDX-License-Identifier: Apache-2.0
// What of a text (a log, a configuration file, a message) may not be shown to strangers.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** `text` (UTF-8) with "(redacted)" in place of keys and certificates in PEM, tokens (Ferry's own,
 * JWT, of HTTP headers), passwords in URLs, the values of what is called a password, secret, token
 * or key, whatever the notation (a=b, a: b, XML, JSON), definitions in XML, and long strings of hex
 * or base64. It rather takes out too much. Free with g_free. Pure; any thread. */
char *ferry_redact_secrets(const char *text);

G_END_DECLS
