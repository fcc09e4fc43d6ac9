// SPDX-License-Identifier: Apache-2.0
// One VirtualMachineInstance made of what the hosts say of its domain.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Puts one host's record of a domain (see POST .../nodes/NAME/report) into the VMI in place:
 * status.domains, and where this host is the one that has the VM, spec and labels as well. */
void ferry_vmi_merge_record(json_t *vmi, const char *node, const json_t *record, gint64 now_ms);
/** Takes a host's record out of the VMI in place; returns whether it was there. */
gboolean ferry_vmi_remove_node(json_t *vmi, const char *node);
/** Derives phase, nodeName and conditions from status.domains in place. `migrating` tells that a
 * migration of it is active, so that two hosts that have it are no alarm. */
void ferry_vmi_derive(json_t *vmi, gboolean migrating, gint64 now_ms);

/** The object's name for a domain: its own name where that is a DNS label and `taken` says FALSE,
 * else a cleaned form with the UUID's first 8 characters. Free with g_free. */
char *ferry_vmi_name(const char *domain_name, const char *uuid,
                     gboolean (*taken)(const char *name, gpointer data), gpointer data);

G_END_DECLS
