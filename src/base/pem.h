// SPDX-License-Identifier: Apache-2.0
// Certificates as text. Pure; any thread.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

#define FERRY_PEM_CERTIFICATE "-----BEGIN CERTIFICATE-----"

/** Where the first certificate of a text begins, at its line FERRY_PEM_CERTIFICATE; NULL: it has
 * none, or is NULL. Within `text`. */
const char *ferry_pem_certificate(const char *text);

G_END_DECLS
