// SPDX-License-Identifier: Apache-2.0
// The backend that keeps nothing: every transaction succeeds, a restart begins empty.
#include "store/backend.h"

static gboolean memory_load(FerryBackend *backend, FerryBackendLoadFunc row, gpointer user,
                            gint64 *high_water, GError **error) {
  *high_water = 0;
  return TRUE;
}

static gboolean memory_apply(FerryBackend *backend, const FerryBackendRow *rows, gsize n,
                             gint64 high_water, GError **error) {
  return TRUE;
}

FerryBackend *ferry_backend_memory_new(void) {
  FerryBackend *backend = g_new0(FerryBackend, 1);
  backend->load = memory_load;
  backend->apply = memory_apply;
  backend->close = (void (*)(FerryBackend *))g_free;
  return backend;
}
