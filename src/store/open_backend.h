// SPDX-License-Identifier: Apache-2.0
// A store on a backend that the caller brings. It is opened in store.c.
#pragma once
#include "store/backend.h"
#include "store/types.h"

G_BEGIN_DECLS

/** Opens a store on a backend, which it owns from then on, even on failure. */
FerryStore *ferry_store_open_backend(FerryBackend *backend, const FerryStoreOptions *options,
                                     GError **error);

G_END_DECLS
