// SPDX-License-Identifier: Apache-2.0
// What is run of a machine, and when its libvirtd is restarted.
#include "agent/trust/libvirtd.h"
#include <string.h>

typedef struct {
  const char *active; /* units, with blanks around */
  const char *fails;  /* what does not work, as a part of its line; NULL: all works */
  guint moves;        /* how often a migration is still seen */
  guint silent;       /* how often libvirtd then does not answer */
  guint patience;
  gboolean taken; /* somebody listens at the port */
  GString *ran;
} Machine;

static gboolean fake_run(const char *const *argv, gpointer data, GError **error) {
  Machine *m = data;
  g_autofree char *line = g_strjoinv(" ", (char **)argv);
  if (g_str_has_prefix(line, "systemctl --quiet is-active ")) {
    g_autofree char *unit = g_strdup_printf(" %s ", strrchr(line, ' ') + 1);
    return strstr(m->active, unit) != NULL;
  }
  g_string_append_printf(m->ran, "%s\n", line);
  if (!m->fails || !strstr(line, m->fails))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "%s: no", line);
  return FALSE;
}

static char *fake_moving(gpointer data) {
  Machine *m = data;
  if (m->moves == 0 && m->silent > 0) {
    m->silent--;
    return NULL;
  }
  if (m->moves == 0)
    return g_strdup("");
  m->moves--;
  return g_strdup("db");
}

static gboolean fake_wait(gpointer data) {
  Machine *m = data;
  g_assert_null(strstr(m->ran->str, "systemctl stop")); /* not while something moves */
  return m->patience-- > 0;
}

static gboolean fake_taken(gpointer data) {
  return ((Machine *)data)->taken;
}

static gboolean serve(Machine *m, GError **error) {
  FerryTrustMachine machine = {fake_run, fake_moving, fake_wait, fake_taken, m};
  m->ran = g_string_new(NULL);
  return ferry_trust_libvirtd_serve(&machine, error);
}

static void is_restarted_once_nothing_moves(void) {
  Machine m = {.active = " libvirtd.socket ", .moves = 3, .patience = 5};
  g_assert_true(serve(&m, NULL));
  g_assert_cmpuint(m.moves, ==, 0);
  g_assert_cmpstr(m.ran->str, ==,
                  "systemctl --quiet enable libvirtd-tls.socket\n"
                  "systemctl stop libvirtd.service libvirtd.socket libvirtd-ro.socket "
                  "libvirtd-admin.socket\n"
                  "systemctl start libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket "
                  "libvirtd-tls.socket libvirtd.service\n");
  g_string_free(m.ran, TRUE);
}

static void waits_no_longer_than_told(void) {
  Machine m = {.active = " libvirtd.socket ", .moves = 9, .patience = 2};
  g_autoptr(GError) error = NULL;
  g_assert_false(serve(&m, &error));
  g_assert_true(g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE));
  g_assert_nonnull(strstr(error->message, "db"));
  g_assert_null(strstr(m.ran->str, "stop"));
  g_string_free(m.ran, TRUE);
}

/* It may be busy with a migration; one that does not run has none. */
static void waits_for_an_answer(void) {
  Machine m = {.active = " libvirtd.socket libvirtd.service ", .silent = 3, .patience = 5},
          mute = {.active = " virtqemud.service ", .silent = 9, .patience = 2},
          stopped = {.active = " libvirtd.socket ", .silent = 9};
  g_autoptr(GError) error = NULL;
  g_assert_true(serve(&m, NULL));
  g_assert_cmpuint(m.silent, ==, 0);
  g_string_free(m.ran, TRUE);
  g_assert_false(serve(&mute, &error));
  g_assert_true(g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE));
  g_assert_null(strstr(mute.ran->str, "stop"));
  g_string_free(mute.ran, TRUE);
  g_assert_true(serve(&stopped, NULL));
  g_string_free(stopped.ran, TRUE);
}

static void renews_in_place(void) {
  Machine m = {.active = " libvirtd.service libvirtd-tls.socket ", .moves = 9};
  g_assert_true(serve(&m, NULL));
  g_assert_cmpstr(m.ran->str, ==,
                  "virt-admin --quiet --connect libvirtd:///system server-update-tls libvirtd\n");
  g_string_free(m.ran, TRUE);
}

static void knows_the_modular_daemons(void) {
  Machine m = {.active = " virtqemud.socket "}, renewing = {.active = " virtqemud.socket "
                                                                      "virtproxyd-tls.socket "};
  g_assert_true(serve(&m, NULL));
  g_assert_nonnull(strstr(m.ran->str, "virtproxyd-tls.socket virtproxyd.service"));
  g_string_free(m.ran, TRUE);
  g_assert_true(serve(&renewing, NULL));
  g_assert_nonnull(strstr(renewing.ran->str, "virtproxyd:///system server-update-tls virtproxyd"));
  g_string_free(renewing.ran, TRUE);
  Machine none = {.active = " "};
  g_autoptr(GError) error = NULL;
  g_assert_false(serve(&none, &error));
  g_assert_cmpstr(none.ran->str, ==, "");
  g_string_free(none.ran, TRUE);
}

/* Whatever goes wrong, there is a libvirtd afterwards. */
static void never_leaves_it_stopped(void) {
  Machine m = {.active = " libvirtd.socket ", .fails = "libvirtd-tls.socket libvirtd.service"};
  g_autoptr(GError) error = NULL;
  g_assert_false(serve(&m, &error));
  g_assert_nonnull(error);
  g_assert_true(g_str_has_suffix(m.ran->str, "systemctl --quiet disable --now libvirtd-tls.socket\n"
                                             "systemctl start libvirtd.socket libvirtd.service\n"));
  g_string_free(m.ran, TRUE);
}

static void leaves_the_port(void) {
  Machine m = {.active = " virtqemud.socket ", .ran = g_string_new(NULL)},
          none = {.active = " ", .ran = g_string_new(NULL)};
  FerryTrustMachine machine = {fake_run, fake_moving, fake_wait, fake_taken, &m};
  g_assert_true(ferry_trust_libvirtd_leave(&machine, NULL));
  g_assert_cmpstr(m.ran->str, ==, "systemctl --quiet disable --now virtproxyd-tls.socket\n");
  machine.data = &none;
  g_assert_true(ferry_trust_libvirtd_leave(&machine, NULL));
  g_assert_cmpstr(none.ran->str, ==, "");
  g_string_free(m.ran, TRUE);
  g_string_free(none.ran, TRUE);
}

/* libvirtd would not get the port, and would be restarted for nothing each time. */
static void leaves_a_port_to_others(void) {
  Machine m = {.active = " libvirtd.socket ", .taken = TRUE},
          own = {.active = " libvirtd.socket libvirtd-tls.socket ", .taken = TRUE};
  g_autoptr(GError) error = NULL;
  g_assert_false(serve(&m, &error));
  g_assert_nonnull(strstr(error->message, "16514"));
  g_assert_cmpstr(m.ran->str, ==, "");
  g_string_free(m.ran, TRUE);
  g_assert_true(serve(&own, NULL));
  g_string_free(own.ran, TRUE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trust/libvirtd/restarted", is_restarted_once_nothing_moves);
  g_test_add_func("/trust/libvirtd/patience", waits_no_longer_than_told);
  g_test_add_func("/trust/libvirtd/answer", waits_for_an_answer);
  g_test_add_func("/trust/libvirtd/renews", renews_in_place);
  g_test_add_func("/trust/libvirtd/modular", knows_the_modular_daemons);
  g_test_add_func("/trust/libvirtd/never-stopped", never_leaves_it_stopped);
  g_test_add_func("/trust/libvirtd/leaves", leaves_the_port);
  g_test_add_func("/trust/libvirtd/taken", leaves_a_port_to_others);
  return g_test_run();
}
