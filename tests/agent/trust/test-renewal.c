// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what a run does of what the one before has left, in a tree of the test's
// own. ferryd and libvirtd are played by the test, which counts how often each is asked.
#include "agent/trust/renewal.h"
#include "agent/trust/certificate.h"
#include "base/file.h"
#include "made.h"
#include <glib/gstdio.h>
#include <unistd.h>

#define NOW 1800000000

typedef struct {
  char *dir;
  FerryTrustTask task;
  Made ca, qemu_ca;
  char *pinned; /* the key that ferryd takes; NULL: the first one that comes */
  guint asked, served;
  gboolean crashes;    /* ferryd's answer is lost */
  gboolean deaf, away; /* libvirtd does not take it, nobody reaches it */
} Host;

static void host_up(Host *h, gconstpointer data) {
  h->dir = g_dir_make_tmp("ferry-renewal-XXXXXX", NULL);
  g_autofree char *qemu = g_build_filename(h->dir, "var/lib/libvirt/qemu", NULL);
  g_assert_cmpint(g_mkdir_with_parents(qemu, 0700), ==, 0);
  h->task = (FerryTrustTask){.place = {h->dir, h->dir}, .time_s = NOW};
  h->ca = made(FERRY_TRUST_CA, NULL);
  h->qemu_ca = made(FERRY_TRUST_QEMU_CA, NULL);
}

static void remove_tree(const char *path) {
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *below = g_build_filename(path, name, NULL);
    remove_tree(below);
  }
  g_remove(path);
}

static void host_down(Host *h, gconstpointer data) {
  remove_tree(h->dir);
  made_clear(&h->ca);
  made_clear(&h->qemu_ca);
  g_free(h->pinned);
  g_free(h->dir);
}

static json_t *fake_ask(const char *key, const char *qemu, gpointer data, GError **error) {
  Host *h = data;
  h->asked++;
  if (h->pinned && !g_str_equal(h->pinned, key)) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN, "another key");
    return NULL;
  }
  if (!h->pinned)
    h->pinned = g_strdup(key);
  if (h->crashes) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_TIMEOUT, "lost");
    return NULL;
  }
  Made crt = made_for("h1", &h->ca, key, NOW - 60),
       qemu_crt = made_for("h1", &h->qemu_ca, qemu, NOW - 60);
  json_t *got = json_pack("{s:s, s:s, s:s, s:s, s:[]}", "certificate", crt.pem, "ca", h->ca.pem,
                          "qemuCertificate", qemu_crt.pem, "qemuCa", h->qemu_ca.pem, "leftOut");
  made_clear(&crt);
  made_clear(&qemu_crt);
  return got;
}

static gboolean fake_serve(gpointer data, GError **error) {
  Host *h = data;
  h->served++;
  if (h->deaf)
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "busy");
  return !h->deaf;
}

static gboolean fake_appears(gpointer data) {
  return !((Host *)data)->away;
}

static FerryTrustEnd run(Host *h) {
  FerryTrustPorts ports = {fake_ask, fake_serve, fake_appears, h};
  g_autoptr(GError) error = NULL;
  h->asked = h->served = 0;
  FerryTrustEnd end = ferry_trust_renewal(&h->task, &ports, &error);
  g_assert_cmpint(end == FERRY_TRUST_FAILED, ==, error != NULL);
  return end;
}

static void ends(Host *h, FerryTrustEnd end, guint asked, guint served) {
  g_assert_cmpint(run(h), ==, end);
  g_assert_cmpuint(h->asked, ==, asked);
  g_assert_cmpuint(h->served, ==, served);
}

static void put(Host *h, const char *name, const char *text) {
  g_autofree char *path = g_build_filename(h->dir, name, NULL);
  g_autofree char *dir = g_path_get_dirname(path);
  g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
  g_assert_true(ferry_file_write(path, text, strlen(text), 0600, NULL));
}

/* Set up once, and left alone until it is due; renewed with the same key. */
static void is_set_up_and_stays(Host *h, gconstpointer data) {
  ends(h, FERRY_TRUST_DONE, 1, 1);
  ends(h, FERRY_TRUST_STAYED, 0, 0);
  h->away = TRUE;
  ends(h, FERRY_TRUST_DONE, 0, 1);
  h->away = FALSE;
  h->task.time_s = NOW + 61 * 24 * 3600;
  ends(h, FERRY_TRUST_DONE, 1, 1);
  h->task.now = TRUE;
  ends(h, FERRY_TRUST_FAILED, 1, 0); /* other keys, which ferryd does not take */
  h->task.now = FALSE;
  h->task.time_s = NOW;
  ends(h, FERRY_TRUST_STAYED, 0, 0);
}

/* libvirtd refuses to start with one that is not good yet. */
static void needs_a_clock(Host *h, gconstpointer data) {
  h->task.time_s = NOW - 24 * 3600;
  ends(h, FERRY_TRUST_FAILED, 1, 0);
  g_assert_cmpint(ferry_trust_files_found(&h->task.place), ==, FERRY_TRUST_NONE);
  h->task.time_s = NOW;
  ends(h, FERRY_TRUST_DONE, 1, 1);
}

static void of_others_stays(Host *h, gconstpointer data) {
  put(h, "etc/pki/CA/cacert.pem", "somebody's");
  ends(h, FERRY_TRUST_LEFT, 0, 0);
}

/* Nothing is written that libvirtd would not show. */
static void of_hand_stays(Host *h, gconstpointer data) {
  put(h, "etc/libvirt/libvirtd.conf", "cert_file = \"/srv/cert.pem\"\n");
  ends(h, FERRY_TRUST_FAILED, 0, 0);
  g_assert_cmpint(ferry_trust_files_found(&h->task.place), ==, FERRY_TRUST_NONE);
}

/* Whichever of the files is missing or another one's, all are made again. */
static void is_mended(Host *h, gconstpointer data) {
  static const char *const files[] = {
      "etc/pki/CA/cacert.pem",
      "etc/pki/libvirt/servercert.pem",
      "etc/pki/libvirt/private/serverkey.pem",
      "etc/pki/libvirt/clientcert.pem",
      "etc/pki/libvirt/private/clientkey.pem",
      "etc/pki/qemu/ca-cert.pem",
      "etc/pki/qemu/server-cert.pem",
      "etc/pki/qemu/server-key.pem",
      "etc/pki/qemu/client-cert.pem",
      "etc/pki/qemu/client-key.pem",
  };
  Made other = made("h1", &h->ca);
  ends(h, FERRY_TRUST_DONE, 1, 1);
  for (gsize i = 1; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *path = g_build_filename(h->dir, files[i], NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
    ends(h, FERRY_TRUST_DONE, 1, 1);
    put(h, files[i], strstr(files[i], "key") ? other.key_pem : other.pem);
    ends(h, FERRY_TRUST_DONE, 1, 1);
  }
  ends(h, FERRY_TRUST_STAYED, 0, 0);
  made_clear(&other);
}

/* With the same key; not every day, as some addresses are others each day. */
static void new_names_are_asked_for(Host *h, gconstpointer data) {
  g_autoptr(json_t) before = json_pack("[s, s]", "h1", "10.0.0.1"),
                    after = json_pack("[s, s, s]", "h1", "10.0.0.1", "10.0.0.2"),
                    fewer = json_pack("[s]", "h1");
  h->task.names = before;
  ends(h, FERRY_TRUST_DONE, 1, 1);
  h->task.names = after;
  ends(h, FERRY_TRUST_STAYED, 0, 0);
  h->task.time_s = NOW + 3 * 24 * 3600;
  ends(h, FERRY_TRUST_DONE, 1, 1);
  h->task.names = fewer;
  h->task.time_s = NOW + 7 * 24 * 3600;
  ends(h, FERRY_TRUST_STAYED, 0, 0);
  h->task.names = NULL;
}

/* What libvirtd did not take is tried again, though the files are good. */
static void is_tried_until_taken(Host *h, gconstpointer data) {
  h->deaf = TRUE;
  ends(h, FERRY_TRUST_FAILED, 1, 1);
  ends(h, FERRY_TRUST_FAILED, 0, 1);
  h->deaf = FALSE;
  ends(h, FERRY_TRUST_DONE, 0, 1);
  ends(h, FERRY_TRUST_STAYED, 0, 0);
}

/* ferryd has noted the keys, and its answer was lost: they are still those of the host. */
static void keys_outlive_a_crash(Host *h, gconstpointer data) {
  h->crashes = TRUE;
  ends(h, FERRY_TRUST_FAILED, 1, 0);
  h->crashes = FALSE;
  ends(h, FERRY_TRUST_DONE, 1, 1);
  h->task.now = h->crashes = TRUE;
  g_clear_pointer(&h->pinned, g_free); /* its administrator lets others in */
  ends(h, FERRY_TRUST_FAILED, 1, 0);
  h->task.now = h->crashes = FALSE;
  ends(h, FERRY_TRUST_DONE, 1, 1);
  ends(h, FERRY_TRUST_STAYED, 0, 0);
}

/* New keys that ferryd never heard of do not keep the host from renewing with its own. */
static void goes_back_to_its_keys(Host *h, gconstpointer data) {
  g_autofree char *key = NULL, *qemu = NULL;
  ends(h, FERRY_TRUST_DONE, 1, 1);
  g_assert_true(ferry_trust_files_new_keys(&h->task.place, &key, &qemu, NULL));
  ends(h, FERRY_TRUST_DONE, 2, 1);
  ends(h, FERRY_TRUST_STAYED, 0, 0);
}

/* After a theft: other keys as well, once. A host whose keys were never kept has such keys anyway.
 */
static void another_ca_wants_other_keys(Host *h, gconstpointer data) {
  ends(h, FERRY_TRUST_DONE, 1, 1);
  g_autofree char *before = g_strdup(h->pinned);
  made_clear(&h->ca);
  h->ca = made(FERRY_TRUST_CA, NULL);
  h->task.time_s = NOW + 61 * 24 * 3600;
  ends(h, FERRY_TRUST_FAILED, 2, 0); /* its administrator has not said so */
  g_clear_pointer(&h->pinned, g_free);
  h->task.now = TRUE;
  ends(h, FERRY_TRUST_DONE, 1, 1);
  g_assert_cmpstr(h->pinned, !=, before);
  made_clear(&h->ca);
  h->ca = made(FERRY_TRUST_CA, NULL);
  h->task.now = FALSE;
  ferry_trust_files_forget(h->dir);
  g_clear_pointer(&h->pinned, g_free);
  ends(h, FERRY_TRUST_DONE, 1, 1);
}

/* Its own start finds what is there; a restart for nothing would begin anew without end. */
static void agent_is_restarted_for_a_port(void) {
  g_assert_true(ferry_trust_restarts(FERRY_TRUST_DONE, TRUE, FALSE));
  g_assert_true(ferry_trust_restarts(FERRY_TRUST_DONE, TRUE, TRUE));
  g_assert_true(ferry_trust_restarts(FERRY_TRUST_STAYED, FALSE, FALSE));
  g_assert_false(ferry_trust_restarts(FERRY_TRUST_DONE, FALSE, TRUE));
  g_assert_false(ferry_trust_restarts(FERRY_TRUST_LEFT, FALSE, FALSE));
  g_assert_false(ferry_trust_restarts(FERRY_TRUST_FAILED, TRUE, FALSE));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(f) g_test_add("/trust/renewal/" #f, Host, NULL, host_up, f, host_down)
  ADD(is_set_up_and_stays);
  ADD(needs_a_clock);
  ADD(of_others_stays);
  ADD(of_hand_stays);
  ADD(is_mended);
  ADD(new_names_are_asked_for);
  ADD(is_tried_until_taken);
  ADD(keys_outlive_a_crash);
  ADD(goes_back_to_its_keys);
  ADD(another_ca_wants_other_keys);
  g_test_add_func("/trust/renewal/agent_is_restarted_for_a_port", agent_is_restarted_for_a_port);
  return g_test_run();
}
