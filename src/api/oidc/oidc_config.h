// SPDX-License-Identifier: Apache-2.0
// What is configured about a provider of OpenID Connect. Its function is in oidc.c.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** The strings belong to whoever fills this in. What takes one copies them. */
typedef struct {
  char *issuer;          /* URL, equal to a token's `iss`; NULL: no provider */
  char *audience;        /* must be in a token's `aud` */
  char *username_claim;  /* NULL: sub */
  char *groups_claim;    /* NULL: groups */
  char *username_prefix; /* NULL: ISSUER# unless the claim is email; "-": none */
  char *groups_prefix;   /* NULL: none */
  char *jwks;            /* file or URL of the keys; NULL: what the issuer's discovery names */
  char *ca;              /* file of the CAs of the provider's servers; NULL: the system's */
  guint refresh_ms;      /* between fetches of the keys; 0: 10 min */
  guint refetch_ms;      /* at least, before an unknown key makes one more; 0: 10 s */
} FerryOidcConfig;

/** Frees the strings with g_free. */
void ferry_oidc_config_clear(FerryOidcConfig *config);

G_END_DECLS
