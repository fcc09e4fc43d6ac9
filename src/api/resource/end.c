// SPDX-License-Identifier: Apache-2.0
// Theory of operation: an object ends in two ways, by a DELETE or because the last finalizer of one
// that was deleted before is taken off. Whichever it is, what goes with it goes in the same commit:
// the objects in a namespace, the credentials of a User or a Node; and nobody makes anything for it
// in between. A namespace that waits for finalizers is emptied when it is marked, and takes nothing
// new (the store looks, FerryWrite.in_namespace), so that nothing is left without one.
#include "api/resource/end.h"
#include "api/auth/node_delete.h"
#include "api/resource/policy_admission.h"

static void add_contents(FerryRequest *req, const char *ns, GArray *writes, GPtrArray *keep) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++) {
    /* A VM that came since admission looked is not let go unseen: the commit says CONFLICT. */
    if (!kinds[i]->namespaced || kinds[i] == &ferry_kind_vmi)
      continue;
    GPtrArray *all = ferry_store_list(req->api->store, kinds[i], ns, NULL);
    g_ptr_array_add(keep, all);
    for (guint j = 0; j < all->len; j++) {
      FerryWrite write = {.op = FERRY_WRITE_DELETE,
                          .kind = kinds[i],
                          .ns = ns,
                          .name = ferry_json_str(g_ptr_array_index(all, j), "metadata.name")};
      g_array_append_val(writes, write);
    }
  }
}

gboolean ferry_resource_end(FerryRequest *req, const json_t *object, const FerryWrite *write,
                            json_t **stored, GError **error) {
  gboolean gone = write->op == FERRY_WRITE_DELETE, node = req->found.kind == &ferry_kind_node;
  const char *name = ferry_json_str(object, "metadata.name");
  g_autoptr(GArray) writes = g_array_new(FALSE, FALSE, sizeof(FerryWrite));
  g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
  g_array_append_vals(writes, write, 1);
  if (req->found.kind == &ferry_kind_namespace) {
    g_array_index(writes, FerryWrite, 0).leaves_empty = TRUE;
    add_contents(req, name, writes, keep);
  }
  if (gone) {
    ferry_delete_also(req, object, writes, keep);
    ferry_policy_restore(req, object, writes, keep);
  }
  g_autofree json_t **results = g_new0(json_t *, writes->len);
  /* No session of a node that goes may begin in between, nor a certificate be made for it. */
  if (node)
    g_rw_lock_writer_lock(&req->api->sessions);
  gboolean done = ferry_store_commit(req->api->store, (FerryWrite *)(void *)writes->data,
                                     writes->len, results, error);
  if (done && node && gone)
    ferry_node_deleted(req, name);
  if (node)
    g_rw_lock_writer_unlock(&req->api->sessions);
  if (!done)
    return FALSE;
  *stored = results[0];
  for (guint i = 1; i < writes->len; i++)
    json_decref(results[i]);
  return TRUE;
}
