// SPDX-License-Identifier: Apache-2.0
#include "cli/view/redact_secrets.h"

#define SECRET_NAME                                                                                \
  "[\\w.-]*(?:passw|passphrase|secret|token|credential|api[-_]?key|private[-_]?key|client[-_]?key" \
  "|cookie)[\\w.-]*"
#define PLACEHOLDER "(redacted)"

typedef struct {
  const char *pattern;
  const char *replacement; /* as g_regex_replace has it */
} RedactRule;

/* In this order: what spans lines first, then long words (which would be
 * dear to the others), then what takes a whole line, then words. */
static const RedactRule redact_rules[] = {
    {"(?s)-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\\z)", PLACEHOLDER},
    {"(?s)<(domain|domainsnapshot|secret|network|pool|volume)[\\s>].*?(?:</\\1>|\\z)", PLACEHOLDER},
    {"\\b[0-9A-Fa-f]{40,}\\b", PLACEHOLDER},
    {"\\b[A-Za-z0-9+_-]{64,}={0,2}", PLACEHOLDER},
    {"(?im)\\b(authorization|proxy-authorization|set-cookie|cookie)(\\s*[:=]\\s*).*$",
     "\\1\\2" PLACEHOLDER},
    {"(?im)^(\\s*" SECRET_NAME "\\s*=\\s*)\\S.*$", "\\1" PLACEHOLDER},
    {"(?i)(" SECRET_NAME "[\"']?\\s*[:=]\\s*)(?:\"[^\"]*\"|'[^']*'|[^\\s,;&<>\"']+)",
     "\\1" PLACEHOLDER},
    {"(?i)\\b((?:key)?data=)[A-Za-z0-9+/_-]{8,}={0,2}", "\\1" PLACEHOLDER}, /* QEMU's secrets */
    {"(?i)\\b(bearer|basic)\\s+[A-Za-z0-9+/._~-]{8,}={0,2}", "\\1 " PLACEHOLDER},
    {"(?i)\\b([a-z][a-z0-9+.-]*://)[^/\\s@:\"']*:[^/\\s@\"']*@", "\\1" PLACEHOLDER "@"},
    {"\\bferry(?:token|session|login)?\\.[0-9a-fA-F]{6,}[A-Za-z0-9._-]*", PLACEHOLDER},
    {"\\beyJ[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*){1,4}", PLACEHOLDER},
};

char *ferry_redact_secrets(const char *text) {
  char *out = g_utf8_make_valid(text, -1);
  for (gsize i = 0; i < G_N_ELEMENTS(redact_rules); i++) {
    g_autoptr(GRegex) regex = g_regex_new(redact_rules[i].pattern, G_REGEX_OPTIMIZE, 0, NULL);
    char *less = g_regex_replace(regex, out, -1, 0, redact_rules[i].replacement, 0, NULL);
    g_free(out);
    /* What PCRE gives up on is not shown at all. */
    out = less ? less : g_strdup(PLACEHOLDER);
  }
  return out;
}
