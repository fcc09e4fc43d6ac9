// SPDX-License-Identifier: Apache-2.0
// What libvirtd of a host answers and tells: events go through a queue, so that they come late, and
// not at all where the connection broke.
#include "sim/world/hyper_job.h"

typedef struct {
  FerryHostEvent event;
  char *uuid, *detail;
  FerryJobStats stats;
  gint64 due_us;
} Told;

static void told_free(gpointer data) {
  Told *t = data;
  g_free(t->uuid);
  g_free(t->detail);
  g_free(t);
}

gboolean ferry_hyper_call(const FerryWorldPort *port, GError **error) {
  FerryWorldHost *host = port->host;
  guint life = host->life;
  gint64 until = ferry_fiber_now() + FERRY_WORLD_KEEPALIVE_US;
  while (host->hung && host->life == life && !port->process->dead && ferry_fiber_now() < until)
    ferry_fiber_wait(host, until);
  if (!port->process->dead && ferry_hyper_answers(host))
    return TRUE;
  return ferry_hyper_error(error, FERRY_HOST_ERROR_NO_CONNECTION,
                           "libvirt at qemu:///system of %s is not connected", host->name);
}

static gpointer tell_events(gpointer data) {
  FerryWorldPort *port = data;
  while (!port->closed) {
    Told *t = g_queue_peek_head(&port->events);
    if (!t) {
      ferry_fiber_wait(&port->events, -1);
      continue;
    }
    /* a libvirtd that hangs passes nothing on */
    gboolean ours = t->event.type == FERRY_HOST_EVENT_CONNECTED ||
                    t->event.type == FERRY_HOST_EVENT_DISCONNECTED;
    if (ferry_fiber_now() < t->due_us || (port->host->hung && !ours)) {
      ferry_fiber_wait(&port->events,
                       MAX(t->due_us, ferry_fiber_now() + (port->host->hung ? 50000 : 0)));
      continue;
    }
    g_queue_pop_head(&port->events);
    if (!port->process->dead)
      port->func(&t->event, port->data);
    told_free(t);
  }
  return NULL;
}

void ferry_hyper_tell(FerryWorldHost *host, const FerryHostEvent *event) {
  gboolean ours =
      event->type == FERRY_HOST_EVENT_CONNECTED || event->type == FERRY_HOST_EVENT_DISCONNECTED;
  for (guint i = 0; i < host->handles->len; i++) {
    FerryWorldPort *port = host->handles->pdata[i];
    if (!port->func || port->process->dead || (!ours && !host->daemon))
      continue;
    if (event->type == FERRY_HOST_EVENT_DISCONNECTED)
      g_queue_clear_full(&port->events, told_free);
    Told *t = g_new0(Told, 1);
    t->event = *event;
    t->event.uuid = t->uuid = g_strdup(event->uuid);
    t->event.detail = t->detail = g_strdup(event->detail);
    if (event->stats)
      t->stats = *event->stats;
    t->event.stats = event->stats ? &t->stats : NULL;
    t->due_us = ferry_fiber_now() + (event->type == FERRY_HOST_EVENT_CONNECTED
                                         ? ferry_world_between(100, 1000)
                                         : ferry_world_between(1, 8)) *
                                        1000;
    g_queue_push_tail(&port->events, t);
    ferry_fiber_wake(&port->events, TRUE);
  }
}

void ferry_hyper_tell_state(FerryWorldHost *host, const char *uuid, FerryHostPause pause) {
  g_autofree char *copy = g_strdup(uuid);
  ferry_hyper_tell(
      host, &(FerryHostEvent){
                .type = FERRY_HOST_EVENT_STATE, .uuid = copy, .detail = "state", .pause = pause});
}

void ferry_hyper_tell_begin(FerryWorldPort *port) {
  port->teller = ferry_fiber_new(port->process, tell_events, port, TRUE);
}

void ferry_hyper_tell_drop(FerryWorldPort *port) {
  g_queue_clear_full(&port->events, told_free);
}
