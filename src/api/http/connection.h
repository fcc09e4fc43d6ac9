// SPDX-License-Identifier: Apache-2.0
// What the HTTP library calls. For listener.c.
#pragma once
#include <glib.h>
#include <microhttpd.h>

G_BEGIN_DECLS

/** A request begins with this URI: its FerryRequest, which becomes the `*context` of what
 * follows. Called by libmicrohttpd, as all here, in its threads; `api` is a FerryApi. */
void *ferry_connection_on_uri(void *api, const char *uri, struct MHD_Connection *connection);
/** The request's head, each part of its body, and its end (`*upload_size` 0) have come. */
enum MHD_Result ferry_connection_on_request(void *api, struct MHD_Connection *connection,
                                            const char *url, const char *method,
                                            const char *version, const char *upload,
                                            size_t *upload_size, void **context);
/** The request has ended in whatever way: frees it. */
void ferry_connection_on_completed(void *api, struct MHD_Connection *connection, void **context,
                                   enum MHD_RequestTerminationCode how);
/** The connection was opened or closed. */
void ferry_connection_on_change(void *api, struct MHD_Connection *connection, void **context,
                                enum MHD_ConnectionNotificationCode what);

G_END_DECLS
