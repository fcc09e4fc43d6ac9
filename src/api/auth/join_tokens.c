// SPDX-License-Identifier: Apache-2.0
// Theory of operation: only hashes are kept, with what node each is for and until when. Strangers
// may show tokens, so that a try costs a stat of the file and a look-up: what was read stays in
// memory and is read again where the file is another one, such as after a person's edit or where it
// was removed. Whatever is taken out is written before anybody is let in by it.
#include "api/auth/join_tokens.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"

#include <string.h>

#define TOKEN_MS ((gint64)24 * 3600 * 1000)
#define MAX_TOKENS 10000
#define MAX_FILE (8 * 1024 * 1024)

struct FerryJoinTokens {
  const FerryClock *clock;
  char *path;
  GMutex lock; /* the rest */
  json_t *all; /* {hash: {node, expires (epoch ms), trust}}; NULL: not read, or not readable */
  struct stat seen;
  guint64 reads;
};

FerryJoinTokens *ferry_join_tokens_open(const char *state_dir, const FerryClock *clock) {
  FerryJoinTokens *tokens = g_new0(FerryJoinTokens, 1);
  tokens->clock = clock;
  tokens->path = g_build_filename(state_dir, "join-tokens.json", NULL);
  g_mutex_init(&tokens->lock);
  return tokens;
}

void ferry_join_tokens_free(FerryJoinTokens *tokens) {
  if (!tokens)
    return;
  json_decref(tokens->all);
  g_mutex_clear(&tokens->lock);
  g_free(tokens->path);
  g_free(tokens);
}

/* ---- the file; the lock is held ---- */

static void forget_read(FerryJoinTokens *tokens) {
  g_clear_pointer(&tokens->all, json_decref);
}

static gboolean join_tokens_read_file(FerryJoinTokens *tokens, GError **error) {
  forget_read(tokens);
  tokens->reads++;
  if (!g_file_test(tokens->path, G_FILE_TEST_EXISTS)) {
    tokens->all = json_object();
    return TRUE;
  }
  gsize len;
  g_autofree char *text = ferry_file_read(tokens->path, MAX_FILE, &len, error);
  g_autoptr(json_t) all = text ? json_loadb(text, len, 0, NULL) : NULL;
  if (json_is_object(all)) {
    tokens->all = g_steal_pointer(&all);
    return TRUE;
  }
  if (error && !*error)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "%s is damaged: remove it (tokens that are not used yet are lost)", tokens->path);
  return FALSE;
}

/* Sees to it that `all` is what the file says. */
static gboolean look_at_file(FerryJoinTokens *tokens, GError **error) {
  gboolean changed = ferry_file_has_changed(tokens->path, &tokens->seen);
  return (tokens->all && !changed) || join_tokens_read_file(tokens, error);
}

/* Without those that have expired. */
static gboolean write_file(FerryJoinTokens *tokens, GError **error) {
  gint64 now = ferry_clock_wall_ms(tokens->clock);
  const char *key;
  json_t *value;
  void *next;
  json_object_foreach_safe(tokens->all, next, key, value) {
    if (ferry_json_int(value, "expires", 0) < now)
      json_object_del(tokens->all, key);
  }
  g_autofree char *text = ferry_json_dump_pretty(tokens->all);
  gboolean ok = ferry_file_write(tokens->path, text, strlen(text), 0600, error);
  forget_read(tokens); /* the file is another one now */
  return ok;
}

static guint count_good(const FerryJoinTokens *tokens) {
  gint64 now = ferry_clock_wall_ms(tokens->clock);
  guint n = 0;
  const char *key;
  json_t *value;
  json_object_foreach(tokens->all, key, value) {
    n += ferry_json_int(value, "expires", 0) >= now;
  }
  return n;
}

/* ---- tokens ---- */

char *ferry_join_tokens_new(FerryJoinTokens *tokens, const char *node, gboolean trust,
                            GError **error) {
  g_autofree char *secret = ferry_random_hex(24);
  g_autofree char *hash = ferry_sha256_hex(secret, strlen(secret));
  gint64 ends = ferry_clock_wall_ms(tokens->clock) + TOKEN_MS;
  g_mutex_lock(&tokens->lock);
  gboolean ok = look_at_file(tokens, error);
  if (ok && count_good(tokens) >= MAX_TOKENS) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
                "%d join tokens are waiting to be used already; they expire after 24 h",
                MAX_TOKENS);
    ok = FALSE;
  }
  if (ok) {
    json_object_set_new(
        tokens->all, hash,
        json_pack("{s:s, s:I, s:b}", "node", node, "expires", (json_int_t)ends, "trust", trust));
    ok = write_file(tokens, error);
  }
  g_mutex_unlock(&tokens->lock);
  return ok ? g_steal_pointer(&secret) : NULL;
}

/* ferry.HASH.NODE.SECRET; a node's name may have dots, so the ends are cut off. */
static gboolean split_token(const char *token, char **node, char **secret) {
  if (strlen(token) > FERRY_JOIN_TOKEN_MAX || !g_str_has_prefix(token, "ferry."))
    return FALSE;
  const char *first = strchr(token + 6, '.'), *last = strrchr(token, '.');
  if (!first || last <= first + 1)
    return FALSE;
  *node = g_strndup(first + 1, (gsize)(last - first - 1));
  *secret = g_strdup(last + 1);
  return TRUE;
}

/* The lock is held. */
static gboolean is_good(const FerryJoinTokens *tokens, const char *hash, const char *node) {
  const json_t *entry = json_object_get(tokens->all, hash);
  return entry && g_strcmp0(ferry_json_str(entry, "node"), node) == 0 &&
         ferry_json_int(entry, "expires", 0) >= ferry_clock_wall_ms(tokens->clock);
}

gboolean ferry_join_tokens_check(FerryJoinTokens *tokens, const char *token, const char *node,
                                 gboolean take, GError **error) {
  g_autofree char *named = NULL;
  g_autofree char *secret = NULL;
  if (!split_token(token, &named, &secret)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "the join token is malformed: expected ferry.<hash>.<node>.<secret>, whole, as "
                "`ferryd token create --node NAME` printed it");
    return FALSE;
  }
  g_autofree char *hash = ferry_sha256_hex(secret, strlen(secret));
  g_mutex_lock(&tokens->lock);
  gboolean readable = look_at_file(tokens, error);
  gboolean ok = readable && is_good(tokens, hash, node) && g_str_equal(named, node);
  if (readable && !ok)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "the join token is not valid for node \"%s\": it was used already, has expired "
                "(24 h), or is for another node; make a new one with `ferryd token create --node "
                "%s`",
                node, node);
  if (ok && take) {
    json_object_del(tokens->all, hash);
    ok = write_file(tokens, error);
  }
  g_mutex_unlock(&tokens->lock);
  return ok;
}

gboolean ferry_join_tokens_trusts(FerryJoinTokens *tokens, const char *token) {
  g_autofree char *named = NULL;
  g_autofree char *secret = NULL;
  if (!split_token(token, &named, &secret))
    return FALSE;
  g_autofree char *hash = ferry_sha256_hex(secret, strlen(secret));
  g_mutex_lock(&tokens->lock);
  gboolean trusts = look_at_file(tokens, NULL) && is_good(tokens, hash, named) &&
                    ferry_json_bool(json_object_get(tokens->all, hash), "trust", FALSE);
  g_mutex_unlock(&tokens->lock);
  return trusts;
}

guint ferry_join_tokens_drop(FerryJoinTokens *tokens, const char *node) {
  g_autoptr(GError) error = NULL;
  guint n = 0;
  g_mutex_lock(&tokens->lock);
  gint64 now = ferry_clock_wall_ms(tokens->clock);
  if (look_at_file(tokens, &error)) {
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(tokens->all, next, key, value) {
      if (node && g_strcmp0(ferry_json_str(value, "node"), node) != 0)
        continue;
      n += ferry_json_int(value, "expires", 0) >= now;
      json_object_del(tokens->all, key);
    }
    if (n)
      write_file(tokens, &error);
  }
  g_mutex_unlock(&tokens->lock);
  if (error)
    ferry_warning("cannot take back join tokens", "FERRY_NODE", node ? node : "(all)",
                  "FERRY_ERROR", error->message);
  return n;
}

guint64 ferry_join_tokens_reads(FerryJoinTokens *tokens) {
  g_mutex_lock(&tokens->lock);
  guint64 n = tokens->reads;
  g_mutex_unlock(&tokens->lock);
  return n;
}
