// SPDX-License-Identifier: Apache-2.0
#include "agent/link/delivery_local.h"

typedef struct {
  FerryDelivery base;
  FerryDeliverySink sink;
  gpointer data;
} LocalEnd;

static void sink_item(FerryDelivery *base, json_t *item, gboolean event) {
  const LocalEnd *d = (LocalEnd *)base;
  d->sink(item, event, d->data);
  json_decref(item);
}

static void sink_status(FerryDelivery *base, json_t *status) {
  sink_item(base, status, FALSE);
}

static void sink_event(FerryDelivery *base, json_t *event) {
  sink_item(base, event, TRUE);
}

static FerryDeliveryResult local_flush(FerryDelivery *base, gint64 timeout_ms) {
  return FERRY_DELIVERED;
}

static void local_free(FerryDelivery *base) {
  g_free(base);
}

FerryDelivery *ferry_delivery_local_new(FerryDeliverySink sink, gpointer data) {
  static const FerryDeliveryOps ops = {sink_status, sink_status, sink_event, local_flush,
                                       .free = local_free};
  LocalEnd *d = g_new(LocalEnd, 1);
  *d = (LocalEnd){{&ops}, sink, data};
  return &d->base;
}
