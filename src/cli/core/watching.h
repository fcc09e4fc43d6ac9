// SPDX-License-Identifier: Apache-2.0
// What the verbs share that wait until something has ended: Ctrl-C, and a server that stays away.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** From here on Ctrl-C (SIGINT) no longer ends the program but is noted; what was noted before is
 * forgotten. Until ferry_watching_end; one caller at a time, in the main thread. */
void ferry_watching_begin(void);
/** Ctrl-C does again what it did before ferry_watching_begin. What was noted is kept. */
void ferry_watching_end(void);
/** Whether Ctrl-C was pressed since ferry_watching_begin or ferry_watching_forget. May be called
 * from a watch's callbacks. */
gboolean ferry_watching_interrupted(void);
/** Ctrl-C was answered: the next one is a new one. */
void ferry_watching_forget(void);

/** Whether `why` is an error that passes by itself (the server is away, or late), and the server
 * has not been away for longer than FERRY_CLI_RETRY_LIMIT_MS. `*lost_us` (monotonic) is when it was
 * first found away, 0 while it is not: it is set here, and the caller clears it when the server
 * answers. */
gboolean ferry_watching_passes(gint64 *lost_us, const GError *why);

/** The path of a watch of `object` alone, of that kind, from its resourceVersion on. Free with
 * g_free. */
char *ferry_watching_path(const FerryKind *kind, const json_t *object);
/** GET of what `object`, of that kind, is now. New reference; NULL with an error (NOT_FOUND: it was
 * deleted). */
json_t *ferry_watching_get(FerryCli *cli, const FerryKind *kind, const json_t *object,
                           GError **error);

G_END_DECLS
