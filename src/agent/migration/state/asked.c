// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/state/asked.h"
#include "convergence/means.h"
#include "model/flags/migration_flags.h"
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

/* Goes by `config` (taken over) in place of the object's. */
static void set_config(FerryAsked *a, json_t *config) {
  g_autoptr(json_t) old = a->own_config;
  a->own_config = config;
  a->settings.request.config = config;
}

void ferry_asked_set_uuid(FerryAsked *a, char *uuid) {
  g_free(a->uuid);
  a->uuid = uuid;
}

void ferry_asked_set_domain(FerryAsked *a, const FerryDomainState *state) {
  a->settings.request.persistent = state->persistent;
  a->settings.request.active = state->active;
}

void ferry_asked_forgo_post_copy(FerryAsked *a) {
  json_t *config = json_copy((json_t *)a->settings.request.config);
  ferry_json_set_bool(config, "allowPostCopy", FALSE);
  json_object_del(config, "postCopyPreempt");
  set_config(a, config);
  a->settings.request.post_copy = a->settings.post_copy_preempt = FALSE;
}

static const struct {
  FerryMean mean;
  const char *method;
} compression_methods[] = {{FERRY_MEAN_ZSTD, "zstd"}, {FERRY_MEAN_XBZRLE, "xbzrle"}};

void ferry_asked_set_means(FerryAsked *a, unsigned means, int connections) {
  json_t *config = json_deep_copy(a->settings.request.config);
  if (means & FERRY_MEAN_PARALLEL) {
    ferry_json_set_bool(config, "parallel", TRUE);
    ferry_json_set_int(config, "parallelConnections", MAX(1, connections));
  }
  for (gsize i = 0; i < G_N_ELEMENTS(compression_methods); i++)
    if (means & compression_methods[i].mean) {
      ferry_json_set_bool(config, "compressed", TRUE);
      ferry_json_set(config, "compressionMethods", json_pack("[s]", compression_methods[i].method));
    }
  a->settings.compresses_all = means & FERRY_MEAN_ZSTD;
  a->settings.means = means;
  set_config(a, config);
}

void ferry_asked_set_unslowed(FerryAsked *a, gboolean unslowed) {
  a->settings.unslowed = unslowed;
}

unsigned ferry_asked_compression(const FerryAsked *a) {
  const json_t *config = a->settings.request.config;
  unsigned bits = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(compression_methods); i++)
    if (ferry_migration_flag_on(config, "compressed") &&
        ferry_json_has_word(json_object_get(config, "compressionMethods"),
                            compression_methods[i].method))
      bits |= compression_methods[i].mean;
  return bits;
}

void ferry_asked_set_auto_converge(FerryAsked *a, int initial, int increment) {
  json_t *config = json_deep_copy(a->settings.request.config);
  ferry_json_set_bool(config, "allowAutoConverge", TRUE);
  ferry_json_set_int(config, "autoConvergeInitial", initial);
  ferry_json_set_int(config, "autoConvergeIncrement", increment);
  set_config(a, config);
  a->settings.request.auto_converge = TRUE;
}

void ferry_asked_set_can_throttle(FerryAsked *a, gboolean can_throttle) {
  a->settings.can_throttle = can_throttle;
}

void ferry_asked_set_disks(FerryAsked *a, json_t *config) {
  set_config(a, config);
  ferry_settings_use(&a->settings, config);
  a->settings.copied_disk_bytes = ferry_json_int(config, "copiedDiskBytes", 0);
}

void ferry_asked_set_copies(FerryAsked *a) {
  a->settings.request.copy_disks = TRUE;
}
