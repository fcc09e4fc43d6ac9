// SPDX-License-Identifier: Apache-2.0
#include "api/http/request.h"

void ferry_request_init(FerryRequest *req, FerryApi *api) {
  *req = (FerryRequest){.api = api, .asked.epoch = -1, .reading.body_limit = FERRY_JSON_MAX_BYTES};
  req->asked.query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  req->asked.body = g_byte_array_new();
  req->answer.headers = g_ptr_array_new_with_free_func(g_free);
}

void ferry_request_clear(FerryRequest *req) {
  g_free(req->asked.method);
  g_free(req->asked.path);
  g_strfreev(req->asked.segments);
  g_hash_table_unref(req->asked.query);
  g_free(req->asked.accept);
  g_free(req->asked.content_type);
  g_free(req->asked.user_agent);
  g_free(req->asked.if_none_match);
  g_free(req->asked.traceparent);
  if (req->answer.stream) /* made on a seat while the client went away */
    ferry_stream_discard(req->answer.stream);
  g_free(req->seat.flow);
  g_free(req->asked.peer);
  json_decref(req->audit);
  g_free(req->form.error_name);
  if (req->asked.impersonation)
    g_ptr_array_unref(req->asked.impersonation);
  g_free(req->write.told);
  ferry_user_unref(req->user);
  g_byte_array_unref(req->asked.body);
  g_free(req->answer.out_type);
  if (req->answer.out)
    g_bytes_unref(req->answer.out);
  ferry_body_free(req->answer.body);
  g_ptr_array_unref(req->answer.headers);
}
