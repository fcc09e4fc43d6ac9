// SPDX-License-Identifier: Apache-2.0
#include "cli/view/certificates_table.h"
#include "base/json.h"
#include "base/limits.h"
#include <string.h>

#define SHOWN_DIGITS 16 /* of a hash */

/* What a kind of certificate is for, and who has signed it; in the order of a host's rows. */
static const struct {
  const char *kind, *purpose, *issuer;
} certificate_purposes[] = {{"node", "agent", "ferryd's CA"},
                            {"libvirt", "libvirt", "libvirt-ca"},
                            {"qemu", "qemu", "libvirt-qemu-ca"}};

static int purpose_of(const json_t *one) {
  const char *kind = ferry_json_str(one, "kind");
  for (gsize i = 0; i < G_N_ELEMENTS(certificate_purposes); i++)
    if (g_strcmp0(kind, certificate_purposes[i].kind) == 0)
      return (int)i;
  return -1;
}

static int by_host(gconstpointer a, gconstpointer b) {
  const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
  int order = g_strcmp0(ferry_json_str(x, "name"), ferry_json_str(y, "name"));
  return order ? order : purpose_of(x) - purpose_of(y);
}

static gboolean certificate_is_wanted(const json_t *one, const char *const *hosts) {
  const char *host = ferry_json_str(one, "name");
  return purpose_of(one) >= 0 && host && g_strcmp0(ferry_json_str(one, "state"), "revoked") != 0 &&
         (!hosts || !*hosts || g_strv_contains(hosts, host));
}

/* The one of the same host and purpose that is there already, or NULL. */
static json_t **same_of(GPtrArray *found, const json_t *one) {
  for (guint i = 0; i < found->len; i++)
    if (by_host(&found->pdata[i], &one) == 0)
      return (json_t **)&found->pdata[i];
  return NULL;
}

json_t *ferry_certificates_of_hosts(const json_t *certificates, const char *const *hosts) {
  g_autoptr(GPtrArray) found = g_ptr_array_new();
  json_t *list = json_array(), *one;
  gsize i;
  json_array_foreach((json_t *)certificates, i, one) {
    if (!certificate_is_wanted(one, hosts))
      continue;
    json_t **same = same_of(found, one);
    if (!same)
      g_ptr_array_add(found, one);
    else if (ferry_json_int(*same, "secondsLeft", 0) < ferry_json_int(one, "secondsLeft", 0))
      *same = one; /* the other one was renewed */
  }
  g_ptr_array_sort(found, by_host);
  for (guint k = 0; k < found->len; k++)
    json_array_append(list, found->pdata[k]);
  return list;
}

static json_t *names_cell(const json_t *one) {
  g_autoptr(GString) out = g_string_new(NULL);
  gsize i;
  json_t *name;
  json_array_foreach(json_object_get(one, "names"), i, name) {
    if (json_is_string(name))
      g_string_append_printf(out, "%s%s", out->len ? "," : "", json_string_value(name));
  }
  return json_string(out->len ? out->str : "-");
}

static json_t *certificates_row(const json_t *one) {
  int purpose = purpose_of(one);
  const char *key = ferry_json_str(one, "keyHash"), *subject = ferry_json_str(one, "subject");
  const char *ends = ferry_json_str(one, "endsAt"), *state = ferry_json_str(one, "state");
  g_autofree char *pinned = g_strndup(key ? key : "-", SHOWN_DIGITS);
  g_autofree char *days =
      g_strdup_printf("%" G_GINT64_FORMAT, ferry_json_int(one, "secondsLeft", 0) / FERRY_DAY_S);
  return json_pack("{s:[s,s,s,o,s,s,s,s,s]}", "cells", ferry_json_str(one, "name"),
                   certificate_purposes[purpose].purpose, subject ? subject : "-", names_cell(one),
                   certificate_purposes[purpose].issuer, ends ? ends : "-", days,
                   state ? state : "?", pinned);
}

json_t *ferry_certificates_table(const json_t *certificates) {
  static const struct {
    const char *name;
    int priority;
  } columns[] = {{"Host", 0}, {"Purpose", 0}, {"Subject", 1}, {"Names", 0},     {"Issuer", 0},
                 {"Ends", 0}, {"Days", 0},    {"State", 0},   {"Pinned Key", 1}};
  json_t *head = json_array(), *rows = json_array(), *one;
  gsize i;
  for (i = 0; i < G_N_ELEMENTS(columns); i++)
    json_array_append_new(head, json_pack("{s:s, s:s, s:i}", "name", columns[i].name, "type",
                                          "string", "priority", columns[i].priority));
  json_array_foreach((json_t *)certificates, i, one) {
    if (purpose_of(one) >= 0)
      json_array_append_new(rows, certificates_row(one));
  }
  return json_pack("{s:s, s:o, s:o}", "kind", "Table", "columnDefinitions", head, "rows", rows);
}
