// SPDX-License-Identifier: Apache-2.0
// The record of every credential that this control plane gave out, and of what was revoked.
//
// Records are objects of the store that no route serves: their kinds are not among ferry_kinds().
// A credential's record is found by its name ("certificate-SERIAL", "token-ID"), so that several
// servers over one store judge alike, and a revocation is seen by all with the next read.
#pragma once
#include "api/http/api.h"

G_BEGIN_DECLS

/** Of a secret that this server gives out: the number that its record is found by, and what proves
 * it, which is kept as a hash. */
#define FERRY_SECRET_ID_DIGITS 16
#define FERRY_SECRET_BYTES 32

extern const FerryKind ferry_kind_credential; /* one a token or certificate */
extern const FerryKind ferry_kind_revocation; /* one an identity: all until a time is void */

/** A new record; the caller adds `expires` (ms, 0: never) and what else it has. `type` is "token"
 * or "certificate", `id` its number in hexadecimal. New reference. */
json_t *ferry_credential_new(FerryApi *api, const char *type, const char *id, const char *user,
                             gint64 expires_ms, const char *by);
/** The record of FerryUser.credential ("certificate 4a17..."), or NULL. New reference. */
json_t *ferry_credential_find(FerryApi *api, const char *credential);
/** Every record of `user` (of everybody: NULL); elements json_t*, owned by the array. */
GPtrArray *ferry_credential_list(FerryApi *api, const char *user);
/** Commits a new record. */
gboolean ferry_credential_add(FerryApi *api, json_t *record, GError **error);

/** Writes that void each credential of `user` that is good now, `why` being the reason told to who
 * comes with one: the records, and (`identity`) whatever was issued before now without a record.
 * What the writes point at is put into `keep` (arrays). Returns how many records. */
guint ferry_credential_revoke_writes(FerryApi *api, const char *user, gboolean identity,
                                     const char *why, GArray *writes, GPtrArray *keep);
/** Of the certificates of `user` that are good the newest `most` stay, and `shown` (of
 * FerryUser.credential; NULL: none): the others are void, and so is what was issued before them
 * without a record, and their records are gone. Nobody can renew himself a long list. */
void ferry_credential_keep_newest(FerryApi *api, const char *user, const char *shown, guint most);
/** Voids one record from `at_ms` on; already void: as it is. */
gboolean ferry_credential_revoke(FerryApi *api, const char *name, gint64 at_ms, const char *why,
                                 GError **error);
/** Whether a record is void at `now_ms`; `why` (may be NULL) gets the reason, borrowed. Pure. */
gboolean ferry_credential_is_revoked(const json_t *record, gint64 now_ms, const char **why);
/** Whether a record that ends is void or has ended by now. */
gboolean ferry_credential_is_over(FerryApi *api, const json_t *record);
/** Whether the credential of `user` is good by the store: UNAUTHORIZED with the reason. */
gboolean ferry_credential_check(FerryApi *api, const FerryUser *user, GError **error);
/** Removes a record; that it is gone already is no error. Logs a failure. */
void ferry_credential_forget(FerryApi *api, const json_t *record);
/** Removes records of what ended more than a day ago. */
void ferry_credential_expire(FerryApi *api);

G_END_DECLS
