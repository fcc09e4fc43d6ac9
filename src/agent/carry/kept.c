// SPDX-License-Identifier: Apache-2.0
#include "agent/carry/kept.h"
#include "base/log.h"
#include "model/domain/domain_parts.h"
#include "model/flags/migration_flags.h"

#define RECORD_BYTES (256 * 1024)

static json_t *kept_copy(const json_t *from, const char *key) {
  const json_t *value = json_object_get(from, key);
  return value ? json_deep_copy(value) : NULL;
}

void ferry_kept_recall(FerryKept *k, const json_t *migration) {
  const json_t *record = ferry_json_get(migration, "status.migrationState.kept");
  *k = (FerryKept){.live = kept_copy(record, "live"),
                   .stored = kept_copy(record, "stored"),
                   .checkpoints = kept_copy(record, "checkpoints")};
}

void ferry_kept_clear(FerryKept *k) {
  json_decref(k->live);
  json_decref(k->stored);
  json_decref(k->checkpoints);
  g_free(k->nvram);
  g_free(k->stored_xml);
  g_free(k->redefined);
  *k = (FerryKept){0};
}

gboolean ferry_kept_look(FerryKept *k, FerryHostJob *job, GError **error) {
  ferry_kept_clear(k);
  g_autoptr(json_t) seen = ferry_host_job_definition(job, error);
  if (!seen)
    return FALSE;
  k->live = ferry_domain_parts(ferry_json_str(seen, "live"));
  k->stored = ferry_domain_parts(ferry_json_str(seen, "stored"));
  if (json_array_size(json_object_get(seen, "checkpoints")))
    k->checkpoints = kept_copy(seen, "checkpoints");
  k->nvram = g_strdup(ferry_json_str(seen, "nvram"));
  k->stored_xml = k->stored ? ferry_host_job_stored(job, error) : NULL;
  return !k->stored || k->stored_xml;
}

json_t *ferry_kept_record(const FerryKept *k) {
  if (!k->live && !k->stored && !k->checkpoints)
    return NULL;
  g_autoptr(json_t) record = json_object();
  if (k->live)
    json_object_set(record, "live", k->live);
  if (k->stored)
    json_object_set(record, "stored", k->stored);
  if (k->checkpoints)
    json_object_set(record, "checkpoints", k->checkpoints);
  if (json_dumpb(record, NULL, 0, JSON_COMPACT) > RECORD_BYTES) {
    ferry_warning("too much is known of the VM's definition to be recorded: an agent that takes "
                  "over cannot carry it along");
    return NULL;
  }
  return g_steal_pointer(&record);
}

/* Whether `xml` is what was stored before. */
static gboolean kept_is_as_before(const FerryKept *k, const char *xml) {
  if (k->stored_xml)
    return g_strcmp0(k->stored_xml, xml) == 0;
  g_autoptr(json_t) parts =
      ferry_domain_parts(xml); /* an earlier agent saw it, and recorded this */
  return !k->stored || (parts && json_equal(parts, k->stored));
}

void ferry_kept_see(FerryKept *k, FerryHostJob *job, gboolean told) {
  g_autofree char *xml = job ? ferry_host_job_stored(job, NULL) : NULL;
  if (!xml) { /* what was read before may not be the last one */
    k->missed = k->missed || told;
    return;
  }
  k->missed = FALSE;
  g_clear_pointer(&k->redefined, g_free);
  if (!kept_is_as_before(k, xml))
    k->redefined = g_steal_pointer(&xml);
}

/* One that runs brings it along. */
static gboolean kept_brings_nvram(const FerryKept *k) {
  return k->nvram && !k->live;
}

gboolean ferry_kept_has_load(const FerryKept *k) {
  return k->redefined || k->missed || k->checkpoints || kept_brings_nvram(k);
}

/* ---- at the target ---- */

void ferry_kept_news_clear(FerryKeptNews *news) {
  g_free(news->given);
  g_free(news->lost);
  g_free(news->changed);
  *news = (FerryKeptNews){0};
}

static void kept_say(char **text, const char *more) {
  char *whole = *text ? g_strconcat(*text, "; ", more, NULL) : g_strdup(more);
  g_free(*text);
  *text = whole;
}

static void kept_say_names(char **text, const char *of, const json_t *names) {
  g_autoptr(GString) all = g_string_new(of);
  for (gsize i = 0; i < json_array_size(names); i++)
    g_string_append_printf(all, "%s%s", i ? ", " : "", json_string_value(json_array_get(names, i)));
  if (json_array_size(names))
    kept_say(text, all->str);
}

/* Why a definition that was stored meanwhile is not the target's; NULL: it may be. */
static const char *keeps_own_definition(const json_t *config) {
  if (ferry_json_str(config, "persistentXML"))
    return "the migration has a persistent definition of its own (persistentXML)";
  if (ferry_json_str(config, "destinationName"))
    return "the VM has another name there (destinationName)";
  if (!ferry_migration_persists(config, TRUE)) /* on the source it has a definition: this one */
    return "the VM is transient there";
  return NULL;
}

/* What the target is to be given. New reference. */
static json_t *load_of(const FerryKept *k, const FerryKeptPlace *place, FerryKeptNews *news) {
  json_t *load = json_object();
  const char *why = keeps_own_definition(place->config);
  if (k->redefined && !why)
    ferry_json_set_str(load, "stored", k->redefined);
  if (k->missed || (k->redefined && why)) {
    g_autofree char *text = g_strdup_printf(
        "a definition that was stored while the VM moved is not there (%s): define it there again",
        k->missed ? "libvirt removed it at the source before it could be read" : why);
    kept_say(&news->lost, text);
  }
  if (k->checkpoints)
    json_object_set(load, "checkpoints", k->checkpoints);
  if (kept_brings_nvram(k))
    ferry_json_set_str(load, "nvram", k->nvram);
  else if (k->nvram && ferry_migration_flag_on(place->config, "offline"))
    kept_say(&news->lost, "the content of the NVRAM, which the VM is using");
  return load;
}

static void tell_refused(const json_t *given, FerryKeptNews *news) {
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(given, "refused"), i, one) {
    g_autofree char *text =
        g_strdup_printf("%s (%s)", ferry_json_str(one, "what"), ferry_json_str(one, "why"));
    kept_say(&news->lost, text);
  }
}

/* What of the load is not among `refused`. New reference. */
static json_t *names_of(const json_t *load, const json_t *refused) {
  json_t *names = json_array();
  if (ferry_json_str(load, "stored") && !ferry_json_find(refused, "what", "definition"))
    json_array_append_new(names, json_string("the definition that was stored while it moved"));
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(load, "checkpoints"), i, one) {
    g_autofree char *what = g_strdup_printf("checkpoint %s", ferry_json_str(one, "name"));
    if (!ferry_json_find(refused, "what", what))
      json_array_append_new(names, json_string(what));
  }
  return names;
}

static void compare_kept(const json_t *before, const char *xml, const char *of,
                         const json_t *config, FerryKeptNews *news) {
  g_autoptr(json_t) now = ferry_domain_parts(xml);
  if (!before || !now)
    return;
  g_autoptr(json_t) was = json_copy((json_t *)before);
  if (ferry_json_str(config, "destinationName")) {
    json_object_del(was, "name");
    json_object_del(now, "name");
  }
  g_autoptr(json_t) names = ferry_domain_parts_changed(was, now);
  kept_say_names(&news->changed, of, names);
}

static void compare_all(const FerryKept *k, const FerryKeptPlace *place, const json_t *given,
                        FerryKeptNews *news) {
  const json_t *config = place->config;
  g_autoptr(json_t) redefined = ferry_domain_parts(k->redefined);
  if (!ferry_json_str(config, "destinationXML"))
    compare_kept(k->live, ferry_json_str(given, "live"), "of the running VM: ", config, news);
  if (!ferry_json_str(config, "persistentXML") &&
      !ferry_json_find(json_object_get(given, "refused"), "what", "definition"))
    compare_kept(redefined && !keeps_own_definition(config) ? redefined : k->stored,
                 ferry_json_str(given, "stored"), "of its stored definition: ", config, news);
}

/* libvirt's last step at the target stores the definition: one that failed there leaves a VM that
 * is gone when it stops. */
static void give_definition(const FerryKept *k, const FerryKeptPlace *place, const json_t *given,
                            FerryKeptNews *news) {
  if (!k->stored || ferry_json_str(given, "stored") ||
      !ferry_migration_persists(place->config, TRUE) ||
      ferry_json_find(json_object_get(given, "refused"), "what", "definition"))
    return;
  g_autoptr(json_t) load = json_object();
  if (k->stored_xml && !keeps_own_definition(place->config))
    ferry_json_set_str(load, "stored", k->stored_xml);
  g_autoptr(json_t) again =
      json_object_size(load)
          ? ferry_host_peer_give(place->host, place->peer_uri, place->uuid, load, NULL)
          : NULL;
  if (ferry_json_str(again, "stored"))
    kept_say(&news->given, "its stored definition, which libvirt had not stored there");
  else
    kept_say(&news->lost,
             "its stored definition: the VM is transient there, and gone once it stops "
             "(define it there again)");
}

void ferry_kept_give(FerryKept *k, const FerryKeptPlace *place, FerryKeptNews *news) {
  g_autoptr(GError) error = NULL;
  if (!k->live && !k->stored && !ferry_kept_has_load(k))
    return;
  g_autoptr(json_t) load = load_of(k, place, news);
  g_autoptr(json_t) given =
      ferry_host_peer_give(place->host, place->peer_uri, place->uuid, load, &error);
  if (given) {
    tell_refused(given, news);
    g_autoptr(json_t) names = names_of(load, json_object_get(given, "refused"));
    if (ferry_json_bool(given, "nvramGiven", FALSE))
      json_array_append_new(names, json_string("the content of the NVRAM"));
    kept_say_names(&news->given, "", names);
    give_definition(k, place, given, news);
    compare_all(k, place, given, news);
  } else if (g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN)) {
    ferry_kept_news_clear(news); /* it is not there: its end says so */
  } else if (json_object_size(load)) {
    g_autoptr(json_t) names = names_of(load, NULL);
    g_autofree char *text = g_strdup_printf(
        "%s could not be given (%s): ", place->target ? place->target : "the target",
        error->message);
    kept_say_names(&news->lost, text, names);
  }
  ferry_kept_clear(k);
}
