// SPDX-License-Identifier: Apache-2.0
// Theory of operation: bearer tokens that an administrator keeps by hand, in STATE/tokens.json:
// {"tokens":[{"hash":"<SHA-256 in hex>","user":"ci","groups":["viewers"]}]}. The file is looked at
// twice a second at most, when somebody comes with a token, and read again where it has changed.
// While it cannot be read, which is said once, the last content holds: an editor writes in pieces.
// An empty file holds no token, like none.
#include "api/auth/token_file.h"
#include "api/http/request.h"
#include "base/file.h"
#include "base/log.h"
#include "base/limits.h"

#include <string.h>

#define MAX_TOKEN_FILE (1024 * 1024)

struct FerryTokenFile {
  char *path;
  GMutex lock;
  GHashTable *users; /* hash -> FerryUser */
  struct stat seen;
  gint64 looked_us;
};

static gboolean add_entry(GHashTable *users, const char *path, gsize i, const json_t *entry,
                          GError **error) {
  const char *hash = ferry_json_str(entry, "hash"), *name = ferry_json_str(entry, "user");
  if (!hash || strlen(hash) != 64 || !name || !*name) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "%s: tokens[%zu] needs \"hash\" (SHA-256 of the token, 64 hexadecimal digits) and "
                "\"user\"",
                path, i);
    return FALSE;
  }
  g_autoptr(GPtrArray) groups = g_ptr_array_new();
  gsize g;
  json_t *group;
  json_array_foreach(ferry_json_get(entry, "groups"), g, group) {
    if (json_is_string(group) && g < FERRY_API_MAX_GROUPS)
      g_ptr_array_add(groups, (gpointer)json_string_value(group));
  }
  g_ptr_array_add(groups, (gpointer) "system:authenticated");
  g_ptr_array_add(groups, NULL);
  FerryUser *user = ferry_user_new(name, (const char *const *)groups->pdata);
  user->key = g_ascii_strdown(hash, -1);
  user->credential = g_strdup_printf("tokens.json %.16s", user->key);
  g_hash_table_insert(users, g_strdup(user->key), user);
  return TRUE;
}

static GHashTable *read_users(const char *path, GError **error) {
  g_autoptr(GHashTable) users =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)ferry_user_unref);
  if (!g_file_test(path, G_FILE_TEST_EXISTS))
    return g_steal_pointer(&users);
  gsize len;
  g_autofree char *text = ferry_file_read(path, MAX_TOKEN_FILE, &len, error);
  if (!text)
    return NULL;
  if (strspn(text, " \t\r\n") == len) /* who empties it takes all tokens back */
    return g_steal_pointer(&users);
  g_autoptr(json_t) root = ferry_json_parse(text, len, error);
  if (!root) {
    g_prefix_error(error, "%s: ", path);
    return NULL;
  }
  gsize i;
  json_t *entry;
  json_array_foreach(ferry_json_get(root, "tokens"), i, entry) {
    if (!add_entry(users, path, i, entry, error))
      return NULL;
  }
  return g_steal_pointer(&users);
}

/* Caller holds the lock. */
static void token_file_look(FerryTokenFile *file) {
  gint64 now = g_get_monotonic_time();
  if (now - file->looked_us < FERRY_FILE_LOOK_US)
    return;
  file->looked_us = now;
  if (!ferry_file_has_changed(file->path, &file->seen))
    return;
  g_autoptr(GError) error = NULL;
  GHashTable *users = read_users(file->path, &error);
  if (!users) {
    ferry_warning("the file of bearer tokens changed and cannot be read; what it said before holds",
                  "FERRY_ERROR", error->message);
    return;
  }
  g_hash_table_unref(file->users);
  file->users = users;
}

FerryTokenFile *ferry_token_file_open(const char *state_dir, GError **error) {
  g_autofree char *path = g_build_filename(state_dir, "tokens.json", NULL);
  struct stat st = {0};
  ferry_file_has_changed(path, &st);
  GHashTable *users = read_users(path, error);
  if (!users)
    return NULL;
  FerryTokenFile *file = g_new0(FerryTokenFile, 1);
  g_mutex_init(&file->lock);
  file->path = g_steal_pointer(&path);
  file->users = users;
  file->seen = st;
  return file;
}

void ferry_token_file_free(FerryTokenFile *file) {
  if (!file)
    return;
  g_hash_table_unref(file->users);
  g_mutex_clear(&file->lock);
  g_free(file->path);
  g_free(file);
}

FerryUser *ferry_token_file_find(FerryTokenFile *file, const char *hash) {
  g_mutex_lock(&file->lock);
  token_file_look(file);
  FerryUser *user = g_hash_table_lookup(file->users, hash);
  if (user)
    ferry_user_ref(user);
  g_mutex_unlock(&file->lock);
  return user;
}
