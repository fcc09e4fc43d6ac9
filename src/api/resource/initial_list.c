// SPDX-License-Identifier: Apache-2.0
// Theory of operation: pages are read in the store's order (namespace, name), each as it is at that
// moment. Between two pages a stream tells the changes since its cursor, of objects up to the place
// that the pages have reached. What lies behind that place will be read as it is then, and a change
// that a page has shown already isn't told again.
#include "api/resource/initial_list.h"
#include "store/store.h"

#include <string.h>

void ferry_initial_list_begin(FerryInitialList *list, FerryStore *store, const FerryKind *kind,
                              const char *ns) {
  ferry_initial_list_clear(list);
  list->store = store;
  list->kind = kind;
  list->ns = ns;
  list->more = TRUE;
}

FerryStored *ferry_initial_list_next(FerryInitialList *list) {
  if (list->page && list->next < list->page->len)
    return g_ptr_array_index(list->page, list->next++);
  g_clear_pointer(&list->page, g_ptr_array_unref);
  return NULL;
}

gboolean ferry_initial_list_turn(FerryInitialList *list) {
  if (!list->more)
    return FALSE;
  const char *ns = ferry_json_str(list->last, "metadata.namespace");
  GPtrArray *page = ferry_store_texts(
      list->store, list->kind, list->ns, list->last ? (ns ? ns : "") : NULL,
      ferry_json_str(list->last, "metadata.name"), FERRY_INITIAL_PAGE, &list->revision);
  g_clear_pointer(&list->page, g_ptr_array_unref);
  list->page = page;
  list->next = 0;
  list->more = page->len == FERRY_INITIAL_PAGE;
  json_decref(list->from);
  list->from = g_steal_pointer(&list->last);
  if (page->len)
    list->last = ferry_stored_view(g_ptr_array_index(page, page->len - 1));
  return TRUE;
}

/* Whether the object of a change comes after `object` in the order of pages. */
static gboolean comes_after(const FerryChange *change, const json_t *object) {
  const char *ns = ferry_json_str(object, "metadata.namespace");
  int order = object ? strcmp(change->ns, ns ? ns : "") : 1;
  return order > 0 ||
         (order == 0 && strcmp(change->name, ferry_json_str(object, "metadata.name")) > 0);
}

gboolean ferry_initial_list_covers(const FerryInitialList *list, const FerryChange *change) {
  return (list->more && comes_after(change, list->last)) ||
         (change->revision <= list->revision && comes_after(change, list->from));
}

void ferry_initial_list_clear(FerryInitialList *list) {
  g_clear_pointer(&list->page, g_ptr_array_unref);
  json_decref(list->from);
  json_decref(list->last);
  *list = (FerryInitialList){0};
}
