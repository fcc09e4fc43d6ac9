// SPDX-License-Identifier: Apache-2.0
// The words of a domain's state: libvirt's own, which a host reports, and two more that a
// migration's result may say. Pure; any thread.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What a host reports; ends with NULL. */
extern const char *const ferry_domain_states_reported[];
/** The same, "gone" and "unknown"; ends with NULL. */
extern const char *const ferry_domain_states[];

/** Whether the guest runs; FALSE for NULL. */
gboolean ferry_domain_state_runs(const char *state);
/** Whether there is a guest that runs or can go on: something is lost where it ends. FALSE for
 * NULL. */
gboolean ferry_domain_state_is_alive(const char *state);

G_END_DECLS
