// SPDX-License-Identifier: Apache-2.0
// The table of libvirt's migration flags as people read it.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** docs/flags.md. Free with g_free. */
char *ferry_migration_flags_markdown(void);
/** The part of ferry(1) on these options, as mdoc. Free with g_free. */
char *ferry_migration_flags_man(void);
/** The options as words, and (`values`) only those that take a value. Free with g_free. */
char *ferry_migration_flags_words(gboolean values);

G_END_DECLS
