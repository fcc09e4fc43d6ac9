// SPDX-License-Identifier: Apache-2.0
#include "host/sim/sim_base.h"
#include <string.h>

double ferry_sim_now(const FerrySimWorld *w) {
  return (double)(g_get_monotonic_time() - w->epoch_us) / 1e6 * w->speed;
}

double ferry_sim_chance(FerrySimWorld *w) {
  w->random ^= w->random << 13;
  w->random ^= w->random >> 17;
  w->random ^= w->random << 5;
  return w->random / 4294967296.0;
}

gboolean ferry_sim_error(GError **error, int code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  GError *e = g_error_new_valist(FERRY_HOST_ERROR, code, format, args);
  va_end(args);
  g_propagate_error(error, e);
  return FALSE;
}

FerrySimHost *ferry_sim_find_host(FerrySimWorld *w, const char *name) {
  g_autofree char *from_uri = NULL;
  const char *scheme =
      name ? strstr(name, "://") : NULL; /* sim, or libvirt's as ferryd builds it */
  if (scheme) {
    const char *begin = scheme + strlen("://");
    from_uri = g_strndup(begin, strcspn(begin, "/?"));
    name = from_uri;
  }
  for (guint i = 0; name && i < w->hosts->len; i++) {
    FerrySimHost *h = w->hosts->pdata[i];
    if (strcmp(h->name, name) == 0)
      return h;
  }
  return NULL;
}

FerrySimInstance *ferry_sim_find(FerrySimHost *host, const char *uuid) {
  return g_hash_table_lookup(host->instances, uuid);
}

void ferry_sim_event_free(gpointer p) {
  FerrySimEvent *e = p;
  g_clear_error(&e->error);
  g_free(e->uuid);
  g_free(e->detail);
  g_free(e);
}

FerrySimEvent *ferry_sim_queue(FerrySimWorld *w, FerrySimHost *host, FerryHostEventType type,
                               const char *uuid, const char *detail) {
  FerrySimEvent *e = g_new0(FerrySimEvent, 1);
  e->host = host;
  e->type = type;
  e->uuid = g_strdup(uuid);
  e->detail = g_strdup(detail);
  g_queue_push_tail(&w->events, e);
  g_cond_broadcast(&w->cond);
  return e;
}

void ferry_sim_tell(FerrySimWorld *w, FerrySimHost *host, FerryHostEventType type, const char *uuid,
                    const char *detail) {
  ferry_sim_queue(w, host, type, uuid, detail);
}

FerrySimInstance *ferry_sim_instance_new(FerrySimHost *host, FerrySimDomain *domain,
                                         const char *name) {
  FerrySimInstance *i = g_new0(FerrySimInstance, 1);
  i->domain = domain;
  i->host = host;
  i->name = g_strdup(name);
  i->state = (FerryDomainState){
      .exists = TRUE, .state = FERRY_VM_SHUTOFF, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  g_hash_table_insert(host->instances, domain->uuid, i);
  return i;
}

void ferry_sim_set_state(FerrySimInstance *i, FerryVmState state, const char *reason) {
  i->state.state = state;
  i->state.reason = reason;
  i->state.active = state != FERRY_VM_SHUTOFF;
  if (!i->state.active)
    i->state.id = -1;
  else if (i->state.id < 0)
    i->state.id = i->host->next_id++;
}

void ferry_sim_instance_stop(FerrySimWorld *w, FerrySimInstance *i, const char *reason,
                             gboolean undefine) {
  ferry_sim_tell(w, i->host, FERRY_HOST_EVENT_STATE, i->domain->uuid, "stopped");
  if (i->state.persistent && !undefine)
    ferry_sim_set_state(i, FERRY_VM_SHUTOFF, reason);
  else
    g_hash_table_remove(i->host->instances, i->domain->uuid);
}
