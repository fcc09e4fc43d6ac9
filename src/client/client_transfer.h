// SPDX-License-Identifier: Apache-2.0
// What the files of this folder share; nobody else includes it. The functions are in client.c.
#pragma once
#include "base/error.h"
#include "base/json.h"
#include "client/client_config.h"
#include <curl/curl.h>

typedef struct _FerryClient FerryClient; /* client/client.h */
struct _FerryClient {
  FerryClientConfig *config;
  CURL *easy;
  CURLM *multi; /* owns the kept-alive connection */
  char *base;   /* URL without a final slash */
  int ca_fd, cert_fd, key_fd;
  GPtrArray *warnings;     /* NULL-ended */
  gboolean not_understood; /* some answer so far said that the server does not know this */
  char error_text[CURL_ERROR_SIZE];
};

/** What one exchange collects. */
typedef struct {
  FerryClient *client;
  GByteArray *body;
  gsize limit;
  gboolean too_large;
  /* Takes the body of a 2xx answer piece by piece instead of `body`; FALSE stops the exchange. */
  gboolean (*chunk)(const char *data, gsize len, gpointer user);
  gboolean (*tick)(gpointer user);
  gpointer user;
  gboolean stopped;     /* chunk or tick said so */
  gint64 last_byte_us;  /* monotonic */
  gint64 idle_limit_us; /* 0: none */
  gboolean idle;        /* ended because of idle_limit_us */
} FerryTransfer;

/** Runs one exchange. Returns FALSE with an error where no HTTP answer came (or it was cancelled or
 * too large); a stop by callback is TRUE with transfer->stopped. `status` gets the HTTP status. */
gboolean ferry_client_transfer(FerryClient *client, FerryTransfer *transfer, const char *method,
                               const char *path, const json_t *body, const char *content_type,
                               const char *const *headers, gint64 timeout_ms,
                               GCancellable *cancellable, unsigned *status, GError **error);
/** The error that an answer of `server` with a status >= 400 means. */
GError *ferry_client_status_error(const char *server, unsigned status, const char *body, gsize len);
