// SPDX-License-Identifier: Apache-2.0
// User: somebody who may come with a token or a certificate. Rights are given by bindings of roles
// to its name or groups. Credentials are made by its subresources; status only lists them, what
// proves them is kept elsewhere and never served.
#include "model/kinds/columns.h"
#include "model/kinds/shared_fields.h"

#include <string.h>

static const FerryField user_spec[] = {
    STRS("groups", "Groups that the user is in, which bindings may name.", .flags = FERRY_FIELD_SET,
         .max = 30),
    STR("description", "Who or what this is, for people.", .max = 1024),
    END,
};

static const FerryField user_credential[] = {
    STR("id", "Number of the credential, as users/revoke takes it.", REQUIRED, .max = 64),
    STR("type", "token or certificate.", .values = WORDS("token", "certificate")),
    TIME("createdAt", "When it was made."),
    TIME("expiresAt", "When it ends; left out: never."),
    END,
};

static const FerryField user_status[] = {
    OBJS("credentials", user_credential, "Tokens and certificates that are good.",
         .merge_key = "id", .max = 100),
    OBJS("conditions", ferry_fields_condition,
         "CredentialExpiring: the last of the credentials ends soon.", .merge_key = "type"),
    END,
};

static const FerryField user_fields[] = {
    OBJ("spec", user_spec, "What is wished for the user."),
    OBJ("status", user_status, "What the user has."),
    END,
};

static const FerryColumn user_columns[] = {
    COLUMN_NAME,
    COLUMN("Groups", "string", "spec.groups", "Groups that the user is in."),
    COLUMN_CELL("Credentials", "integer", ferry_cell_user_credentials,
                "Tokens and certificates that are good."),
    COLUMN_AGE,
    COLUMN_WIDE("Description", "string", "spec.description", "Who or what this is."),
};

static void user_check(const json_t *object, const json_t *old, GError *error) {
  json_t *groups = ferry_json_get(object, "spec.groups");
  for (gsize i = 0; i < json_array_size(groups); i++) {
    const char *group = json_string_value(json_array_get(groups, i));
    g_autofree char *field = g_strdup_printf("spec.groups[%zu]", i);
    if (group && (!*group || strlen(group) > NAME_MAX_LENGTH))
      ferry_error_add_cause(error, "FieldValueInvalid", field,
                            "Invalid value: \"%s\": a group's name has 1 to %d characters", group,
                            NAME_MAX_LENGTH);
  }
}

const FerryKind ferry_kind_user = {
    .group = "ferry.migration",
    .version = "v1",
    .kind = "User",
    .plural = "users",
    .singular = "user",
    .namespaced = FALSE,
    .verbs = FERRY_VERB_ALL,
    .read_by = FERRY_ROLE_ADMIN,
    .write_by = FERRY_ROLE_ADMIN,
    .has_status = TRUE,
    .subresources = WORDS("token", "certificate", "revoke"),
    .subresource_verb = FERRY_VERB_CREATE,
    .fields = user_fields,
    .columns = user_columns,
    .n_columns = G_N_ELEMENTS(user_columns),
    .doc = "User is somebody who may come with a token or a certificate.",
    .check = user_check,
};
