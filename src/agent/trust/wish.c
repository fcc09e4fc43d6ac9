// SPDX-License-Identifier: Apache-2.0
#include "agent/trust/wish.h"
#include "base/file.h"
#include "base/log.h"
#include <glib/gstdio.h>

static char *wish_path(const char *state_dir) {
  return g_build_filename(state_dir, "trust-wanted", NULL);
}

void ferry_trust_wish_leave(const char *state_dir) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = wish_path(state_dir);
  if (!ferry_file_write(path, "", 0, 0600, &error))
    ferry_warning("cannot ask for libvirt's TLS on this host", "FERRY_ERROR", error->message);
}

void ferry_trust_wish_take(const char *state_dir) {
  g_autofree char *path = wish_path(state_dir);
  g_unlink(path);
}
