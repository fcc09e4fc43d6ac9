// SPDX-License-Identifier: Apache-2.0
#include "cli/view/redact.h"
#include "cli/view/redact_secrets.h"
#include <string.h>

/* In small letters, anywhere in a member's name. */
static const char *const secret_words[] = {
    "token",      "secret",       "passw",      "credential", "xml",    "machineid",
    "systemuuid", "last-applied", "privatekey", "apikey",     "cookie", "authorization"};

static gboolean is_secret(const char *key) {
  g_autofree char *lower = g_ascii_strdown(key, -1);
  for (gsize i = 0; i < G_N_ELEMENTS(secret_words); i++)
    if (strstr(lower, secret_words[i]))
      return TRUE;
  return FALSE;
}

static gboolean on_address(const GMatchInfo *match, GString *out, gpointer data) {
  GHashTable *names = data;
  g_autofree char *found = g_match_info_fetch(match, 0);
  const char *name = g_hash_table_lookup(names, found);
  if (!name) {
    char *made = g_strdup_printf("%s-%u", strlen(found) == 17 && found[2] == ':' ? "mac" : "ip",
                                 g_hash_table_size(names) + 1);
    g_hash_table_insert(names, g_strdup(found), made);
    name = made;
  }
  g_string_append(out, name);
  return FALSE;
}

char *ferry_redact_text(const char *text, GHashTable *names) {
  static const char addresses[] =
      "\\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\\b"        /* MAC */
      "|\\b\\d{1,3}(?:\\.\\d{1,3}){3}\\b"                 /* IPv4 */
      "|\\b(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}\\b" /* IPv6 */
      "|\\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4})*::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4})*)?";
  g_autoptr(GRegex) regex = g_regex_new(addresses, 0, 0, NULL);
  g_autofree char *less = ferry_redact_secrets(text);
  char *shown = g_regex_replace_eval(regex, less, -1, 0, 0, on_address, names, NULL);
  return shown ? shown : g_strdup("(redacted)"); /* too much for PCRE */
}

void ferry_redact(json_t *value, GHashTable *names) {
  if (json_is_array(value)) {
    for (size_t i = 0; i < json_array_size(value); i++) {
      json_t *item = json_array_get(value, i);
      g_autofree char *text =
          json_is_string(item) ? ferry_redact_text(json_string_value(item), names) : NULL;
      if (text)
        json_string_set(item, text);
      else
        ferry_redact(item, names);
    }
    return;
  }
  const char *key;
  json_t *member;
  void *next;
  json_object_del(value, "managedFields");
  json_object_foreach_safe(value, next, key, member) {
    if (is_secret(key) && !json_is_boolean(member)) {
      json_object_set_new(value, key, json_string("(redacted)"));
    } else if (json_is_string(member)) {
      g_autofree char *text = ferry_redact_text(json_string_value(member), names);
      json_string_set(member, text);
    } else {
      ferry_redact(member, names);
    }
  }
}
