// SPDX-License-Identifier: Apache-2.0
// What waits to be sent of one migration: in order what must arrive, the newest progress, some
// Events. Bounded, whatever is put in, and yet nothing that must arrive is lost: where the queue is
// full, patches become one. No locks: the owner has one.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** So many patches wait for themselves; more than that are merged. */
#define FERRY_OUTBOX_MUST 64
#define FERRY_OUTBOX_EVENTS 32

typedef struct {
  GQueue must, events; /* json_t*, owned */
  json_t *telemetry;   /* NULL: none waits */
  gboolean in_flight;  /* the head of `must` is being sent: it stays as it is */
} FerryOutbox;

/** Empty. Not locked: its owner does that. */
void ferry_outbox_init(FerryOutbox *box);
void ferry_outbox_clear(FerryOutbox *box);

/** A status patch (taken over) that must arrive. Progress that waits is dropped, since what is said
 * later includes it. */
void ferry_outbox_put(FerryOutbox *box, json_t *status);
/** Progress (taken over), in place of what waits. */
void ferry_outbox_put_telemetry(FerryOutbox *box, json_t *status);
/** An Event (taken over); FALSE: there are too many, it is dropped. */
gboolean ferry_outbox_put_event(FerryOutbox *box, json_t *event);

typedef enum {
  FERRY_OUTBOX_NOTHING,
  FERRY_OUTBOX_PATCH,     /* borrowed, until ferry_outbox_sent or ferry_outbox_give_up */
  FERRY_OUTBOX_TELEMETRY, /* the caller's from now on */
  FERRY_OUTBOX_EVENT,     /* the same */
} FerryOutboxKind;
/** What is to be sent next. */
FerryOutboxKind ferry_outbox_next(FerryOutbox *box, json_t **item);
/** The patch that was given out has `arrived`; FALSE: it is next again. */
void ferry_outbox_sent(FerryOutbox *box, gboolean arrived);
/** Nothing can arrive any more. */
void ferry_outbox_give_up(FerryOutbox *box);

/** Whether lists in a status patch are to be merged by their keys, as others write to them too. */
gboolean ferry_outbox_is_keyed(const json_t *status);

G_END_DECLS
