// SPDX-License-Identifier: Apache-2.0
// Theory of operation: whoever checks a token takes the keys that are known and never waits. A file
// is looked at when they are taken; a URL is fetched by a thread, at the start, regularly, and once
// more where a token names a key that is not there, at most every few seconds: strangers can invent
// key names. What was fetched last holds while the provider is away.
#include "api/oidc/oidc_keys.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/limits.h"

#include <curl/curl.h>
#include <string.h>

#define REFRESH_MS 600000
#define REFETCH_MS 10000
#define FETCH_TIMEOUT_MS 10000L
#define CONNECT_TIMEOUT_MS 5000L
#define DISCOVERY "/.well-known/openid-configuration"

struct FerryOidcKeys {
  const FerryOidcConfig *config;
  char *path; /* NULL: fetched */
  GMutex lock;
  GCond wake;
  FerryJwks *jwks; /* NULL: none yet */
  struct stat seen;
  gint64 looked_us;
  gint64 fetched_us; /* when the last fetch began */
  gboolean wanted, fetching, failing;
  gint stopping; /* atomic */
  GThread *thread;
};

gboolean ferry_oidc_keys_url_is_safe(const char *url) {
  g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
  const char *host = uri ? g_uri_get_host(uri) : NULL;
  if (!host || !*host || g_uri_get_userinfo(uri))
    return FALSE;
  return g_str_equal(g_uri_get_scheme(uri), "https") ||
         (g_str_equal(g_uri_get_scheme(uri), "http") &&
          (g_str_equal(host, "127.0.0.1") || g_str_equal(host, "::1") ||
           g_str_equal(host, "localhost")));
}

/* ---- a file ---- */

static FerryJwks *oidc_keys_read_file(const char *path, GError **error) {
  gsize len = 0;
  g_autofree char *text = ferry_file_read(path, FERRY_JWKS_MAX, &len, error);
  FerryJwks *jwks = text ? ferry_jwks_parse(text, len, error) : NULL;
  if (text && !jwks)
    g_prefix_error(error, "%s: ", path);
  return jwks;
}

/* Caller holds the lock. */
static void oidc_keys_look(FerryOidcKeys *keys) {
  gint64 now = g_get_monotonic_time();
  if (now - keys->looked_us < FERRY_FILE_LOOK_US)
    return;
  keys->looked_us = now;
  if (!ferry_file_has_changed(keys->path, &keys->seen))
    return;
  g_autoptr(GError) error = NULL;
  FerryJwks *jwks = oidc_keys_read_file(keys->path, &error);
  if (!jwks) {
    ferry_warning("the file of the OpenID Connect provider's keys changed and cannot be read; the "
                  "keys it held before go on to be accepted",
                  "FERRY_ERROR", error->message);
    return;
  }
  ferry_jwks_unref(keys->jwks);
  keys->jwks = jwks;
}

/* ---- a URL ---- */

static size_t on_data(char *data, size_t size, size_t n, void *out) {
  GString *text = out;
  if (text->len + size * n > FERRY_JWKS_MAX)
    return 0;
  g_string_append_len(text, data, (gssize)(size * n));
  return size * n;
}

static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up) {
  FerryOidcKeys *keys = data;
  return g_atomic_int_get(&keys->stopping);
}

static GString *oidc_keys_get(FerryOidcKeys *keys, const char *url, GError **error) {
  char why[CURL_ERROR_SIZE] = "";
  long status = 0;
  GString *text = g_string_new(NULL);
  CURL *c = curl_easy_init();
  curl_easy_setopt(c, CURLOPT_URL, url);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, g_str_has_prefix(url, "http:") ? "http" : "https");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, FETCH_TIMEOUT_MS);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, text);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, keys);
  if (keys->config->ca) {
    curl_easy_setopt(c, CURLOPT_CAINFO, keys->config->ca);
    curl_easy_setopt(c, CURLOPT_CAPATH, NULL); /* nobody whom the system trusts besides */
  }
  CURLcode rc = curl_easy_perform(c);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(c);
  if (rc == CURLE_OK && status == 200)
    return text;
  if (rc == CURLE_OK)
    g_snprintf(why, sizeof why, "the answer was %ld, expected 200", status);
  else if (rc == CURLE_WRITE_ERROR)
    g_snprintf(why, sizeof why, "the answer is larger than 1 MiB");
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "%s: %s", url,
              *why ? why : curl_easy_strerror(rc));
  g_string_free(text, TRUE);
  return NULL;
}

/* The address of the keys, asked from the issuer unless it was configured. */
static char *find_url(FerryOidcKeys *keys, GError **error) {
  const FerryOidcConfig *config = keys->config;
  if (config->jwks)
    return g_strdup(config->jwks);
  gsize len = strlen(config->issuer);
  while (len > 0 && config->issuer[len - 1] == '/')
    len--;
  g_autofree char *url = g_strdup_printf("%.*s" DISCOVERY, (int)len, config->issuer);
  GString *text = oidc_keys_get(keys, url, error);
  if (!text)
    return NULL;
  g_autoptr(json_t) document = ferry_json_parse(text->str, text->len, error);
  g_string_free(text, TRUE);
  if (!document) {
    g_prefix_error(error, "%s: ", url);
    return NULL;
  }
  const char *found = ferry_json_str(document, "jwks_uri");
  if (g_strcmp0(ferry_json_str(document, "issuer"), config->issuer) == 0 && found &&
      ferry_oidc_keys_url_is_safe(found))
    return g_strdup(found);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
              "%s: expected \"issuer\" to be %s and \"jwks_uri\" to be an https URL", url,
              config->issuer);
  return NULL;
}

static FerryJwks *oidc_keys_fetch(FerryOidcKeys *keys, GError **error) {
  g_autofree char *url = find_url(keys, error);
  GString *text = url ? oidc_keys_get(keys, url, error) : NULL;
  if (!text)
    return NULL;
  FerryJwks *jwks = ferry_jwks_parse(text->str, text->len, error);
  g_string_free(text, TRUE);
  if (!jwks)
    g_prefix_error(error, "%s: ", url);
  return jwks;
}

static gint64 refetch_us(const FerryOidcKeys *keys) {
  return (gint64)1000 * (keys->config->refetch_ms ? keys->config->refetch_ms : REFETCH_MS);
}

/* When to fetch next; caller holds the lock. */
static gint64 due_us(const FerryOidcKeys *keys) {
  gint64 refresh =
      (gint64)1000 * (keys->config->refresh_ms ? keys->config->refresh_ms : REFRESH_MS);
  gboolean soon = keys->wanted || keys->failing;
  return keys->fetched_us ? keys->fetched_us + (soon ? refetch_us(keys) : refresh) : 0;
}

/* Caller holds the lock, which is let go meanwhile. */
static void fetch_once(FerryOidcKeys *keys) {
  g_autoptr(GError) error = NULL;
  keys->wanted = FALSE;
  keys->fetching = TRUE;
  keys->fetched_us = g_get_monotonic_time();
  g_mutex_unlock(&keys->lock);
  FerryJwks *jwks = oidc_keys_fetch(keys, &error);
  g_mutex_lock(&keys->lock);
  keys->fetching = FALSE;
  if (!jwks && !keys->failing && !g_atomic_int_get(&keys->stopping))
    ferry_warning(
        "the OpenID Connect provider's keys cannot be fetched; those that are known go on "
        "to be accepted, and it is tried again",
        "FERRY_ERROR", error->message);
  else if (jwks && keys->failing)
    ferry_info("the OpenID Connect provider's keys can be fetched again");
  keys->failing = !jwks;
  if (jwks) {
    ferry_jwks_unref(keys->jwks);
    keys->jwks = jwks;
  }
}

static gpointer fetch_thread(gpointer data) {
  FerryOidcKeys *keys = data;
  g_mutex_lock(&keys->lock);
  while (!g_atomic_int_get(&keys->stopping)) {
    gint64 due = due_us(keys);
    if (due <= g_get_monotonic_time())
      fetch_once(keys);
    else
      g_cond_wait_until(&keys->wake, &keys->lock, due);
  }
  g_mutex_unlock(&keys->lock);
  return NULL;
}

/* ---- both ---- */

FerryOidcKeys *ferry_oidc_keys_start(const FerryOidcConfig *config, GError **error) {
  gboolean is_url = !config->jwks || strstr(config->jwks, "://");
  if (is_url && config->jwks && !ferry_oidc_keys_url_is_safe(config->jwks)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "--oidc-jwks %s: expected a file or a URL https://HOST[:PORT]/PATH", config->jwks);
    return NULL;
  }
  FerryOidcKeys *keys = g_new0(FerryOidcKeys, 1);
  keys->config = config;
  g_mutex_init(&keys->lock);
  g_cond_init(&keys->wake);
  if (is_url) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    keys->thread = g_thread_new("oidc-keys", fetch_thread, keys);
    return keys;
  }
  keys->path = g_strdup(config->jwks);
  ferry_file_has_changed(keys->path, &keys->seen);
  keys->jwks = oidc_keys_read_file(keys->path, error);
  if (keys->jwks)
    return keys;
  g_prefix_error(error, "--oidc-jwks: ");
  ferry_oidc_keys_stop(keys);
  return NULL;
}

void ferry_oidc_keys_stop(FerryOidcKeys *keys) {
  if (!keys)
    return;
  g_mutex_lock(&keys->lock);
  g_atomic_int_set(&keys->stopping, 1);
  g_cond_signal(&keys->wake);
  g_mutex_unlock(&keys->lock);
  if (keys->thread)
    g_thread_join(keys->thread);
  ferry_jwks_unref(keys->jwks);
  g_cond_clear(&keys->wake);
  g_mutex_clear(&keys->lock);
  g_free(keys->path);
  g_free(keys);
}

FerryJwks *ferry_oidc_keys_get(FerryOidcKeys *keys) {
  g_mutex_lock(&keys->lock);
  if (keys->path)
    oidc_keys_look(keys);
  FerryJwks *jwks = keys->jwks ? ferry_jwks_ref(keys->jwks) : NULL;
  g_mutex_unlock(&keys->lock);
  return jwks;
}

gboolean ferry_oidc_keys_want(FerryOidcKeys *keys) {
  if (keys->path)
    return FALSE;
  g_mutex_lock(&keys->lock);
  gboolean soon = keys->fetching || keys->fetched_us + refetch_us(keys) <= g_get_monotonic_time();
  /* too early for one more: it is made as soon as it may be */
  keys->wanted = keys->wanted || !keys->fetching;
  g_cond_signal(&keys->wake);
  g_mutex_unlock(&keys->lock);
  return soon;
}
