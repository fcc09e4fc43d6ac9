// SPDX-License-Identifier: Apache-2.0
// What the page in a browser asks for besides the API that everybody has: its own files, its login,
// and tables it is made of. The files are assets.c, the login is login.c, the tables are tables.c.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** GET /web/...: the page's files. Any thread. */
gboolean ferry_serve_web(FerryRequest *req, GError **error);
/** GET, POST, DELETE /web/session: who is logged in, log in, log out. */
gboolean ferry_serve_session(FerryRequest *req, GError **error);
/** POST /web/link makes a link's token, POST /web/link/redeem makes a session of one. */
gboolean ferry_serve_link(FerryRequest *req, GError **error);
/** GET /web/tables: libvirt's flags with their options and groups. */
gboolean ferry_serve_web_tables(FerryRequest *req, GError **error);

G_END_DECLS
