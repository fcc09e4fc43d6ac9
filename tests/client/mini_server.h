// SPDX-License-Identifier: Apache-2.0
// A tiny HTTP server for tests: each request goes to one function, which says what goes back.
#pragma once
#include <gio/gio.h>

/** Writes the whole answer (header and all) for a request to `out`; runs in a thread per
 * connection. FALSE closes the connection afterwards. */
typedef gboolean (*MiniFunc)(const char *method, const char *path, const char *headers,
                             const char *body, GOutputStream *out, gpointer data);
typedef struct _MiniServer MiniServer;
MiniServer *mini_server_new(MiniFunc func, gpointer data);
/** "http://127.0.0.1:PORT" */
const char *mini_server_url(const MiniServer *server);
void mini_server_free(MiniServer *server);
/** An answer with a Content-Length. */
void mini_answer(GOutputStream *out, int status, const char *extra_headers, const char *body);
