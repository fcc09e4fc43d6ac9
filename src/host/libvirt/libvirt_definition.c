// SPDX-License-Identifier: Apache-2.0
// What a domain is, for a comparison before and after a migration, and what libvirt leaves behind
// of it: checkpoints, which it forgets (their bitmaps stay in the images), a definition that is
// stored while the migration runs, which it takes and loses, and the NVRAM of a VM that is off.
#include "host/libvirt/libvirt_definition.h"
#include "host/libvirt/storage/disks_xml.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_job_ask.h"
#include "host/libvirt/storage/libvirt_nvram.h"
#include "host/libvirt/libvirt_state.h"

#define GIVE_MS 20000

/* NULL: libvirt said no, and has its error. */
static json_t *definition_checkpoint(virDomainCheckpointPtr checkpoint) {
  char *xml = virDomainCheckpointGetXMLDesc(checkpoint, VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN);
  json_t *one =
      xml ? json_pack("{s:s, s:s}", "name", virDomainCheckpointGetName(checkpoint), "xml", xml)
          : NULL;
  free(xml);
  return one;
}

static gboolean add_checkpoints(virDomainPtr domain, json_t *out, GError **error) {
  virDomainCheckpointPtr *all = NULL;
  gboolean ok = TRUE;
  int n = virDomainListAllCheckpoints(domain, &all, VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL);
  if (n < 0) {
    const virError *e = virGetLastError();
    if (!e || e->code != VIR_ERR_NO_SUPPORT)
      return ferry_libvirt_error(error, "cannot list the domain's checkpoints");
    virResetLastError(); /* it knows of none */
    n = 0;
  }
  json_t *list = json_array();
  for (int i = 0; i < n; i++) {
    json_t *one = ok ? definition_checkpoint(all[i]) : NULL;
    ok = ok && json_array_append_new(list, one) == 0;
    virDomainCheckpointFree(all[i]);
  }
  free(all);
  json_object_set_new(out, "checkpoints", list);
  return ok || ferry_libvirt_error(error, "cannot read a checkpoint of the domain");
}

static gboolean add_xml(virDomainPtr domain, json_t *out, const char *key, unsigned flags,
                        GError **error) {
  char *xml = virDomainGetXMLDesc(domain, flags);
  if (!xml)
    return ferry_libvirt_error(error, "cannot read the domain's XML");
  ferry_json_set_str(out, key, xml);
  free(xml);
  return TRUE;
}

static void add_nvram(json_t *out) {
  const char *stored = ferry_json_str(out, "stored");
  g_autofree char *path = ferry_disks_nvram_path(stored ? stored : ferry_json_str(out, "live"));
  if (path)
    ferry_json_set_str(out, "nvram", path);
}

static json_t *definition_of(virDomainPtr domain, GError **error) {
  FerryDomainState state;
  g_autoptr(json_t) out = json_object();
  if (!ferry_libvirt_state(domain, &state, error))
    return NULL;
  if (!state.exists) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN, "the domain is gone");
    return NULL;
  }
  if ((state.active && !add_xml(domain, out, "live", 0, error)) ||
      (state.persistent && !add_xml(domain, out, "stored", VIR_DOMAIN_XML_INACTIVE, error)) ||
      !add_checkpoints(domain, out, error))
    return NULL;
  add_nvram(out);
  return g_steal_pointer(&out);
}

static gboolean read_definition(FerryLibvirtAsk *a, GError **error) {
  a->found = definition_of(a->domain, error);
  return a->found != NULL;
}

json_t *ferry_libvirt_job_definition(FerryHostJob *job, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask =
      ferry_libvirt_ask_new(ferry_libvirt_job_host(job), read_definition);
  if (!ferry_libvirt_ask_job(job, ask, TRUE, FERRY_ASK_CALL_MS, error))
    return NULL;
  return g_steal_pointer(&ask->found);
}

/* `text` is left NULL where nothing is stored. */
static gboolean read_stored(FerryLibvirtAsk *a, GError **error) {
  int persistent = virDomainIsPersistent(a->domain);
  char *xml = persistent == 1
                  ? virDomainGetXMLDesc(a->domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)
                  : NULL;
  a->text = g_strdup(xml);
  free(xml);
  return a->text || persistent == 0 ||
         ferry_libvirt_error(error, "cannot read the domain's stored XML");
}

char *ferry_libvirt_job_stored(FerryHostJob *job, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(ferry_libvirt_job_host(job), read_stored);
  if (!ferry_libvirt_ask_job(job, ask, TRUE, FERRY_ASK_CALL_MS, error))
    return NULL;
  return g_steal_pointer(&ask->text);
}

/* ---- at another host ---- */

static void note_refused(json_t *refused, const char *what) {
  const virError *e = virGetLastError();
  json_array_append_new(refused, json_pack("{s:s, s:s}", "what", what, "why",
                                           e && e->message ? e->message : "no reason given"));
  virResetLastError();
}

static void give_stored(virConnectPtr conn, const json_t *load, json_t *refused) {
  const char *xml = ferry_json_str(load, "stored");
  virDomainPtr defined = xml ? virDomainDefineXML(conn, xml) : NULL;
  if (xml && !defined)
    note_refused(refused, "definition");
  if (defined)
    virDomainFree(defined);
}

static void give_checkpoint(virDomainPtr domain, const json_t *one, json_t *refused) {
  const char *xml = ferry_json_str(one, "xml"), *name = ferry_json_str(one, "name");
  virDomainCheckpointPtr made =
      virDomainCheckpointCreateXML(domain, xml ? xml : "", VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
  g_autofree char *what = g_strdup_printf("checkpoint %s", name ? name : "?");
  if (!made)
    note_refused(refused, what);
  else
    virDomainCheckpointFree(made);
}

/* Whether there was one to give, and it is there. */
static gboolean give_nvram(FerryLibvirtAsk *a, virConnectPtr conn, json_t *refused) {
  const char *path = ferry_json_str(a->json, "nvram");
  g_autoptr(GError) error = NULL;
  gboolean copied = FALSE;
  if (path && !(a->conn && ferry_libvirt_nvram_copy(a->conn, conn, path, &copied, &error)))
    json_array_append_new(refused,
                          json_pack("{s:s, s:s}", "what", "NVRAM", "why",
                                    error ? error->message : "this host's libvirt is away"));
  return copied;
}

static json_t *take_gift(FerryLibvirtAsk *a, virDomainPtr domain, virConnectPtr conn,
                         GError **error) {
  const json_t *load = a->json;
  json_t *refused = json_array(), *one;
  gsize i;
  gboolean nvram = give_nvram(a, conn, refused);
  give_stored(conn, load, refused);
  json_array_foreach(json_object_get(load, "checkpoints"), i, one)
      give_checkpoint(domain, one, refused);
  json_t *given = definition_of(domain, error);
  if (given) {
    json_object_set(given, "refused", refused);
    ferry_json_set_bool(given, "nvramGiven", nvram);
  }
  json_decref(refused);
  return given;
}

static gboolean ask_to_take(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = virConnectOpen(a->text);
  if (!conn)
    return ferry_libvirt_error(error, "cannot ask the other host's libvirt");
  virDomainPtr domain = ferry_libvirt_lookup(conn, a->uuid, error);
  a->found =
      domain && ferry_libvirt_ask_is_wanted(a, error) ? take_gift(a, domain, conn, error) : NULL;
  if (domain)
    virDomainFree(domain);
  virConnectClose(conn);
  return a->found != NULL;
}

json_t *ferry_libvirt_peer_give(FerryHost *host, const char *uri, const char *uuid,
                                const json_t *load, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new((FerryLibvirtHost *)host, ask_to_take);
  ask->uuid = g_strdup(uuid);
  ask->json = json_deep_copy(load);
  ask->peer_ms = GIVE_MS;
  if (ferry_json_str(load, "nvram"))
    ask->conn = ferry_libvirt_ref((FerryLibvirtHost *)host, NULL);
  return ferry_libvirt_ask_peer(ask, "give", uri, error) ? g_steal_pointer(&ask->found) : NULL;
}

/* ---- what is left of a migration ---- */

static gboolean undefine_domain(virDomainPtr domain, GError **error) {
  return virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM |
                                            VIR_DOMAIN_UNDEFINE_KEEP_TPM) == 0 ||
         ferry_libvirt_error(error, "cannot remove what is left of the domain");
}

/* libvirt neither undefines nor destroys a domain that is transient and does not run; one that is
 * stored it does undefine. */
static gboolean forget_zombie(virConnectPtr conn, virDomainPtr zombie, GError **error) {
  char *xml = virDomainGetXMLDesc(zombie, 0);
  virDomainPtr stored = xml ? virDomainDefineXML(conn, xml) : NULL;
  gboolean ok = stored ? undefine_domain(stored, error)
                       : ferry_libvirt_error(error, "cannot remove what is left of the domain");
  if (stored)
    virDomainFree(stored);
  free(xml);
  return ok;
}

/* Of one that is not active. */
static gboolean forget_inactive(FerryLibvirtAsk *a, virConnectPtr conn, virDomainPtr domain,
                                const FerryDomainState *state, GError **error) {
  if (!state->persistent)
    return forget_zombie(conn, domain, error);
  return !a->value || undefine_domain(domain, error);
}

/* FALSE with an error: it could not be found out. `*domain` NULL: there is none. */
static gboolean find_left(FerryLibvirtAsk *a, virConnectPtr conn, virDomainPtr *domain,
                          FerryDomainState *state, GError **error) {
  g_autoptr(GError) absent = NULL;
  *domain = ferry_libvirt_lookup(conn, a->uuid, &absent);
  if (*domain)
    return ferry_libvirt_state(*domain, state, error);
  if (g_error_matches(absent, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN))
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&absent));
  return FALSE;
}

static gboolean ask_to_forget(FerryLibvirtAsk *a, GError **error) {
  FerryDomainState state = {.state = FERRY_VM_GONE};
  virDomainPtr domain;
  gboolean ok = find_left(a, a->conn, &domain, &state, error);
  if (ok && domain && state.exists && !state.active)
    ok =
        ferry_libvirt_ask_is_wanted(a, error) && forget_inactive(a, a->conn, domain, &state, error);
  if (domain)
    virDomainFree(domain);
  return ok;
}

gboolean ferry_libvirt_forget(FerryHost *base, const char *uuid, gboolean definition,
                              GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, ask_to_forget);
  ask->conn = ferry_libvirt_ref(host, error);
  ask->uuid = g_strdup(uuid);
  ask->value = definition;
  return ask->conn && ferry_libvirt_ask(ask, uuid, FERRY_ASK_DAEMON, FERRY_ASK_STATE_MS, error);
}

/* A transient one is gone with its end. */
static gboolean end_waiting(virDomainPtr domain, FerryDomainState *state, GError **error) {
  if (!ferry_domain_state_waits(state)) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
                "the domain is active there (%s)", ferry_vm_state_name(state->state));
    return FALSE;
  }
  if (virDomainDestroy(domain) < 0)
    return ferry_libvirt_error(error, "cannot end the copy that waits there");
  return ferry_libvirt_state(domain, state, error);
}

static gboolean ask_peer_to_forget(FerryLibvirtAsk *a, GError **error) {
  FerryDomainState state = {.state = FERRY_VM_GONE};
  virDomainPtr domain = NULL;
  virConnectPtr conn = virConnectOpen(a->text);
  if (!conn)
    return ferry_libvirt_error(error, "cannot ask the other host's libvirt");
  gboolean ok = find_left(a, conn, &domain, &state, error);
  if (ok && domain && state.active)
    ok = ferry_libvirt_ask_is_wanted(a, error) && end_waiting(domain, &state, error);
  if (ok && domain && state.exists)
    ok = ferry_libvirt_ask_is_wanted(a, error) && forget_inactive(a, conn, domain, &state, error);
  if (domain)
    virDomainFree(domain);
  virConnectClose(conn);
  return ok;
}

gboolean ferry_libvirt_peer_forget(FerryHost *base, const char *uri, const char *uuid,
                                   gboolean definition, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask =
      ferry_libvirt_ask_new((FerryLibvirtHost *)base, ask_peer_to_forget);
  ask->uuid = g_strdup(uuid);
  ask->value = definition;
  return ferry_libvirt_ask_peer(ask, "forget", uri, error);
}
