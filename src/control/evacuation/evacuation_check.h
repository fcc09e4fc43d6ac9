// SPDX-License-Identifier: Apache-2.0
// Whether an evacuation's migration of a VM would be taken, as the API judges one that a person
// asks for.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

typedef struct FerryEvacuationCheck FerryEvacuationCheck;

/** Reads `store` once; for as many VMs as are asked about. */
FerryEvacuationCheck *ferry_evacuation_check_new(FerryStore *store);
void ferry_evacuation_check_free(FerryEvacuationCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryEvacuationCheck, ferry_evacuation_check_free)

/** Why no migration can move `vmi` off `node`, whatever the hosts are like now: all reasons, for
 * people, free with g_free. NULL: one can. */
char *ferry_evacuation_check_vm(FerryEvacuationCheck *check, const json_t *vmi, const char *node);

/** Why nobody here moves `vmi` when its host is emptied (policy/place/eviction.h); free with
 * g_free. NULL: it is moved. */
char *ferry_evacuation_check_strategy(FerryEvacuationCheck *check, const json_t *vmi,
                                      const char *node, gboolean *external);

G_END_DECLS
