// SPDX-License-Identifier: Apache-2.0
// Which of libvirt's migration flags and parameters go together, with this VM, on these hosts:
// checked before anything starts, also what libvirt accepts silently or notices only after the
// target's QEMU was started.
#pragma once
#include "model/flags/migration_flags.h"
#include "policy/flags/migration_flags_vm.h"

G_BEGIN_DECLS

/** Adds a cause to `causes` (FERRY_ERROR, INVALID) for every violation: of rules between flags, of
 * the VM's disks and definition, of what the hosts' versions lack. Pure. */
void ferry_migration_flags_check(const FerryFlagsContext *context, GError *causes);

/** Something that a node lacks. */
typedef struct {
  const char *field; /* of the configuration: what asks for it. Static */
  char *text;        /* a sentence that names the node, what is asked for, and a version */
} FerryFlagLack;

/** What `node` lacks of what `config` asks for, a FerryFlagLack each; empty: nothing. `is_target`:
 * also what only a target cannot do: listen there, or what its QEMU does not do together. Free with
 * g_ptr_array_unref. Pure. */
GPtrArray *ferry_migration_flags_lacking(const json_t *config, const json_t *node,
                                         gboolean is_target);

/** Fills in what is left to Ferry once the target and its `address` (may be NULL) are known:
 * which disks are copied (model/domain/copied_disks.h), and parallelConnections of a parallel
 * migration. `origins` (may be NULL) gets "automatic" for it. Pure. */
void ferry_migration_flags_complete(json_t *config, json_t *origins, const json_t *vmi,
                                    const json_t *source, const json_t *target,
                                    const char *address);

/** The rules as a Markdown table, for docs/flags.md. Free with g_free. */
char *ferry_migration_flags_rules_markdown(void);

G_END_DECLS
