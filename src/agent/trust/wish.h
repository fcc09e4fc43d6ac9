// SPDX-License-Identifier: Apache-2.0
// How the agent, which may not do it itself, has libvirt's TLS set up: a file that systemd waits
// for.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Leaves the wish in the state directory; a failure is logged. */
void ferry_trust_wish_leave(const char *state_dir);
/** Takes it back, so that it is done once. */
void ferry_trust_wish_take(const char *state_dir);

G_END_DECLS
