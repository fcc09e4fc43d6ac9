// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

typedef struct {
  GPtrArray *causes;
  FerryErrorAbout about;
} FerryErrorPrivate;

static void cause_free(gpointer p) {
  FerryCause *c = p;
  g_free(c->reason);
  g_free(c->field);
  g_free(c->message);
  g_free(c);
}

static void ferry_error_private_init(FerryErrorPrivate *priv) {
  priv->causes = g_ptr_array_new_with_free_func(cause_free);
}

/* GLib has called init on `dest` before. */
static void ferry_error_private_copy(const FerryErrorPrivate *src, FerryErrorPrivate *dest) {
  for (guint i = 0; i < src->causes->len; i++) {
    const FerryCause *c = g_ptr_array_index(src->causes, i);
    FerryCause *d = g_new0(FerryCause, 1);
    d->reason = g_strdup(c->reason);
    d->field = g_strdup(c->field);
    d->message = g_strdup(c->message);
    g_ptr_array_add(dest->causes, d);
  }
  dest->about = (FerryErrorAbout){g_strdup(src->about.group), g_strdup(src->about.kind),
                                  g_strdup(src->about.name)};
}

static void ferry_error_private_clear(FerryErrorPrivate *priv) {
  g_ptr_array_unref(priv->causes);
  g_free(priv->about.group);
  g_free(priv->about.kind);
  g_free(priv->about.name);
}

FERRY_DEFINE_ERROR_DOMAIN(FerryError, ferry_error)

void ferry_error_add_cause(GError *error, const char *reason, const char *field, const char *format,
                           ...) {
  FerryErrorPrivate *priv = ferry_error_get_private(error);
  g_return_if_fail(priv != NULL);
  FerryCause *c = g_new0(FerryCause, 1);
  va_list ap;
  va_start(ap, format);
  c->message = g_strdup_vprintf(format, ap);
  va_end(ap);
  c->reason = g_strdup(reason);
  c->field = g_strdup(field);
  g_ptr_array_add(priv->causes, c);
}

void ferry_error_set_about(GError *error, const char *group, const char *kind, const char *name) {
  FerryErrorAbout *about = &ferry_error_get_private(error)->about;
  g_free(about->group);
  g_free(about->kind);
  g_free(about->name);
  *about = (FerryErrorAbout){g_strdup(group), g_strdup(kind), g_strdup(name)};
}

const FerryErrorAbout *ferry_error_about(const GError *error) {
  return error->domain == FERRY_ERROR ? &ferry_error_get_private(error)->about : NULL;
}

guint ferry_error_n_causes(const GError *error) {
  if (error->domain != FERRY_ERROR)
    return 0;
  return ferry_error_get_private(error)->causes->len;
}

const FerryCause *ferry_error_cause(const GError *error, guint i) {
  return g_ptr_array_index(ferry_error_get_private(error)->causes, i);
}

static const struct {
  unsigned status;
  const char *reason;
} error_codes[] = {
    [FERRY_ERROR_INTERNAL] = {500, "InternalError"},
    [FERRY_ERROR_BAD_REQUEST] = {400, "BadRequest"},
    [FERRY_ERROR_UNAUTHORIZED] = {401, "Unauthorized"},
    [FERRY_ERROR_FORBIDDEN] = {403, "Forbidden"},
    [FERRY_ERROR_NOT_FOUND] = {404, "NotFound"},
    [FERRY_ERROR_METHOD_NOT_ALLOWED] = {405, "MethodNotAllowed"},
    [FERRY_ERROR_NOT_ACCEPTABLE] = {406, "NotAcceptable"},
    [FERRY_ERROR_ALREADY_EXISTS] = {409, "AlreadyExists"},
    [FERRY_ERROR_CONFLICT] = {409, "Conflict"},
    [FERRY_ERROR_EXPIRED] = {410, "Expired"},
    [FERRY_ERROR_TOO_LARGE] = {413, "RequestEntityTooLarge"},
    [FERRY_ERROR_UNSUPPORTED_MEDIA_TYPE] = {415, "UnsupportedMediaType"},
    [FERRY_ERROR_INVALID] = {422, "Invalid"},
    [FERRY_ERROR_TOO_MANY_REQUESTS] = {429, "TooManyRequests"},
    [FERRY_ERROR_UNAVAILABLE] = {503, "ServiceUnavailable"},
    [FERRY_ERROR_TIMEOUT] = {504, "Timeout"},
};

unsigned ferry_error_http_status(int code) {
  return code >= 0 && (gsize)code < G_N_ELEMENTS(error_codes) ? error_codes[code].status : 500;
}

const char *ferry_error_reason(int code) {
  return code >= 0 && (gsize)code < G_N_ELEMENTS(error_codes) ? error_codes[code].reason
                                                              : "InternalError";
}

FerryErrorCode ferry_error_code_from_http(unsigned status, const char *reason) {
  for (gsize i = 0; reason && i < G_N_ELEMENTS(error_codes); i++)
    if (g_str_equal(error_codes[i].reason, reason))
      return (FerryErrorCode)i;
  for (gsize i = 0; i < G_N_ELEMENTS(error_codes); i++)
    if (error_codes[i].status == status)
      return (FerryErrorCode)i;
  return FERRY_ERROR_INTERNAL;
}

gboolean ferry_error_bad_request(GError **error, const char *text) {
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, text);
  return FALSE;
}

gboolean ferry_error_came_between(const GError *error) {
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT) ||
         g_error_matches(error, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS) ||
         g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
}
