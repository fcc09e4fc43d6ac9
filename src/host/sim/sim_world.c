// SPDX-License-Identifier: Apache-2.0
// A world's hosts and domains, what goes wrong with them, and what is true of them.
//
// Theory of operation: everything stands under one lock, for moments only; time passes when someone
// looks (a call, or the world's thread when something is due), never by itself. A domain exists
// once, an instance of it on each host that knows it; a migration under way (a transfer) ties two
// instances together. What happens is queued as events, which the world's thread gives out without
// the lock, so that a callback may wait for whom it likes.
#include "base/error.h"
#include "base/limits.h"
#include "host/sim/sim_base.h"
#include "host/sim/sim_run.h"
#include <math.h>
#include <string.h>

static void domain_free(gpointer p) {
  FerrySimDomain *d = p;
  json_decref(d->disks);
  g_free(d->uuid);
  g_free(d->name);
  g_free(d->ns);
  g_free(d);
}

static void instance_free(gpointer p) {
  FerrySimInstance *i = p;
  g_free(i->name);
  g_free(i);
}

static void host_free(gpointer p) {
  FerrySimHost *h = p;
  g_hash_table_unref(h->instances);
  g_hash_table_unref(h->volumes);
  json_decref(h->shared_file_systems);
  g_free(h->name);
  g_free(h->address);
  g_free(h);
}

FerrySimWorld *ferry_sim_world_new(double speed) {
  FerrySimWorld *w = g_new0(FerrySimWorld, 1);
  w->speed = CLAMP(speed, 0.01, 1000);
  w->epoch_us = g_get_monotonic_time();
  w->eps = FERRY_SWITCHOVER_COST_MS / 1000.0;
  w->random = 2463534242u;
  g_mutex_init(&w->dispatch);
  g_mutex_init(&w->lock);
  g_cond_init(&w->cond);
  g_queue_init(&w->events);
  w->hosts = g_ptr_array_new_with_free_func(host_free);
  w->domains = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, domain_free);
  w->handles = g_ptr_array_new();
  w->transfers = g_ptr_array_new_with_free_func(g_free);
  w->thread = g_thread_new("sim-world", ferry_sim_world_thread, w);
  return w;
}

void ferry_sim_world_free(FerrySimWorld *w) {
  if (!w)
    return;
  g_mutex_lock(&w->lock);
  w->stop = TRUE;
  g_cond_broadcast(&w->cond);
  g_mutex_unlock(&w->lock);
  g_thread_join(w->thread);
  g_queue_clear_full(&w->events, ferry_sim_event_free);
  g_ptr_array_unref(w->transfers);
  g_ptr_array_unref(w->handles);
  g_ptr_array_unref(w->hosts);
  g_hash_table_unref(w->domains);
  g_mutex_clear(&w->dispatch);
  g_mutex_clear(&w->lock);
  g_cond_clear(&w->cond);
  g_free(w);
}

static gboolean sim_world_invalid(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean sim_world_invalid(GError **error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  GError *e = g_error_new_valist(FERRY_ERROR, FERRY_ERROR_INVALID, format, args);
  va_end(args);
  g_propagate_error(error, e);
  return FALSE;
}

static gboolean name_is_good(const char *name) {
  gsize n = name ? strlen(name) : 0;
  return n > 0 && n <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n;
}

gboolean ferry_sim_world_add_host(FerrySimWorld *w, const FerrySimHostSpec *spec, GError **error) {
  if (!name_is_good(spec->name))
    return sim_world_invalid(error,
                             "a host is named \"%s\": expected lower-case letters, digits, - and .",
                             spec->name ? spec->name : "");
  if (!(spec->link > 0) || spec->cpus < 1 || spec->memory <= 0)
    return sim_world_invalid(error, "host %s: link, cpus and memory must be more than 0",
                             spec->name);
  g_mutex_lock(&w->lock);
  gboolean ok = w->hosts->len < FERRY_SIM_MAX_HOSTS && !ferry_sim_find_host(w, spec->name);
  if (ok) {
    FerrySimHost *h = g_new0(FerrySimHost, 1);
    h->name = g_strdup(spec->name);
    h->address = g_strdup(spec->address);
    h->shared_file_systems = json_deep_copy(spec->shared_file_systems);
    h->cpus = spec->cpus;
    h->memory = spec->memory;
    h->link = spec->link;
    h->daemon = h->power = TRUE;
    h->next_id = 1;
    h->instances = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, instance_free);
    h->volumes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_ptr_array_add(w->hosts, h);
  }
  g_mutex_unlock(&w->lock);
  return ok ||
         sim_world_invalid(error, "host %s: there is one of that name, or there are %d already",
                           spec->name, FERRY_SIM_MAX_HOSTS);
}

char *ferry_sim_uuid(const char *name) {
  g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
  return g_strdup_printf("%.8s-%.4s-4%.3s-8%.3s-%.12s", hash, hash + 8, hash + 12, hash + 15,
                         hash + 18);
}

gboolean ferry_sim_world_add_domain(FerrySimWorld *w, const char *host,
                                    const FerrySimDomainSpec *spec, GError **error) {
  const FerrySimGuestSpec *g = &spec->guest;
  if (!spec->name || !*spec->name || strlen(spec->name) > 255)
    return sim_world_invalid(
        error, "a domain on %s has no name, or one of more than 255 characters", host);
  if (spec->uuid && !g_uuid_string_is_valid(spec->uuid))
    return sim_world_invalid(error, "domain %s: \"%s\" is no UUID", spec->name, spec->uuid);
  if (!(g->memory > 0) || !(g->zero >= 0) || !(g->working_set >= 0) || !(g->write_rate >= 0) ||
      (guint)g->pattern >= FERRY_SIM_PATTERNS ||
      ((g->pattern == FERRY_SIM_PHASED || g->pattern == FERRY_SIM_BURSTY) &&
       !(g->busy_s + g->quiet_s > 0)))
    return sim_world_invalid(
        error, "domain %s: its guest needs memory, a known pattern and no number below 0",
        spec->name);
  g_autofree char *uuid = spec->uuid ? g_ascii_strdown(spec->uuid, -1) : ferry_sim_uuid(spec->name);
  g_mutex_lock(&w->lock);
  FerrySimHost *h = ferry_sim_find_host(w, host);
  gboolean room = g_hash_table_size(w->domains) < FERRY_SIM_MAX_DOMAINS;
  gboolean fresh = !g_hash_table_contains(w->domains, uuid);
  if (h && room && fresh) {
    FerrySimDomain *d = g_new0(FerrySimDomain, 1);
    d->uuid = g_steal_pointer(&uuid);
    d->name = g_strdup(spec->name);
    d->ns = g_strdup(spec->ns);
    d->disks = spec->disks ? json_deep_copy(spec->disks) : json_array();
    d->guest = *g;
    g_hash_table_insert(w->domains, d->uuid, d);
    FerrySimInstance *i = ferry_sim_instance_new(h, d, d->name);
    i->state.persistent = spec->persistent;
    ferry_sim_set_state(i, FERRY_VM_RUNNING, "booted");
    ferry_sim_tell(w, h, FERRY_HOST_EVENT_STATE, d->uuid, "started");
  }
  g_mutex_unlock(&w->lock);
  if (!h)
    return sim_world_invalid(error, "domain %s: there is no host \"%s\"", spec->name,
                             host ? host : "");
  return (room && fresh) ||
         sim_world_invalid(error, "domain %s: %s", spec->name,
                           room ? "there is one of that UUID" : "there are too many already");
}

char **ferry_sim_world_hosts(FerrySimWorld *w) {
  g_mutex_lock(&w->lock);
  char **names = g_new0(char *, w->hosts->len + 1);
  for (guint i = 0; i < w->hosts->len; i++)
    names[i] = g_strdup(((FerrySimHost *)w->hosts->pdata[i])->name);
  g_mutex_unlock(&w->lock);
  return names;
}

/* What a host's loss of its daemon or its power does to migrations that touch it. */
static void break_transfers(FerrySimWorld *w, FerrySimHost *h, gboolean power) {
  ferry_sim_world_run(w);
  for (guint i = w->transfers->len; i-- > 0;) {
    FerrySimTransfer *t = w->transfers->pdata[i];
    GError *e = NULL;
    if (t->source->host == h) {
      ferry_sim_error(&e, FERRY_HOST_ERROR_NO_CONNECTION,
                      "the connection to libvirt of %s broke in the middle of the call", h->name);
      if (power) {
        ferry_sim_transfer_break(w, t, e);
      } else {
        t->orphan = TRUE;
        ferry_sim_transfer_return(w, t, e);
      }
    } else if (t->target->host == h && (power || t->m.phase != FERRY_SIM_PHASE_POSTCOPY)) {
      ferry_sim_error(&e, FERRY_SIM_ERROR_FAILED,
                      power ? "the migration failed: lost the connection to QEMU on %s"
                            : "the migration failed: lost the connection to libvirt of %s",
                      h->name);
      ferry_sim_transfer_break(w, t, e);
    }
  }
}

static void tell_connection(FerrySimWorld *w, FerrySimHost *h) {
  for (guint i = 0; i < w->handles->len; i++) {
    FerrySimHandle *handle = w->handles->pdata[i];
    if (handle->host == h)
      handle->connected = FALSE;
  }
  gboolean up = h->daemon && h->power;
  ferry_sim_tell(w, h, up ? FERRY_HOST_EVENT_CONNECTED : FERRY_HOST_EVENT_DISCONNECTED, NULL,
                 up ? h->name : "libvirt closed the connection");
}

void ferry_sim_world_set_daemon(FerrySimWorld *w, const char *host, gboolean up) {
  g_mutex_lock(&w->lock);
  FerrySimHost *h = ferry_sim_find_host(w, host);
  if (h && h->daemon != up) {
    if (!up)
      break_transfers(w, h, FALSE);
    h->daemon = up;
    for (guint i = w->transfers->len; up && i-- > 0;) { /* what it finds again it gives up */
      FerrySimTransfer *t = w->transfers->pdata[i];
      if (t->source->host == h && t->orphan && t->m.phase != FERRY_SIM_PHASE_POSTCOPY)
        ferry_sim_transfer_break(w, t, NULL);
    }
    tell_connection(w, h);
  }
  g_mutex_unlock(&w->lock);
}

void ferry_sim_world_set_power(FerrySimWorld *w, const char *host, gboolean on) {
  g_mutex_lock(&w->lock);
  FerrySimHost *h = ferry_sim_find_host(w, host);
  if (h && h->power != on) {
    if (!on)
      break_transfers(w, h, TRUE);
    h->power = on;
    g_autoptr(GList) all = on ? NULL : g_hash_table_get_values(h->instances);
    for (GList *l = all; l; l = l->next)
      ferry_sim_instance_stop(w, l->data, "failed", FALSE);
    tell_connection(w, h);
  }
  g_mutex_unlock(&w->lock);
}

void ferry_sim_world_set_link(FerrySimWorld *w, const char *host, double bytes_per_s) {
  g_mutex_lock(&w->lock);
  FerrySimHost *h = ferry_sim_find_host(w, host);
  if (h) {
    ferry_sim_world_run(w);
    h->link = MAX(1, bytes_per_s);
    ferry_sim_share_links(w);
  }
  g_mutex_unlock(&w->lock);
}

void ferry_sim_world_lose_samples(FerrySimWorld *w, const char *host, double share) {
  g_mutex_lock(&w->lock);
  FerrySimHost *h = ferry_sim_find_host(w, host);
  if (h)
    h->lose_samples = share;
  g_mutex_unlock(&w->lock);
}

int ferry_sim_world_running(FerrySimWorld *w, const char *uuid, char **host) {
  int n = 0;
  g_mutex_lock(&w->lock);
  ferry_sim_world_run(w);
  for (guint i = 0; i < w->hosts->len; i++) {
    FerrySimHost *h = w->hosts->pdata[i];
    const FerrySimInstance *instance = ferry_sim_find(h, uuid);
    if (!instance || instance->state.state != FERRY_VM_RUNNING)
      continue;
    n++;
    if (host) {
      g_free(*host);
      *host = g_strdup(h->name);
    }
  }
  g_mutex_unlock(&w->lock);
  return n;
}

gboolean ferry_sim_world_last(FerrySimWorld *w, const char *uuid, FerrySimMoved *out) {
  g_mutex_lock(&w->lock);
  const FerrySimDomain *d = g_hash_table_lookup(w->domains, uuid);
  gboolean known = d && d->moved;
  if (known)
    *out = d->last;
  g_mutex_unlock(&w->lock);
  return known;
}
