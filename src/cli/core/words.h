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
/** A Status' message in people's words: `VirtualMachineInstance.kubevirt.io "db" is invalid: x` is
 * told of `VM "db"`, that of a name the server was to make of no name. Free with g_free. Pure. */
char *ferry_words_message(const char *message);

G_END_DECLS
