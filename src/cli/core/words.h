// SPDX-License-Identifier: Apache-2.0
// What people call the kinds: hosts, VMs, migrations, policies.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** The kind that people call so ("host", "vms", "migration"), in any case; NULL: none. Pure. */
const FerryKind *ferry_words_kind(const char *word);
/** The i-th of these words ("host", "vm"), in small letters; NULL: there are no more. Static. Pure.
 */
const char *ferry_words_nth(gsize i);
/** What people call the kind (or plural) that a Status' details name: "VM"; NULL: it has no other
 * name. Static. Pure. */
const char *ferry_words_said(const char *group, const char *kind);

G_END_DECLS
