// SPDX-License-Identifier: Apache-2.0
// Credentials of a user: what `ferry user` asks the server for.
#pragma once
#include "cli/core/cli.h"

G_BEGIN_DECLS

#define FERRY_USER_PATH "/apis/ferry.migration/v1/users"

/** What was asked for. All strings are borrowed. */
typedef struct {
  const char *name, *role, *ns;
  gint64 life_s; /* 0: the server's own default */
  gboolean certificate;
} FerryUserWish;

/** The path of a user, or with `action` of its subresource. Free with g_free. */
char *ferry_user_path(const char *name, const char *action);
/** One request with a JSON body (may be NULL). New reference; NULL with an error. */
json_t *ferry_user_send(FerryCli *cli, const char *method, const char *path, const json_t *body,
                        GError **error);
/** A new credential: the server's answer (new reference), or NULL with an error. `*key` gets the
 * private key of a certificate (PEM, free with g_free), which is made here and not sent; it may be
 * set on failure as well. */
json_t *ferry_user_credential(FerryCli *cli, const FerryUserWish *wish, char **key, GError **error);
/** Revokes the credential `id` of the user, in `grace_s` seconds. FALSE with an error. */
gboolean ferry_user_end_credential(FerryCli *cli, const char *name, const char *id, gint64 grace_s,
                                   GError **error);

G_END_DECLS
