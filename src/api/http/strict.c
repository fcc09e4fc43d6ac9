// SPDX-License-Identifier: Apache-2.0
// Theory of operation: libmicrohttpd 0.9.75 is lenient, and hides that from its user. What it shows
// is judged by its value; what it hides, by where things lie: it parses the request in place, so
// the method, the URI, the version, each header's name and value are pointers into one buffer, in
// which each CR and LF was made a NUL. In a request without anything odd they follow each other
// with known gaps; anything that was dropped or joined leaves another gap. Only addresses are
// compared, nothing between them is read.
//
// What 0.9.75 does with what a strict parser refuses:
//   shown by value          a blank before the colon (stays in the name); two lengths, two hosts,
//                           length with chunks (all are listed, though it goes by the first);
//                           other transfer codings (it would read to the connection's end);
//                           a bare CR or a control character in a value; control characters in
//                           the URI, and %00 (decoded); a blank in the URI; HTTP/1.1 without Host;
//                           a version that is not 1.0 or 1.1 (some it refuses by itself)
//   shown by gaps alone     a NUL in the URI or in a value (it ends there), a value folded over
//                           lines (joined), a line that ends with LF alone, more than one blank
//                           between the parts of the request line
//   answered by itself      a header too large for its memory (431, 414), a line without a colon,
//                           a length that is no number (400), a chunk's size that is no number,
//                           one that is too large (413): all closed
//   hidden for good         a NUL in the last header's value (all after it is dropped from it, and
//                           from what is authorised: nothing is smuggled), LF alone at the end of
//                           the last header and of the empty line, empty lines before the request
//                           line, chunk extensions and LF alone between chunks, trailers (their
//                           values reach nobody), a name in another case
// A refusal closes the connection: where its length is in doubt, so is where the next request
// begins.
#include "api/http/strict.h"
#include "api/http/request.h"

#include <string.h>

#define MAX_URI 8192
#define MAX_HEADERS 100
#define MAX_HEADER_BYTES (32 * 1024)

unsigned ferry_strict_uri(const char *uri, const char **why) {
  gsize len = strlen(uri);
  *why = "the URL is longer than 8192 bytes";
  if (len > MAX_URI)
    return MHD_HTTP_URI_TOO_LONG;
  *why = "the URL must begin with a slash: send a path, no absolute URL";
  if (*uri != '/')
    return MHD_HTTP_BAD_REQUEST;
  *why = "the URL holds a control character, a blank or a NUL byte (%00)";
  for (const char *p = uri; *p; p++)
    if ((guchar)*p <= 0x20 || *p == 0x7f)
      return MHD_HTTP_BAD_REQUEST;
  if (strstr(uri, "%00"))
    return MHD_HTTP_BAD_REQUEST;
  guint parameters = 1;
  for (const char *p = strchr(uri, '&'); p; p = strchr(p + 1, '&'))
    parameters++;
  *why = "the URL has more than 64 parameters";
  if (parameters > FERRY_API_MAX_QUERY)
    return MHD_HTTP_BAD_REQUEST;
  *why = "the URL holds a \"%\" without two hexadecimal digits after it";
  for (const char *p = strchr(uri, '%'); p; p = strchr(p + 1, '%'))
    if (!g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
      return MHD_HTTP_BAD_REQUEST;
  return 0;
}

static gboolean is_token(const char *text) {
  static const char other[] = "!#$%&'*+-.^_`|~";
  for (const char *p = text; *p; p++)
    if (!g_ascii_isalnum(*p) && !strchr(other, *p))
      return FALSE;
  return *text != '\0';
}

/* What was seen of the header so far. */
typedef struct {
  const char *expected; /* where the next name has to begin */
  guint n, lengths, hosts, codings, types, authorizations, origins, cookies;
  gsize bytes;
  gboolean bad_name, bad_value, gap, chunked, bad_length;
} Seen;

static void judge_length(Seen *seen, const char *value) {
  seen->lengths++;
  for (const char *p = value; *p; p++)
    seen->bad_length |= !g_ascii_isdigit(*p);
  seen->bad_length |= !*value;
}

static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind, const char *key,
                                 const char *value) {
  Seen *seen = data;
  value = value ? value : "";
  seen->n++;
  seen->bytes += strlen(key) + strlen(value);
  seen->gap |= key != seen->expected;
  seen->expected = value + strlen(value) + 2;
  seen->bad_name |= !is_token(key);
  for (const char *p = value; *p; p++)
    seen->bad_value |= ((guchar)*p < 0x20 && *p != '\t') || *p == 0x7f;
  seen->hosts += g_ascii_strcasecmp(key, "Host") == 0;
  seen->types += g_ascii_strcasecmp(key, "Content-Type") == 0;
  seen->authorizations += g_ascii_strcasecmp(key, "Authorization") == 0;
  seen->origins += g_ascii_strcasecmp(key, "Origin") == 0;
  seen->cookies += g_ascii_strcasecmp(key, "Cookie") == 0;
  if (g_ascii_strcasecmp(key, "Content-Length") == 0)
    judge_length(seen, value);
  if (g_ascii_strcasecmp(key, "Transfer-Encoding") == 0) {
    seen->codings++;
    seen->chunked = g_ascii_strcasecmp(value, "chunked") == 0;
  }
  return MHD_YES;
}

/* The library copies nothing while it parses, in the version that this was seen with; another one
 * may, and is judged by values alone. */
static gboolean shows_gaps(void) {
  return g_str_equal(MHD_get_version(), "0.9.75");
}

static gboolean line_has_gap(const FerryRequestLine *line) {
  return line->uri != line->method + strlen(line->method) + 1 ||
         line->version != line->uri + line->uri_len + 1;
}

static unsigned judge_line(const FerryRequestLine *line, const char *path, const char **why) {
  gboolean old = g_str_equal(line->version, MHD_HTTP_VERSION_1_0);
  *why = "the version of HTTP is not served here: use HTTP/1.1";
  if (!old && !g_str_equal(line->version, MHD_HTTP_VERSION_1_1))
    return MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED;
  *why = "the method is not a token of HTTP";
  if (!is_token(line->method))
    return MHD_HTTP_BAD_REQUEST;
  *why = "the method is not served here";
  if (g_str_equal(line->method, "CONNECT") || g_str_equal(line->method, "TRACE"))
    return MHD_HTTP_METHOD_NOT_ALLOWED;
  *why = "the URL's path holds a control character";
  for (const char *p = path; *p; p++)
    if ((guchar)*p < 0x20 || *p == 0x7f)
      return MHD_HTTP_BAD_REQUEST;
  *why = "the request line holds a NUL byte, or more than one blank between its parts";
  return shows_gaps() && line_has_gap(line) ? MHD_HTTP_BAD_REQUEST : 0;
}

static unsigned judge_framing(const Seen *seen, gboolean old, const char **why) {
  *why = "two Content-Length headers, or one that is not a number";
  if (seen->lengths > 1 || seen->bad_length)
    return MHD_HTTP_BAD_REQUEST;
  *why = "Content-Length and Transfer-Encoding, or two Transfer-Encodings: the body's length would "
         "be in doubt";
  if (seen->codings > 1 || (seen->codings && seen->lengths))
    return MHD_HTTP_BAD_REQUEST;
  *why = "a Transfer-Encoding other than chunked, in HTTP/1.1, is not known here";
  return seen->codings && (!seen->chunked || old) ? MHD_HTTP_NOT_IMPLEMENTED : 0;
}

unsigned ferry_strict_header(FerryRequest *req, const FerryRequestLine *line, const char *path,
                             const char **why) {
  unsigned status = judge_line(line, path, why);
  if (status)
    return status;
  gboolean old = g_str_equal(line->version, MHD_HTTP_VERSION_1_0);
  Seen seen = {.expected = line->version + strlen(line->version) + 2};
  MHD_get_connection_values(req->connection, MHD_HEADER_KIND, on_header, &seen);
  *why = "more than 100 header fields, or more than 32 KiB of them";
  if (seen.n > MAX_HEADERS || seen.bytes > MAX_HEADER_BYTES)
    return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
  *why = "a header's name holds a blank or another character that names don't have";
  if (seen.bad_name)
    return MHD_HTTP_BAD_REQUEST;
  *why = "a header's value holds a control character";
  if (seen.bad_value)
    return MHD_HTTP_BAD_REQUEST;
  *why = "two Host headers";
  if (seen.hosts > 1)
    return MHD_HTTP_BAD_REQUEST;
  *why = "no Host header: from version 1.1 on HTTP asks for one";
  if (seen.hosts == 0 && !old)
    return MHD_HTTP_BAD_REQUEST;
  *why = "two Content-Type, Authorization, Origin or Cookie headers";
  if (seen.types > 1 || seen.authorizations > 1 || seen.origins > 1 || seen.cookies > 1)
    return MHD_HTTP_BAD_REQUEST;
  if ((status = judge_framing(&seen, old, why)))
    return status;
  *why = "a header holds a NUL byte, goes on over several lines, or has a line that doesn't end "
         "with CR and LF";
  return seen.gap && shows_gaps() ? MHD_HTTP_BAD_REQUEST : 0;
}
