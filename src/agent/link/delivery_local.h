// SPDX-License-Identifier: Apache-2.0
// The local socket's end of delivery: what would be written to a server is handed to a function at
// once, in the thread of who writes, and so has always arrived.
#pragma once
#include "agent/link/delivery.h"

G_BEGIN_DECLS

/** Gets each status patch, or Event, borrowed. */
typedef void (*FerryDeliverySink)(const json_t *item, gboolean event, gpointer data);
/** A delivery that hands everything to `sink` at once, in the thread that delivers. Free with
 * ferry_delivery_free. */
FerryDelivery *ferry_delivery_local_new(FerryDeliverySink sink, gpointer data);

G_END_DECLS
