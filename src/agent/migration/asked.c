// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/asked.h"
#include "model/migration/phase.h"

void ferry_asked_init(FerryAsked *a, const json_t *object, gboolean local) {
  *a = (FerryAsked){.object = json_deep_copy(object), .local = local};
  a->uid = ferry_json_str(a->object, "metadata.uid");
  a->ns = ferry_json_str(a->object, "metadata.namespace");
  a->name = ferry_json_str(a->object, "metadata.name");
  const char *vmi_name = ferry_json_str(a->object, "spec.vmiName");
  a->vmi_name = vmi_name ? vmi_name : "";
  const char *uuid = ferry_json_str(a->object, "status.migrationState.vmiUID");
  a->uuid = uuid && g_uuid_string_is_valid(uuid) ? g_strdup(uuid) : NULL;
  a->adopted = ferry_phase_of(a->object) == FERRY_PHASE_RUNNING;
  ferry_settings_read(&a->settings, a->object);
}

void ferry_asked_clear(FerryAsked *a) {
  ferry_settings_clear(&a->settings);
  json_decref(a->own_config);
  json_decref(a->object);
  g_free(a->uuid);
}

void ferry_asked_set_config(FerryAsked *a, json_t *config) {
  g_autoptr(json_t) old = a->own_config;
  a->own_config = config;
  a->settings.request.config = config;
}
