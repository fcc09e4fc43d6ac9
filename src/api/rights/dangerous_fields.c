// SPDX-License-Identifier: Apache-2.0
// Which value of a field says something, and who may say it.
#include "api/rights/dangerous_fields.h"
#include "api/auth/authz.h"

gboolean ferry_field_says(const json_t *value) {
  if (!value || json_is_null(value) || json_is_false(value))
    return FALSE;
  if (json_is_integer(value))
    return json_integer_value(value) != 0;
  if (json_is_string(value))
    return json_string_length(value) > 0;
  return !(json_is_array(value) || json_is_object(value)) || json_array_size(value) > 0 ||
         json_object_size(value) > 0;
}

gboolean ferry_field_right_held(FerryRequest *req, const char *right, const char *ns) {
  FerryAccess a = {.verb = "create",
                   .group = ferry_kind_vmim.group,
                   .resource = ferry_kind_vmim.plural,
                   .subresource = right,
                   .ns = ns};
  return ferry_authz_allows(req->api, req->user, &a);
}
