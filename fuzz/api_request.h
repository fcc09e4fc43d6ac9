// SPDX-License-Identifier: Apache-2.0
// Requests of targets to a FerryApi on a store in memory, behind the HTTP library: no connection.
#pragma once
#include "api/http/request.h"
#include "store/store.h"

typedef struct {
  FerryStore *store;
  FerryApi *api; /* its state is in the scratch directory */
} FuzzApi;

/** Made at the first call, kept for the process. */
const FuzzApi *fuzz_api(void);
/** "admin", "viewer", "h1" to "h9" (a host's agent); anything else is nobody. New reference. */
FerryUser *fuzz_api_user(const char *role);
/** An empty request; free what it holds with fuzz_request_clear. */
void fuzz_request_init(FerryRequest *req);
/** Who, how and which path (without a query): nothing is unescaped. */
void fuzz_request_address(FerryRequest *req, const char *role, const char *method,
                          const char *path);
/** Routes it: it must be answered. */
void fuzz_request_serve(FerryRequest *req);
void fuzz_request_clear(FerryRequest *req);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryRequest, fuzz_request_clear)
