// SPDX-License-Identifier: Apache-2.0
// The host's domains as this agent last saw them, and which of them have changed since.
//
// Order of locks: the context's is taken inside the inventory's; no other is.
#pragma once
#include "agent/core/context.h"
#include "base/json.h"

G_BEGIN_DECLS

typedef struct _FerryAgentInventory FerryAgentInventory;

/** Empty, and not ready before the domains were listed once. `context` is borrowed. */
FerryAgentInventory *ferry_inventory_new(FerryAgentContext *context);
/** When no thread uses it any more. */
void ferry_inventory_free(FerryAgentInventory *inventory);

/* What has changed; any thread. */
/** The domain is to be looked at: at once where it is `urgent`, else soon, with others. */
void ferry_inventory_mark(FerryAgentInventory *inventory, const char *uuid, gboolean urgent);
/** Everything is to be read anew. */
void ferry_inventory_mark_all(FerryAgentInventory *inventory);
/** The host's network is to be looked at, at once. */
void ferry_inventory_mark_network(FerryAgentInventory *inventory);

typedef enum {
  FERRY_NEWS_ENDED,   /* the agent stops, or is stale */
  FERRY_NEWS_ALL,     /* all is to be read anew */
  FERRY_NEWS_NETWORK, /* the host's network; what else was marked still is */
  FERRY_NEWS_SOME,    /* what is named; none: it is time for a sign of life */
} FerryNews;

/* By the thread that reports. */
/** Waits for news, until `due_us` (monotonic) at most. `marked` gets the UUIDs, NULL but for
 * FERRY_NEWS_SOME; free with g_ptr_array_unref. What was marked is so no more. */
FerryNews ferry_inventory_wait(FerryAgentInventory *inventory, gint64 due_us, GPtrArray **marked);
/** These records (see ferry_host_list) are all there is. From now on the inventory is ready. */
void ferry_inventory_replace(FerryAgentInventory *inventory, const json_t *records);
/** This record is what there is of its domain now (see ferry_host_record). */
void ferry_inventory_remember(FerryAgentInventory *inventory, const json_t *record);
/** There is no domain of that UUID any more. */
void ferry_inventory_forget(FerryAgentInventory *inventory, const char *uuid);
/** What of the needs of all domains only a look at another host answers: a new list of {kind, name}
 * in order, at most FERRY_LOOKS_MAX. */
json_t *ferry_inventory_looks(FerryAgentInventory *inventory);

/** Of the domains that are active: how many, their memory in bytes, their processors. */
typedef struct {
  gint64 running, memory, processors;
} FerryInventoryTotals;

/** Counts them all. */
void ferry_inventory_totals(FerryAgentInventory *inventory, FerryInventoryTotals *out);

/* Any thread. */
/** Whether it was read as a whole: before that nothing can be concluded of what it lacks. */
gboolean ferry_inventory_is_ready(FerryAgentInventory *inventory);
/** The UUID of the VM that `ns`/`vmi_name` names on this host, or NULL. Free with g_free. */
char *ferry_inventory_resolve(FerryAgentInventory *inventory, const char *ns, const char *vmi_name);
/** The name of the domain with that UUID on this host, or NULL. Free with g_free. */
char *ferry_inventory_domain_name(FerryAgentInventory *inventory, const char *uuid);
/** Its memory in bytes; 0: not known. */
gint64 ferry_inventory_domain_memory(FerryAgentInventory *inventory, const char *uuid);

/** Whether `vmi_name` is how ferryd calls a domain of this name and UUID. Pure. */
gboolean ferry_inventory_name_matches(const char *vmi_name, const char *domain_name,
                                      const char *uuid);

G_END_DECLS
