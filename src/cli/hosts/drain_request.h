// SPDX-License-Identifier: Apache-2.0
// Asking for a host's evacuation, and taking it back: what drain and undrain send.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** POSTs a new Evacuation of `host`; `dry`: what it would be, and nothing is changed. New
 * reference; NULL with the server's error. */
json_t *ferry_drain_post(FerryCli *cli, const char *host, gboolean dry, GError **error);
/** Says what is wrong with --deadline; FALSE: nothing is. */
gboolean ferry_drain_deadline_bad(FerryCli *cli);
/** The Evacuation of `host` that is under way, else a new one, with
 * the deadline that is asked for. New reference; NULL with an error.
 */
json_t *ferry_drain_begin(FerryCli *cli, const char *host, GError **error);
/** Opens the host, then deletes its evacuations (one cordons only once, as it begins). `*ended` is
 * raised by how many of them were under way. FALSE with an error; the host may be open then. */
gboolean ferry_drain_undo(FerryCli *cli, const char *host, guint *ended, GError **error);
/** Prints that the host takes VMs again; `ended` as ferry_drain_undo counts. */
void ferry_drain_tell_open(const char *host, guint ended);

G_END_DECLS
