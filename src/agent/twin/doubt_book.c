// SPDX-License-Identifier: Apache-2.0
#include "agent/twin/doubt_book.h"
#include "agent/core/records.h"

static const FerryRecords copies_in_doubt = {"doubts", "the record of a copy in doubt", 4096, 1000};

void ferry_doubt_book_note(const char *state_dir, const char *uid, const char *uuid,
                           gint64 ran_ms) {
  if (!uid || !g_uuid_string_is_valid(uid))
    return;
  g_autoptr(json_t) record =
      json_pack("{s:s, s:s*, s:I}", "uid", uid, "domain", uuid, "ranMs", (json_int_t)ran_ms);
  ferry_record_write(state_dir, &copies_in_doubt, uid, record);
}

void ferry_doubt_book_forget(const char *state_dir, const char *uid) {
  if (uid && g_uuid_string_is_valid(uid))
    ferry_record_remove(state_dir, &copies_in_doubt, uid);
}

typedef struct {
  const char *uid, *but_uid, *uuid;
  gboolean found;
  gint64 ran_ms;
  GPtrArray *names; /* NULL: nobody wants them */
} BookSearch;

static gboolean take_entry(const char *name, json_t *record, gpointer data) {
  BookSearch *search = data;
  if (g_strcmp0(ferry_json_str(record, "uid"), name) != 0)
    return FALSE;
  if (g_str_equal(name, search->uid)) {
    search->found = TRUE;
    search->ran_ms = ferry_json_int(record, "ranMs", -1);
  }
  return TRUE;
}

gboolean ferry_doubt_book_find(const char *state_dir, const char *uid, gint64 *ran_ms) {
  BookSearch search = {.uid = uid};
  if (uid)
    ferry_records_each(state_dir, &copies_in_doubt, take_entry, &search);
  if (search.found)
    *ran_ms = search.ran_ms;
  return search.found;
}

static gboolean take_entry_of_domain(const char *name, json_t *record, gpointer data) {
  BookSearch *search = data;
  if (g_strcmp0(ferry_json_str(record, "uid"), name) != 0)
    return FALSE;
  gboolean is_it = g_strcmp0(name, search->but_uid) != 0 &&
                   g_strcmp0(ferry_json_str(record, "domain"), search->uuid) == 0;
  search->found = search->found || is_it;
  if (is_it && search->names)
    g_ptr_array_add(search->names, g_strdup(name));
  return TRUE;
}

gboolean ferry_doubt_book_has_domain(const char *state_dir, const char *uuid, const char *but_uid) {
  BookSearch search = {.but_uid = but_uid, .uuid = uuid};
  if (uuid)
    ferry_records_each(state_dir, &copies_in_doubt, take_entry_of_domain, &search);
  return search.found;
}

void ferry_doubt_book_forget_domain(const char *state_dir, const char *uuid, const char *but_uid) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  BookSearch search = {.but_uid = but_uid, .uuid = uuid, .names = names};
  if (uuid)
    ferry_records_each(state_dir, &copies_in_doubt, take_entry_of_domain, &search);
  for (guint i = 0; i < names->len; i++)
    ferry_doubt_book_forget(state_dir, names->pdata[i]);
}
