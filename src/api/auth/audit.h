// SPDX-License-Identifier: Apache-2.0
// Who did what, and who was refused: one JSON line for each, in the journal and in a file.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Starts to write: to `path` (NULL: to the journal alone), rotated beyond `max_bytes` with `keep`
 * older files. UNAVAILABLE where the file cannot be opened. */
FerryAudit *ferry_audit_start(const FerryClock *clock, const char *path, gint64 max_bytes,
                              guint keep, GError **error);
/** Writes what waits and stops. NULL is allowed. */
void ferry_audit_stop(FerryAudit *audit);
/** Appends Prometheus text. */
void ferry_audit_metrics(FerryAudit *audit, GString *out);

/** Notes what this request changed in one object: `old` NULL: made it; `object` NULL: removed it.
 * `dry`: would have. Before the answer; the thread that works on the request. */
void ferry_audit_changed(FerryRequest *req, const json_t *old, const json_t *object, gboolean dry);
/** Notes what a request that names no object of a kind was about, such as the node that joined. */
void ferry_audit_about(FerryRequest *req, const char *resource, const char *name);
/** Notes why the request was refused: the reason and the fields, never the words, which may repeat
 * what was sent. */
void ferry_audit_refused(FerryRequest *req, const GError *error);
/** Once a request, when its answer is known: writes a line where the request was a write or was
 * refused, and gives the answer the line's id as its Audit-ID. */
void ferry_audit_request(FerryApi *api, FerryRequest *req);

G_END_DECLS
