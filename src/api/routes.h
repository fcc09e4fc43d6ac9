// SPDX-License-Identifier: Apache-2.0
// The table of routes: what can be asked for, by whom, and who answers.
#pragma once
#include "api/http/route.h"
#include "api/http/route.h"

G_BEGIN_DECLS

/** All routes, `*n` of them. */
const FerryApiRoute *ferry_routes(gsize *n);

/** Finds the row for req's segments and method and sets req->found.route, kind, ns, name,
 * subresource and verb from it; judges nothing. FALSE where no path fits (`allow` stays empty), or
 * none with this method (`allow` gets those that there are). Pure but for req. */
gboolean ferry_route_find(FerryRequest *req, GString *allow);

/** Whether each subresource and verb of each kind has a row and each row a rule; a line for each
 * that has not is added to `missing`. Run by the build. */
gboolean ferry_routes_check(GString *missing);

G_END_DECLS
