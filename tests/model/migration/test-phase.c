// SPDX-License-Identifier: Apache-2.0
#include "model/migration/migration.h"

static void test_words(void) {
  for (int p = FERRY_PHASE_NONE + 1; p < FERRY_PHASE_LAST; p++) {
    g_assert_nonnull(ferry_phase_name((FerryPhase)p));
    g_assert_cmpint(ferry_phase_parse(ferry_phase_name((FerryPhase)p)), ==, p);
  }
  g_assert_null(ferry_phase_name(FERRY_PHASE_NONE));
  static const char *const strange[] = {NULL, "", "running", "Running ", "Runnin", "Finalizing"};
  for (gsize i = 0; i < G_N_ELEMENTS(strange); i++)
    g_assert_cmpint(ferry_phase_parse(strange[i]), ==, FERRY_PHASE_NONE);
}

/* A migration's are the first ones, in the order of their list; the others' are phases, too. */
static void test_lists(void) {
  g_assert_cmpuint(g_strv_length((char **)ferry_migration_phases), ==, FERRY_MIGRATION_PHASES);
  for (int i = 0; ferry_migration_phases[i]; i++)
    g_assert_cmpint(ferry_phase_parse(ferry_migration_phases[i]), ==, i + 1);
  const char *const *const lists[] = {ferry_vmi_phases, ferry_evacuation_phases};
  for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
    for (const char *const *word = lists[i]; *word; word++)
      g_assert_cmpint(ferry_phase_parse(*word), !=, FERRY_PHASE_NONE);
}

static json_t *with_phase(const char *phase) {
  return json_pack("{s:{s:s*}}", "status", "phase", phase);
}

static void test_kinds_of_phases(void) {
  static const struct {
    const char *phase, *word;
    gboolean waiting, final, active;
  } rows[] = {
      {NULL, "Pending", TRUE, FALSE, FALSE},
      {"Pending", "Pending", TRUE, FALSE, FALSE},
      {"Scheduling", "Scheduling", TRUE, FALSE, FALSE},
      {"Scheduled", "Scheduled", FALSE, FALSE, FALSE},
      {"PreparingTarget", "PreparingTarget", FALSE, FALSE, FALSE},
      {"TargetReady", "TargetReady", FALSE, FALSE, FALSE},
      {"Running", "Running", FALSE, FALSE, TRUE},
      {"Succeeded", "Succeeded", FALSE, TRUE, FALSE},
      {"Failed", "Failed", FALSE, TRUE, FALSE},
      {"Paused", "Paused", FALSE, FALSE, TRUE},
      {"Stopped", "Stopped", FALSE, FALSE, FALSE},
      {"Crashed", "Crashed", FALSE, FALSE, FALSE},
      {"Unknown", "Unknown", FALSE, FALSE, FALSE},
      {"OfALaterVersion", "OfALaterVersion", TRUE, FALSE, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(json_t) object = with_phase(rows[i].phase);
    FerryPhase phase = ferry_phase_of(object);
    g_assert_cmpstr(ferry_phase_word(object), ==, rows[i].word);
    g_assert_cmpint(ferry_phase_is_waiting(phase), ==, rows[i].waiting);
    g_assert_cmpint(ferry_phase_is_final(phase), ==, rows[i].final);
    g_assert_cmpint(ferry_migration_is_final(object), ==, rows[i].final);
    g_assert_cmpint(ferry_vmi_is_active(object), ==, rows[i].active);
  }
  g_assert_cmpint(ferry_phase_of(NULL), ==, FERRY_PHASE_NONE);
  g_assert_false(ferry_vmi_is_active(NULL));
}

static void test_first_status(void) {
  g_autoptr(json_t) m =
      json_pack("{s:o}", "status", ferry_migration_status_new("2026-01-02T03:04:05Z"));
  g_assert_cmpint(ferry_phase_of(m), ==, FERRY_PHASE_PENDING);
  const json_t *stamps = ferry_json_get(m, "status.phaseTransitionTimestamps");
  g_assert_cmpuint(json_array_size(stamps), ==, 1);
  g_assert_cmpstr(ferry_json_str(json_array_get(stamps, 0), "phase"), ==, "Pending");
  g_assert_cmpstr(ferry_json_str(json_array_get(stamps, 0), "phaseTransitionTimestamp"), ==,
                  "2026-01-02T03:04:05Z");
}

static void test_modes(void) {
  for (int i = 0; ferry_migration_modes[i]; i++) {
    g_autoptr(json_t) m =
        json_pack("{s:{s:{s:s}}}", "status", "migrationState", "mode", ferry_migration_modes[i]);
    g_assert_cmpint(ferry_mode_of(m), ==, i + 1);
    g_assert_cmpstr(ferry_mode_name((FerryMode)(i + 1)), ==, ferry_migration_modes[i]);
  }
  g_autoptr(json_t) strange =
      json_pack("{s:{s:{s:s}}}", "status", "migrationState", "mode", "Postcopy");
  g_assert_cmpint(ferry_mode_of(strange), ==, FERRY_MODE_NONE);
  g_assert_cmpint(ferry_mode_of(NULL), ==, FERRY_MODE_NONE);
  g_assert_cmpstr(ferry_mode_name(FERRY_MODE_POST_COPY), ==, "PostCopy");
  g_assert_null(ferry_mode_name(FERRY_MODE_NONE));
  g_assert_cmpstr(ferry_abort_name(FERRY_ABORT_ABORTING), ==, "Aborting");
  g_assert_cmpstr(ferry_abort_name(FERRY_ABORT_SUCCEEDED), ==, "Succeeded");
  g_assert_cmpstr(ferry_abort_name(FERRY_ABORT_FAILED), ==, "Failed");
  g_assert_null(ferry_abort_name(FERRY_ABORT_NONE));
}

static void test_techniques(void) {
  g_autoptr(json_t) none = json_object();
  g_autoptr(json_t) odd = json_pack("{s:s}", "technique", "teleport");
  g_assert_cmpint(ferry_technique_of(none), ==, FERRY_TECHNIQUE_NONE);
  g_assert_cmpint(ferry_technique_of(odd), ==, FERRY_TECHNIQUE_NONE);
  g_assert_null(ferry_technique_name(FERRY_TECHNIQUE_NONE));
  for (FerryTechnique t = FERRY_TECHNIQUE_PRE_COPY; t <= FERRY_TECHNIQUE_POST_COPY; t++) {
    g_autoptr(json_t) fields = json_pack("{s:s}", "technique", ferry_technique_name(t));
    g_assert_cmpint(ferry_technique_of(fields), ==, t);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/phase/words", test_words);
  g_test_add_func("/phase/lists", test_lists);
  g_test_add_func("/phase/kinds", test_kinds_of_phases);
  g_test_add_func("/phase/first-status", test_first_status);
  g_test_add_func("/phase/modes", test_modes);
  g_test_add_func("/phase/techniques", test_techniques);
  return g_test_run();
}
