// SPDX-License-Identifier: Apache-2.0
// Where the writes of one migration go: an interface with two ends, ferryd (delivery_server.h) and
// this host's local socket (delivery_local.h).
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef struct _FerryDelivery FerryDelivery;
typedef enum {
  FERRY_DELIVERED,
  FERRY_DELIVERY_PENDING, /* not within the time */
  FERRY_DELIVERY_GONE,    /* the object is no more */
  FERRY_DELIVERY_REFUSED, /* the server refused the latest for good; see the log */
  FERRY_DELIVERY_STOPPED, /* stale epoch, or the agent ends */
} FerryDeliveryResult;

/** What an end does; none of it waits, but for `flush`. The json_t are taken over. */
typedef struct {
  void (*send)(FerryDelivery *d, json_t *status);
  void (*telemetry)(FerryDelivery *d, json_t *status);
  void (*event)(FerryDelivery *d, json_t *event);
  FerryDeliveryResult (*flush)(FerryDelivery *d, gint64 timeout_ms);
  void (*live)(FerryDelivery *d, gboolean on); /* may be NULL: nobody listens for it */
  void (*free)(FerryDelivery *d);
} FerryDeliveryOps;

/* Ends embed this as their first member. */
struct _FerryDelivery {
  const FerryDeliveryOps *ops;
};

/** Hands over a status patch (taken over) that must arrive: repeated until it does. */
void ferry_delivery_send(FerryDelivery *d, json_t *status);
/** Hands over progress (a status patch, taken over): the newest counts, tried once. */
void ferry_delivery_telemetry(FerryDelivery *d, json_t *status);
/** Hands over an Event about the migration `object`; tried once. */
void ferry_delivery_tell(FerryDelivery *d, const json_t *object, const char *type,
                         const char *reason, const char *message);
/** Waits until all that must arrive has, at most `timeout_ms` (-1: for ever). */
FerryDeliveryResult ferry_delivery_flush(FerryDelivery *d, gint64 timeout_ms);
/** From now on (`on`) a sign of life is sent whenever nothing else was for a second, whatever keeps
 * the owner busy: the target's agent goes by it (twin/arrival.h). */
void ferry_delivery_live(FerryDelivery *d, gboolean on);
/** What must arrive is tried on until it has, or the agent ends. NULL is fine. */
void ferry_delivery_free(FerryDelivery *d);

G_END_DECLS
