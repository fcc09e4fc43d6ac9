// SPDX-License-Identifier: Apache-2.0
// Which versions of libvirt cannot take a post-copy migration that is resumed.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What happens where libvirt `version` ("11.3.0"; NULL: not known) is the target of a resumed
 * post-copy migration, static; NULL: nothing bad that is known. Pure. */
const char *ferry_resume_defect(const char *version);
/** From which version on it is fixed, static; NULL where there is no defect. Pure. */
const char *ferry_resume_fixed_in(const char *version);

G_END_DECLS
