// SPDX-License-Identifier: Apache-2.0
// The body of an answer that is put together as it is sent, of parts that are there anyway.
#pragma once
#include <glib.h>
#include <microhttpd.h>

G_BEGIN_DECLS

/** The first member of a body of some kind. Belongs to the thread that works on the request, then
 * to the HTTP library's of its connection. */
typedef struct FerryBody FerryBody;
struct FerryBody {
  gsize size; /* bytes in all, known before */
  /** Puts the next bytes into `buf`, `max` at most and one at least; how many. */
  gsize (*read)(FerryBody *self, char *buf, gsize max);
  void (*free)(FerryBody *self);
};

/** The response that it becomes, which takes it; NULL where there is no memory for one. */
struct MHD_Response *ferry_body_response(FerryBody *body);
void ferry_body_free(FerryBody *body); /* NULL is allowed */

G_END_DECLS
