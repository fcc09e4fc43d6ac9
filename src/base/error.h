// SPDX-License-Identifier: Apache-2.0
// Errors: one GError domain whose codes are the reasons of the Kubernetes Status object, with
// causes.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** G_DEFINE_EXTENDED_ERROR, whose quark is made while the program is loaded: GLib makes it at its
 * first use without a lock, and two threads whose first errors meet would register the domain
 * twice. */
#define FERRY_DEFINE_ERROR_DOMAIN(TypeName, type_name)                                             \
  G_DEFINE_EXTENDED_ERROR(TypeName, type_name)                                                     \
  __attribute__((constructor)) static void type_name##_register(void) {                            \
    type_name##_quark();                                                                           \
  }

/** Each code maps to one HTTP status and one Kubernetes `reason`. */
typedef enum {
  FERRY_ERROR_INTERNAL,
  FERRY_ERROR_BAD_REQUEST,
  FERRY_ERROR_UNAUTHORIZED,
  FERRY_ERROR_FORBIDDEN,
  FERRY_ERROR_NOT_FOUND,
  FERRY_ERROR_METHOD_NOT_ALLOWED,
  FERRY_ERROR_NOT_ACCEPTABLE,
  FERRY_ERROR_ALREADY_EXISTS,
  FERRY_ERROR_CONFLICT,
  FERRY_ERROR_EXPIRED,
  FERRY_ERROR_TOO_LARGE,
  FERRY_ERROR_UNSUPPORTED_MEDIA_TYPE,
  FERRY_ERROR_INVALID,
  FERRY_ERROR_TOO_MANY_REQUESTS,
  FERRY_ERROR_UNAVAILABLE,
  FERRY_ERROR_TIMEOUT,
} FerryErrorCode;

/** One cause of an INVALID error: `reason` is FieldValueRequired, FieldValueInvalid,
 * FieldValueNotSupported, FieldValueForbidden or FieldValueDuplicate; `field` is a path as
 * "spec.vmiName". */
typedef struct {
  char *reason;
  char *field;
  char *message;
} FerryCause;

/** How a refusal of a field that is not known begins, by which a client of another version knows
 * it.
 */
#define FERRY_UNKNOWN_FIELD_TEXT "unknown field"
#define FERRY_ERROR (ferry_error_quark())
/** The domain of Ferry's errors. */
GQuark ferry_error_quark(void);

/** Adds a cause; `error` must be of the domain FERRY_ERROR. */
void ferry_error_add_cause(GError *error, const char *reason, const char *field, const char *format,
                           ...) G_GNUC_PRINTF(4, 5);
/** How many causes it has; 0 for an error of another domain. */
guint ferry_error_n_causes(const GError *error);
/** The i-th cause, owned by the error. */
const FerryCause *ferry_error_cause(const GError *error, guint i);

/** What an error is about, as a Status' details say it; each may be NULL. `kind` is a kind, or its
 * plural; a `name` that ends with * was to be made. */
typedef struct {
  char *group, *kind, *name;
} FerryErrorAbout;
/** `error` must be of the domain FERRY_ERROR. Copies the words. */
void ferry_error_set_about(GError *error, const char *group, const char *kind, const char *name);
/** Owned by the error; NULL: of another domain. */
const FerryErrorAbout *ferry_error_about(const GError *error);

/** HTTP status of a code, e.g. 404. */
unsigned ferry_error_http_status(int code);
/** Kubernetes reason of a code, e.g. "NotFound". */
const char *ferry_error_reason(int code);
/** The code for an HTTP status and (may be NULL) reason received from a server. */
FerryErrorCode ferry_error_code_from_http(unsigned status, const char *reason);

/** Whether a write failed because somebody else's came between what was read and it, so that to
 * read and write again is worth a try: CONFLICT, ALREADY_EXISTS, NOT_FOUND. */
gboolean ferry_error_came_between(const GError *error);

/** Sets BAD_REQUEST with `text`; FALSE always, to be returned. */
gboolean ferry_error_bad_request(GError **error, const char *text);

G_END_DECLS
