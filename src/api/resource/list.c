// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a list goes out from the objects' texts as they are stored, which are held
// and never copied together (list_body.h); only who
// asks for a table, metadata, YAML, indents or another version's spelling has them parsed. Pages of
// a limited list are read from the store as it was at the first one's revision (store/page.h), so
// nothing is kept for whoever asks for one: what is needed to go on is in the token, which says
// where the last page ended. It is good for the list that it came with, and as long as the store
// keeps the changes since.
#include "api/resource/list.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/lookup/made.h"
#include "api/resource/list_body.h"
#include "api/resource/read.h"
#include "model/listing/table.h"
#include "base/random.h"
#include "store/page.h"

#include <string.h>

#define CHUNK 500 /* objects that are looked through at a time where some are selected */

/* Where a page begins. */
typedef struct {
  gint64 at;       /* revision, 0: the newest */
  gsize told;      /* objects of the pages before */
  char *ns, *name; /* that it follows, or NULL */
} ListCursor;

static void list_cursor_clear(ListCursor *cursor) {
  g_free(cursor->ns);
  g_free(cursor->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListCursor, list_cursor_clear)

typedef struct {
  FerrySelector *labels, *fields;
} ListSelection;

static void list_selection_clear(ListSelection *selection) {
  ferry_selector_free(selection->labels);
  ferry_selector_free(selection->fields);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListSelection, list_selection_clear)

/* ---- tokens ---- */

/* What a list was authorised for, as one word: its pages are for whoever asks for just that. */
static char *selection_of(const FerryRequest *req) {
  const char *labels = ferry_query(req, "labelSelector");
  const char *fields = ferry_query(req, "fieldSelector");
  g_autofree char *text = g_strjoin("\n", req->found.kind->group, req->found.kind->plural,
                                    req->found.ns ? req->found.ns : "", labels ? labels : "",
                                    fields ? fields : "", NULL);
  char *hash = ferry_sha256_hex(text, strlen(text));
  hash[16] = '\0';
  return hash;
}

static char *list_make_token(const FerryRequest *req, const ListCursor *cursor) {
  g_autofree char *of = selection_of(req);
  g_autofree char *text =
      g_strdup_printf("ferry2:%" G_GINT64_FORMAT ":%zu:%s:%s:%s", cursor->at, cursor->told, of,
                      cursor->ns ? cursor->ns : "", cursor->name);
  return g_base64_encode((const guchar *)text, strlen(text));
}

static void list_set_expired(GError **error) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED,
              "The provided continue parameter is too old to display a consistent list result. "
              "You must start a new list without the continue parameter.");
}

static gboolean list_read_token(const FerryRequest *req, const char *token, ListCursor *cursor,
                                GError **error) {
  gsize len = 0;
  guint64 told;
  g_autofree guchar *raw = strlen(token) < 1024 ? g_base64_decode(token, &len) : NULL;
  g_autofree char *text = raw ? g_strndup((const char *)raw, len) : g_strdup("");
  g_auto(GStrv) parts = g_strsplit(text, ":", 6);
  if (parts[0] && g_str_equal(parts[0], "ferry1")) { /* an earlier version's */
    list_set_expired(error);
    return FALSE;
  }
  if (g_strv_length(parts) != 6 || !g_str_equal(parts[0], "ferry2") || !*parts[5] ||
      !g_utf8_validate(text, -1, NULL) ||
      !g_ascii_string_to_signed(parts[1], 10, 1, G_MAXINT64, &cursor->at, NULL) ||
      !g_ascii_string_to_unsigned(parts[2], 10, 0, G_MAXUINT32, &told, NULL)) {
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
        "continue: the key is not valid: use metadata.continue of the page before, unchanged");
    return FALSE;
  }
  g_autofree char *of = selection_of(req);
  if (!g_str_equal(of, parts[3])) {
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
        "continue: the key is of another list: namespace, labelSelector and fieldSelector must "
        "be those of the page before");
    return FALSE;
  }
  cursor->told = (gsize)told;
  cursor->ns = g_strdup(parts[4]);
  cursor->name = g_strdup(parts[5]);
  return TRUE;
}

/* Where a list without a token begins. */
static gboolean list_begin(FerryRequest *req, ListCursor *cursor, GError **error) {
  gint64 wanted, newest = ferry_store_revision(req->api->store);
  if (!ferry_query_int(req, "resourceVersion", 0, &wanted, error))
    return FALSE;
  const char *match = ferry_query(req, "resourceVersionMatch");
  if (match && *match && !ferry_query(req, "resourceVersion")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "resourceVersionMatch: Forbidden: it says how resourceVersion is meant, which is "
                "not there");
    return FALSE;
  }
  if (wanted > newest)
    return ferry_set_too_new(wanted, newest, error);
  if (match && g_str_equal(match, "Exact"))
    cursor->at = wanted;
  return TRUE;
}

/* ---- objects ---- */

static gboolean list_selects(const FerryRequest *req, const ListSelection *selection,
                             FerryStored *stored) {
  if (!selection->labels && !selection->fields && !req->found.kind->make)
    return TRUE;
  g_autoptr(json_t) source = ferry_stored_view(stored);
  g_autoptr(json_t) shown = ferry_made_of(req->found.kind, source);
  return shown && ferry_selector_matches(selection->labels, shown) &&
         ferry_selector_matches(selection->fields, shown);
}

/* What is shown of a page: objects, where it ends, and how many follow (-1: nobody has counted). */
typedef struct {
  GPtrArray *objects; /* FerryStored references */
  gboolean more;
  gint64 left;
} Listed;

static void listed_clear(Listed *listed) {
  g_clear_pointer(&listed->objects, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Listed, listed_clear)

static void list_advance(ListCursor *cursor, const char *ns, const char *name) {
  char *last_ns = g_strdup(ns), *last = g_strdup(name);
  list_cursor_clear(cursor);
  cursor->ns = last_ns;
  cursor->name = last;
}

/* Takes of a page what is selected, until there are `limit`; the cursor stands after the last. */
static void list_take(const FerryRequest *req, const ListSelection *selection,
                      const FerryPage *page, gsize limit, ListCursor *cursor, Listed *listed) {
  for (guint i = 0; i < page->objects->len; i++) {
    FerryStored *stored = g_ptr_array_index(page->objects, i);
    if (!list_selects(req, selection, stored))
      continue;
    if (listed->objects->len == limit) {
      listed->more = TRUE;
      return;
    }
    g_ptr_array_add(listed->objects, ferry_stored_ref(stored));
    if (listed->objects->len < limit)
      continue;
    g_autoptr(json_t) last = ferry_stored_view(stored);
    list_advance(cursor, ferry_json_str(last, "metadata.namespace"),
                 ferry_json_str(last, "metadata.name"));
  }
}

/* Reads until `limit` are found and whether one more is there. */
static gboolean list_read(FerryRequest *req, const ListSelection *selection, gsize limit,
                          ListCursor *cursor, Listed *listed, GError **error) {
  gboolean all = !selection->labels && !selection->fields && !req->found.kind->make;
  g_auto(ListCursor) at = {.ns = g_strdup(cursor->ns), .name = g_strdup(cursor->name)};
  listed->objects = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_stored_unref);
  listed->left = -1;
  for (gboolean go_on = TRUE; go_on;) {
    g_auto(FerryPage) page = {0};
    FerryPageWish wish = {.kind = ferry_kind_stored(req->found.kind),
                          .ns = req->found.kind->namespaced ? req->found.ns : NULL,
                          .after_ns = at.ns ? at.ns : "",
                          .after_name = at.name,
                          .max = all ? (guint)MIN(limit, G_MAXUINT) : CHUNK,
                          .at = cursor->at};
    if (!ferry_store_page_at(req->api->store, &wish, &page, error))
      return FALSE;
    cursor->at = page.revision;
    list_take(req, selection, &page, limit, cursor, listed);
    if (all && page.total >= cursor->told + page.objects->len) {
      listed->more = page.more;
      listed->left = (gint64)(page.total - cursor->told - page.objects->len);
    }
    list_advance(&at, page.ns, page.name);
    go_on = !all && page.more && !listed->more;
  }
  cursor->told += listed->objects->len;
  return TRUE;
}

/* ---- the answer ---- */

static GPtrArray *list_shown(const FerryRequest *req, const GPtrArray *objects) {
  GPtrArray *shown = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  for (guint i = 0; i < objects->len; i++) {
    g_autoptr(json_t) source = ferry_stored_view(g_ptr_array_index(objects, i));
    json_t *made = ferry_made_of(req->found.kind, source);
    if (made)
      g_ptr_array_add(shown, made);
  }
  return shown;
}

/* The list but for its items. */
static json_t *list_head(const FerryRequest *req) {
  gboolean partial = req->form.format == FERRY_FORMAT_PARTIAL;
  const FerryKind *named = req->found.alias ? req->found.alias : req->found.kind;
  g_autofree char *version = partial ? g_strdup("meta.k8s.io/v1") : ferry_kind_api_version(named);
  g_autofree char *kind =
      partial ? g_strdup("PartialObjectMetadataList") : g_strconcat(named->kind, "List", NULL);
  return json_pack("{s:s, s:s, s:{}}", "kind", kind, "apiVersion", version, "metadata");
}

static json_t *list_parsed(FerryRequest *req, const GPtrArray *objects) {
  g_autoptr(GPtrArray) shown = list_shown(req, objects);
  if (req->form.format == FERRY_FORMAT_TABLE)
    return ferry_table_new(req->found.kind, (json_t *const *)shown->pdata, shown->len,
                           req->form.table_version, ferry_query_include(req), TRUE,
                           ferry_clock_wall_ms(req->api->clock));
  json_t *list = list_head(req), *items = json_array();
  for (guint i = 0; i < shown->len; i++)
    json_array_append_new(items, req->form.format == FERRY_FORMAT_PARTIAL
                                     ? ferry_partial_metadata(shown->pdata[i])
                                     : ferry_kind_view(req->found.alias, shown->pdata[i]));
  json_object_set_new(list, "items", items);
  return list;
}

static void list_put_metadata(const FerryRequest *req, json_t *list, const ListCursor *cursor,
                              const Listed *listed) {
  g_autofree char *rv = g_strdup_printf("%" G_GINT64_FORMAT, cursor->at);
  ferry_json_set_str(list, "metadata.resourceVersion", rv);
  if (!listed->more)
    return;
  g_autofree char *next = list_make_token(req, cursor);
  ferry_json_set_str(list, "metadata.continue", next);
  if (listed->left > 0)
    ferry_json_set_int(list, "metadata.remainingItemCount", listed->left);
}

static void list_answer(FerryRequest *req, const ListCursor *cursor, const Listed *listed) {
  if (req->form.format != FERRY_FORMAT_JSON || req->found.alias || req->found.kind->make ||
      !ferry_respond_is_compact(req)) {
    json_t *list = list_parsed(req, listed->objects);
    list_put_metadata(req, list, cursor, listed);
    ferry_respond_json(req, 200, list);
    return;
  }
  g_autoptr(json_t) list = list_head(req);
  list_put_metadata(req, list, cursor, listed);
  ferry_respond_body(req, 200, "application/json", ferry_list_body_new(list, listed->objects));
}

gboolean ferry_resource_list(FerryRequest *req, GError **error) {
  gint64 limit;
  g_auto(ListCursor) cursor = {0};
  g_auto(ListSelection) selection = {0};
  g_auto(Listed) listed = {0};
  const char *token = ferry_query(req, "continue");
  if (!ferry_query_int(req, "limit", 0, &limit, error) ||
      !ferry_request_selectors(req, &selection.labels, &selection.fields, error) ||
      !(token && *token ? list_read_token(req, token, &cursor, error)
                        : list_begin(req, &cursor, error)))
    return FALSE;
  if (!list_read(req, &selection, limit > 0 ? (gsize)limit : G_MAXSIZE, &cursor, &listed, error)) {
    g_clear_error(error);
    if (token && *token)
      list_set_expired(error);
    else
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED,
                  "The resourceVersion for the provided list is too old.");
    return FALSE;
  }
  list_answer(req, &cursor, &listed);
  return TRUE;
}
