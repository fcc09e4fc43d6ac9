// SPDX-License-Identifier: Apache-2.0
// A watch lists, prints, and goes on from the list's resourceVersion; when the server ends the
// stream it goes on from the last version seen, when that is too old it lists again.
//
// What is printed once and what is watched go through the same printer: a Table of the server's,
// whose columns keep the width that they had at first, or the objects themselves in the format
// asked for. A server that goes away is tried again for FERRY_CLI_RETRY_LIMIT_MS; one that ends
// each stream at once is not hammered.
#include "cli/core/listing.h"
#include "cli/view/output.h"
#include <stdio.h>

static const char *const table_headers[] = {FERRY_ACCEPT_TABLE, NULL};

/* How long a watch tries to reach a server that has gone, and how often. */
static const char *format_of(FerryCli *cli) {
  const char *format = ferry_cli_option(cli, "output");
  return format != NULL ? format : "table";
}

static gboolean is_table(const char *format) {
  return g_str_equal(format, "table") || g_str_equal(format, "wide");
}

static FerryTablePrinter *printer_new(FerryCli *cli, const FerryListing *listing) {
  g_autofree char *prefix = listing->prefixed ? ferry_resource_label(listing->kind, "") : NULL;
  FerryTableStyle style = {
      .wide = g_str_equal(format_of(cli), "wide"),
      .no_headers = ferry_args_has(cli->args, "no-headers"),
      .color = cli->color,
      .utf8 = cli->utf8,
      .with_namespace = listing->kind->namespaced && listing->ns == NULL,
      .prefix = prefix,
  };
  return ferry_table_printer_new(&style);
}

static const char *event_time(json_t *object) {
  static const char *const paths[] = {"lastTimestamp", "eventTime", "metadata.creationTimestamp"};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    const char *time = ferry_json_str(object, paths[i]);
    if (time != NULL && *time != '\0')
      return time;
  }
  return "";
}

static int by_time(gconstpointer a, gconstpointer b) {
  json_t *const *x = a, *const *y = b;
  json_t *ox = json_object_get(*x, "object"), *oy = json_object_get(*y, "object");
  return g_strcmp0(event_time(ox != NULL ? ox : *x), event_time(oy != NULL ? oy : *y));
}

void ferry_listing_sort(json_t *list) {
  g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  size_t i;
  json_t *row;
  json_array_foreach(list, i, row) g_ptr_array_add(rows, json_incref(row));
  g_ptr_array_sort(rows, by_time);
  json_array_clear(list);
  for (guint k = 0; k < rows->len; k++)
    json_array_append(list, g_ptr_array_index(rows, k));
}

static json_t *listing_fetch(FerryCli *cli, const FerryListing *l, const char *const *headers,
                             GError **error) {
  if (l->name != NULL)
    return ferry_cli_get(cli, l->kind, l->ns, l->name, headers, error);
  const char *query = headers != NULL && l->by_time ? "includeObject=Object" : NULL;
  json_t *list = ferry_cli_list(cli, l->kind, l->ns, ferry_cli_option(cli, "selector"),
                                l->field_selector, query, headers, error);
  if (list != NULL && l->by_time)
    ferry_listing_sort(
        ferry_json_get(list, ferry_json_get(list, "rows") != NULL ? "rows" : "items"));
  return list;
}

json_t *ferry_listing_objects(FerryCli *cli, const FerryListing *listing, GError **error) {
  g_autoptr(json_t) answer = listing_fetch(cli, listing, NULL, error);
  if (answer == NULL)
    return NULL;
  if (listing->name != NULL)
    return json_pack("[O]", answer);
  json_t *items = ferry_json_get(answer, "items");
  return json_is_array(items) ? json_incref(items) : json_array();
}

int ferry_listing_each(FerryCli *cli, const GPtrArray *targets, FerryListingFunc each,
                       gpointer data) {
  int code = FERRY_EXIT_DONE;
  for (guint i = 0; i < targets->len; i++) {
    const FerryTarget *t = g_ptr_array_index(targets, i);
    FerryListing listing = {.kind = t->kind, .ns = ferry_cli_namespace(cli), .name = t->name};
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) objects = ferry_listing_objects(cli, &listing, &error);
    if (objects == NULL) {
      code = ferry_cli_fail(error, NULL);
      continue;
    }
    size_t k;
    json_t *object;
    json_array_foreach(objects, k, object) {
      int one = each(cli, t->kind, object, data);
      code = one != FERRY_EXIT_DONE ? one : code;
    }
  }
  return code;
}

static int print_objects(FerryCli *cli, const FerryListing *listing, gsize *n) {
  g_autoptr(GError) error = NULL;
  const char *format = format_of(cli);
  g_autoptr(json_t) objects = ferry_listing_objects(cli, listing, &error);
  if (objects == NULL)
    return ferry_cli_fail(error, NULL);
  *n += json_array_size(objects);
  if (!g_str_equal(format, "name")) {
    ferry_output_objects(objects, listing->name != NULL, format);
    return FERRY_EXIT_DONE;
  }
  size_t i;
  json_t *object;
  json_array_foreach(objects, i, object) {
    g_autofree char *label =
        ferry_resource_label(listing->kind, ferry_json_str(object, "metadata.name"));
    puts(label);
  }
  return FERRY_EXIT_DONE;
}

int ferry_listing_print(FerryCli *cli, const FerryListing *listings, gsize count, gsize *n) {
  int code = FERRY_EXIT_DONE;
  g_autoptr(FerryTablePrinter) printer = printer_new(cli, listings);
  for (gsize i = 0; i < count; i++) {
    g_autoptr(GError) error = NULL;
    if (!is_table(format_of(cli))) {
      int one = print_objects(cli, &listings[i], n);
      code = one != FERRY_EXIT_DONE ? one : code;
      continue;
    }
    g_autoptr(json_t) table = listing_fetch(cli, &listings[i], table_headers, &error);
    if (table == NULL) {
      code = ferry_cli_fail(error, NULL);
      continue;
    }
    ferry_cli_warnings(cli);
    ferry_table_printer_add(printer, table);
  }
  g_autofree char *text = ferry_table_printer_text(printer);
  if (*text == '\0')
    return code;
  if (listings->prefixed && *n > 0)
    putchar('\n');
  fputs(text, stdout);
  (*n)++;
  return code;
}

typedef struct {
  FerryCli *cli;
  const FerryListing *listing;
  FerryTablePrinter *printer; /* NULL: objects */
  char *version;
} ListingWatch;

static void print_changed(ListingWatch *w, json_t *object) {
  const char *format = format_of(w->cli);
  if (w->printer != NULL) {
    ferry_table_printer_add(w->printer, object);
    ferry_table_printer_flush(w->printer);
  } else if (g_str_equal(format, "name")) {
    g_autofree char *label =
        ferry_resource_label(w->listing->kind, ferry_json_str(object, "metadata.name"));
    puts(label);
  } else {
    if (g_str_equal(format, "yaml"))
      puts("---");
    ferry_output_object(object, format);
  }
  fflush(stdout);
}

static gboolean listing_on_event(const char *type, json_t *object, gpointer data) {
  ListingWatch *w = data;
  json_t *row = json_array_get(ferry_json_get(object, "rows"), 0);
  const char *version =
      ferry_json_str(row != NULL ? row : object,
                     row != NULL ? "object.metadata.resourceVersion" : "metadata.resourceVersion");
  if (version != NULL && *version != '\0') {
    g_free(w->version);
    w->version = g_strdup(version);
  }
  if (!g_str_equal(type, "BOOKMARK"))
    print_changed(w, object);
  return !ferror(stdout); /* the reader of a pipe has gone */
}

static gboolean listing_on_tick(gpointer data) {
  return !ferror(stdout);
}

/* Lists, prints, sets the version to go on from. */
static gboolean watch_list(ListingWatch *w, gboolean print, GError **error) {
  g_autoptr(json_t) answer =
      listing_fetch(w->cli, w->listing, w->printer != NULL ? table_headers : NULL, error);
  if (answer == NULL)
    return FALSE;
  g_free(w->version);
  w->version = g_strdup(ferry_json_str(answer, "metadata.resourceVersion"));
  if (!print)
    return TRUE;
  json_t *items = ferry_json_get(answer, "items");
  if (w->printer != NULL || !json_is_array(items)) {
    print_changed(w, answer);
    return TRUE;
  }
  size_t i;
  json_t *item;
  json_array_foreach(items, i, item) print_changed(w, item);
  return TRUE;
}

static char *watch_path(ListingWatch *w, const char *fields) {
  g_autoptr(GString) query = g_string_new("watch=1&allowWatchBookmarks=true");
  ferry_query_add(query, "resourceVersion", w->version);
  ferry_query_add(query, "labelSelector", ferry_cli_option(w->cli, "selector"));
  ferry_query_add(query, "fieldSelector", fields);
  return ferry_resource_path(w->listing->kind, w->listing->ns, NULL, query->str);
}

static int watch_loop(ListingWatch *w, const char *fields) {
  gint64 lost_since = 0;
  for (;;) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = watch_path(w, fields);
    gint64 began = g_get_monotonic_time();
    if (ferry_client_watch(w->cli->client, path, w->printer != NULL ? table_headers : NULL, 0,
                           listing_on_event, listing_on_tick, w, NULL, &error)) {
      if (ferror(stdout))
        return FERRY_EXIT_FAILED;
      lost_since = 0;
      if (g_get_monotonic_time() - began < FERRY_CLI_RETRY_TABLE_MS * 1000)
        g_usleep(FERRY_CLI_RETRY_TABLE_MS *
                 1000); /* a server that closes at once is not hammered */
      continue;
    }
    if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_EXPIRED)) {
      g_clear_error(&error);
      if (watch_list(w, TRUE, &error))
        continue;
    }
    if (!g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE))
      return ferry_cli_fail(error, NULL);
    if (g_get_monotonic_time() - began > 2 * FERRY_CLI_RETRY_TABLE_MS * 1000)
      lost_since = 0; /* the connection had been up in between */
    if (lost_since == 0) {
      lost_since = g_get_monotonic_time();
      fprintf(stderr, "the server has gone, trying again for %d s: %s\n",
              FERRY_CLI_RETRY_LIMIT_MS / 1000, error->message);
    }
    if (g_get_monotonic_time() - lost_since > FERRY_CLI_RETRY_LIMIT_MS * 1000LL)
      return ferry_cli_fail(error, NULL);
    g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  }
}

int ferry_listing_watch(FerryCli *cli, const FerryListing *listing) {
  const char *format = format_of(cli);
  g_autoptr(GError) error = NULL;
  FerryListing l = *listing;
  g_autofree char *fields = g_strdup(l.field_selector);
  g_autofree char *ns = NULL;
  g_autoptr(FerryTablePrinter) printer = is_table(format) ? printer_new(cli, &l) : NULL;
  ListingWatch w = {.cli = cli, .listing = &l, .printer = printer};
  if (l.name != NULL) {
    /* A VM may have been named by its domain or UUID: the watch needs the object's name. */
    g_autoptr(json_t) object = ferry_cli_get(cli, l.kind, l.ns, l.name, NULL, &error);
    if (object == NULL)
      return ferry_cli_fail(error, NULL);
    g_free(fields);
    fields = g_strconcat("metadata.name=", ferry_json_str(object, "metadata.name"), NULL);
    ns = g_strdup(ferry_json_str(object, "metadata.namespace"));
    l.ns = ns;
    l.name = NULL;
    l.field_selector = fields;
  }
  int code = watch_list(&w, TRUE, &error) ? watch_loop(&w, fields) : ferry_cli_fail(error, NULL);
  g_free(w.version);
  return code;
}
