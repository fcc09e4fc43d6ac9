// SPDX-License-Identifier: Apache-2.0
// Inside the model only: how columns are made and the cells that are computed.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

#define COLUMN(n, t, p, d)                                                                         \
  { .name = (n), .type = (t), .format = "", .path = (p), .doc = (d) }
#define COLUMN_CELL(n, t, c, d)                                                                    \
  { .name = (n), .type = (t), .format = "", .cell = (c), .doc = (d) }
#define COLUMN_WIDE(n, t, p, d)                                                                    \
  { .name = (n), .type = (t), .format = "", .priority = 1, .path = (p), .doc = (d) }
#define COLUMN_WIDE_CELL(n, t, c, d)                                                               \
  { .name = (n), .type = (t), .format = "", .priority = 1, .cell = (c), .doc = (d) }
#define COLUMN_NAME                                                                                \
  {                                                                                                \
    .name = "Name", .type = "string", .format = "name", .path = "metadata.name",                   \
    .doc = "Name of the object."                                                                   \
  }
/** A column of type "date" prints the age of the time at its path. */
#define COLUMN_AGE COLUMN("Age", "date", "metadata.creationTimestamp", "Time since it was created.")

/* Each returns a new reference, or NULL for an empty cell; `now_ms` (wall clock) is what ages are
 * counted to. */

/** Ready or NotReady, and whether it takes VMs. */
json_t *ferry_cell_node_status(const json_t *object, gint64 now_ms);
/** Why it is not ready. */
json_t *ferry_cell_node_cause(const json_t *object, gint64 now_ms);
/** Memory of the VMs / memory of the host. */
json_t *ferry_cell_node_memory(const json_t *object, gint64 now_ms);
/** Version of the agent. */
json_t *ferry_cell_node_version(const json_t *object, gint64 now_ms);
/** First internal address. */
json_t *ferry_cell_node_internal_ip(const json_t *object, gint64 now_ms);
/** Node on which it runs; with others that have a copy of it, which is an error. */
json_t *ferry_cell_vmi_node(const json_t *object, gint64 now_ms);
/** State of the VM; Silent: its QEMU does not answer. */
json_t *ferry_cell_vmi_phase(const json_t *object, gint64 now_ms);
/** Memory of the guest. */
json_t *ferry_cell_vmi_memory(const json_t *object, gint64 now_ms);
/** Where it is moving to, and how far it is. */
json_t *ferry_cell_vmi_migrating(const json_t *object, gint64 now_ms);
/** Whether it can be moved while it runs. */
json_t *ferry_cell_vmi_live_migratable(const json_t *object, gint64 now_ms);
/** How much is done. */
json_t *ferry_cell_vmim_progress(const json_t *object, gint64 now_ms);
/** Node that it goes to. */
json_t *ferry_cell_vmim_target(const json_t *object, gint64 now_ms);
/** Bytes that remain. */
json_t *ferry_cell_vmim_remaining(const json_t *object, gint64 now_ms);
/** Bytes sent per second. */
json_t *ferry_cell_vmim_rate(const json_t *object, gint64 now_ms);
/** Bytes the guest changes per second. */
json_t *ferry_cell_vmim_dirty_rate(const json_t *object, gint64 now_ms);
/** Time it has taken. */
json_t *ferry_cell_vmim_elapsed(const json_t *object, gint64 now_ms);
/** Pause of the guest. */
json_t *ferry_cell_vmim_downtime(const json_t *object, gint64 now_ms);
/** Why it waits or failed. */
json_t *ferry_cell_vmim_reason(const json_t *object, gint64 now_ms);
/** Time since it last happened. */
json_t *ferry_cell_event_last_seen(const json_t *object, gint64 now_ms);
/** Time since it first happened. */
json_t *ferry_cell_event_first_seen(const json_t *object, gint64 now_ms);
/** The object it happened to. */
json_t *ferry_cell_event_object(const json_t *object, gint64 now_ms);
/** Who saw it, and where. */
json_t *ferry_cell_event_source(const json_t *object, gint64 now_ms);
/** Nodes that have an address in it. */
json_t *ferry_cell_network_nodes(const json_t *object, gint64 now_ms);
/** The role that it gives. */
json_t *ferry_cell_binding_role(const json_t *object, gint64 now_ms);
/** Users who get it. */
json_t *ferry_cell_binding_users(const json_t *object, gint64 now_ms);
/** Groups that get it. */
json_t *ferry_cell_binding_groups(const json_t *object, gint64 now_ms);
/** Tokens and certificates that are good. */
json_t *ferry_cell_user_credentials(const json_t *object, gint64 now_ms);

G_END_DECLS
