// SPDX-License-Identifier: Apache-2.0
// What the HTTP library calls. For listener.c.
#pragma once
#include <glib.h>
#include <microhttpd.h>

G_BEGIN_DECLS

/* libmicrohttpd's callbacks, in its threads; `api` is a FerryApi. A request begins with its URI,
 * comes in parts, ends in whatever way, and its connection opens and closes. */
void *ferry_connection_on_uri(void *api, const char *uri, struct MHD_Connection *connection);
enum MHD_Result ferry_connection_on_request(void *api, struct MHD_Connection *connection,
                                            const char *url, const char *method,
                                            const char *version, const char *upload,
                                            size_t *upload_size, void **context);
void ferry_connection_on_completed(void *api, struct MHD_Connection *connection, void **context,
                                   enum MHD_RequestTerminationCode how);
void ferry_connection_on_change(void *api, struct MHD_Connection *connection, void **context,
                                enum MHD_ConnectionNotificationCode what);

G_END_DECLS
