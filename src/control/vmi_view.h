// SPDX-License-Identifier: Apache-2.0
// One VirtualMachineInstance made of what the hosts say of its domain.
#pragma once
#include "control/vmi_owner.h"

G_BEGIN_DECLS

/** Puts one host's record of a domain (see POST .../nodes/NAME/report) into status.domains of the
 * VMI, in place. Elements of `record` are shared: it must not be changed afterwards. */
void ferry_vmi_merge_record(json_t *vmi, const char *node, const json_t *record, gint64 now_ms);
/** Takes a host's record out of the VMI in place; returns whether it was there. */
gboolean ferry_vmi_remove_node(json_t *vmi, const char *node);
/** Derives from status.domains, in place: which host has the VM, by that host's word its spec and
 * labels, and phase and conditions. Two hosts that have it are no alarm while ferryd moves it. */
void ferry_vmi_derive(json_t *vmi, const FerryVmiContext *context, gint64 now_ms);

/** The object's name for a domain: its own name where that is a DNS label and `taken` says FALSE,
 * else a cleaned form with the UUID's first 8 characters. Free with g_free. */
char *ferry_vmi_name(const char *domain_name, const char *uuid,
                     gboolean (*taken)(const char *name, gpointer data), gpointer data);

G_END_DECLS
