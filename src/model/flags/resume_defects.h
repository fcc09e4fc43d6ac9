// SPDX-License-Identifier: Apache-2.0
// Which versions of libvirt can resume a post-copy migration that broke, and which must not. Pure;
// any thread.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What happens where libvirt `version` ("11.3.0"; NULL: not known) is the target of a resumed
 * post-copy migration, static; NULL: nothing bad that is known. */
const char *ferry_resume_defect(const char *version);
/** From which version on it is fixed, static; NULL where there is no defect. */
const char *ferry_resume_fixed_in(const char *version);
/** Whether a migration between two hosts of these versions may be resumed: both are known and know
 * how to, and the target does not die of it. */
gboolean ferry_resume_is_allowed(const char *source, const char *target);

G_END_DECLS
