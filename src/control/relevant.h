// SPDX-License-Identifier: Apache-2.0
// What of all VMs and migrations the placement of one VM looks at, so that it costs what it has to
// do with and not what there is.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

/** All migrations that have not ended, by namespace and name; the array owns its references. */
GPtrArray *ferry_relevant_migrations(FerryStore *store);

/** The VMs that a placement or admission of `vmi` asks for, by namespace and name, each once: `vmi`
 * itself, those whose domain has its domain's name or `renamed` (may be NULL), and those that
 * `migrations` (may be NULL) move. The array owns its references. */
GPtrArray *ferry_relevant_vmis(FerryStore *store, const json_t *vmi, const char *renamed,
                               const GPtrArray *migrations);

/** The same where only a word of a client's is known, which may be the name, UUID or domain's name
 * of a VM in `ns`. All VMs where it is not about one: what is told then concerns all of them. */
GPtrArray *ferry_relevant_vmis_of_word(FerryStore *store, const char *ns, const char *word,
                                       const char *renamed, const GPtrArray *migrations);

/** The VMs that rules of `config` (resolved) about other VMs may mean: those of the namespace of
 * `vmi`. NULL: it has no such rule, and they need not be known. The array owns its references. */
GPtrArray *ferry_relevant_others(FerryStore *store, const json_t *config, const json_t *vmi);

G_END_DECLS
