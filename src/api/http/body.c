// SPDX-License-Identifier: Apache-2.0
#include "api/http/body.h"

#define BLOCK (64 * 1024) /* that the HTTP library asks for at a time */

static ssize_t on_read(void *data, uint64_t pos, char *buf, size_t max) {
  FerryBody *body = data;
  return (ssize_t)body->read(body, buf, max);
}

static void on_freed(void *data) {
  ferry_body_free(data);
}

struct MHD_Response *ferry_body_response(FerryBody *body) {
  struct MHD_Response *response =
      MHD_create_response_from_callback(body->size, BLOCK, on_read, body, on_freed);
  if (!response)
    ferry_body_free(body);
  return response;
}

void ferry_body_free(FerryBody *body) {
  if (body)
    body->free(body);
}
