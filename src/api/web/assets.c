// SPDX-License-Identifier: Apache-2.0
// GET /web/...: the page's files, which are part of the program (src/web).
//
// Theory of operation: all files are known at the start and small, so each is compressed once, when
// it is first asked for by anybody, and then kept in both forms with its hash. Nothing here depends
// on who asks, and nothing that a client sends becomes part of an answer. What the page may do in
// the browser is said here for every file: run our own scripts, talk to this server, nothing else;
// no page of anybody may frame it.
#include "api/http/respond.h"
#include "api/web/web.h"
#include "base/random.h"

#include <gio/gio.h>
#include <string.h>

#define PREFIX "/ferry/web/"

GResource *ferry_web_get_resource(void); /* made by glib-compile-resources */

typedef struct {
  GBytes *plain, *packed;
  char *etag;
  const char *type;
} Asset;

static const struct {
  const char *ending, *type;
} asset_types[] = {{".html", "text/html; charset=utf-8"},
                   {".js", "text/javascript; charset=utf-8"},
                   {".css", "text/css; charset=utf-8"},
                   {".svg", "image/svg+xml"},
                   {".txt", "text/plain; charset=utf-8"}};

static const char *const page_headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
     "require-trusted-types-for 'script'; trusted-types 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
    {"Vary", "Accept-Encoding"},
};

static GBytes *assets_pack(GBytes *plain) {
  g_autoptr(GZlibCompressor) gzip = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
  g_autoptr(GOutputStream) out = g_converter_output_stream_new(memory, G_CONVERTER(gzip));
  gsize len;
  const void *data = g_bytes_get_data(plain, &len);
  if (!g_output_stream_write_all(out, data, len, NULL, NULL, NULL) ||
      !g_output_stream_close(out, NULL, NULL))
    return g_bytes_ref(plain);
  return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

static const char *type_of(const char *name) {
  for (gsize i = 0; i < G_N_ELEMENTS(asset_types); i++)
    if (g_str_has_suffix(name, asset_types[i].ending))
      return asset_types[i].type;
  return NULL;
}

static void add_folder(GHashTable *all, GResource *resource, const char *folder) {
  g_autofree char *path = g_strconcat(PREFIX, folder, NULL);
  g_auto(GStrv) names =
      g_resource_enumerate_children(resource, path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  for (gsize i = 0; names && names[i]; i++) {
    g_autofree char *name = g_strconcat(folder, names[i], NULL);
    if (g_str_has_suffix(name, "/")) {
      add_folder(all, resource, name);
      continue;
    }
    g_autofree char *full = g_strconcat(PREFIX, name, NULL);
    GBytes *plain = g_resource_lookup_data(resource, full, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    if (!plain || !type_of(name)) {
      g_clear_pointer(&plain, g_bytes_unref);
      continue;
    }
    Asset *asset = g_new0(Asset, 1);
    gsize len;
    const void *data = g_bytes_get_data(plain, &len);
    g_autofree char *hash = ferry_sha256_hex(data, len);
    asset->plain = plain;
    asset->packed = assets_pack(plain);
    asset->etag = g_strdup_printf("\"%s\"", hash);
    asset->type = type_of(name);
    g_hash_table_insert(all, g_steal_pointer(&name), asset);
  }
}

/* name -> Asset; made once, never freed, read only after that. */
static GHashTable *assets_assets(void) {
  static GHashTable *all;
  static gsize once;
  if (g_once_init_enter(&once)) {
    all = g_hash_table_new(g_str_hash, g_str_equal);
    add_folder(all, ferry_web_get_resource(), "");
    g_once_init_leave(&once, 1);
  }
  return all;
}

static gboolean takes_gzip(FerryRequest *req) {
  const char *accept =
      MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, "Accept-Encoding");
  g_auto(GStrv) codings = g_strsplit(accept ? accept : "", ",", 32);
  for (gsize i = 0; codings[i]; i++) {
    g_auto(GStrv) words = g_strsplit(codings[i], ";", 2);
    if (!words[0] || g_ascii_strcasecmp(g_strstrip(words[0]), "gzip") != 0)
      continue;
    const char *weight = words[1] ? g_strstrip(words[1]) : "";
    return !g_str_has_prefix(weight, "q=0") || strpbrk(weight, "123456789") != NULL;
  }
  return FALSE;
}

static void respond_asset(FerryRequest *req, const Asset *asset) {
  for (gsize i = 0; i < G_N_ELEMENTS(page_headers); i++)
    ferry_respond_header(req, page_headers[i][0], page_headers[i][1]);
  ferry_respond_header(req, "ETag", asset->etag);
  if (req->asked.if_none_match && strstr(req->asked.if_none_match, asset->etag)) {
    ferry_respond_text(req, MHD_HTTP_NOT_MODIFIED, "", "");
    return;
  }
  gboolean packed = takes_gzip(req);
  if (packed)
    ferry_respond_header(req, "Content-Encoding", "gzip");
  ferry_respond_bytes(req, MHD_HTTP_OK, asset->type, packed ? asset->packed : asset->plain);
}

gboolean ferry_serve_web(FerryRequest *req, GError **error) {
  if (!g_str_has_prefix(req->asked.path, "/web/")) { /* relative names in the page need the slash */
    ferry_respond_header(req, "Location", "/web/");
    ferry_respond_text(req, MHD_HTTP_PERMANENT_REDIRECT, "text/plain; charset=utf-8",
                       "the page is at /web/\n");
    return TRUE;
  }
  const char *name = req->asked.path + strlen("/web/");
  const Asset *asset = g_hash_table_lookup(assets_assets(), *name ? name : "index.html");
  if (asset) {
    respond_asset(req, asset);
    return TRUE;
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "the page has no such file");
  return FALSE;
}
