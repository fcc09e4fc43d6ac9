// SPDX-License-Identifier: Apache-2.0
#include "model/flags/resume_defects.h"
#include "model/flags/migration_flags.h"

/* From `since` on, before `until`. */
typedef struct {
  const char *since, *until, *what;
} Defect;

static const Defect resume_defects[] = {
    /* by libvirt's release notes since 11.2; measured with 11.3.0, whoever asks: a null pointer */
    {"11.2.0", "11.4.0", "its libvirtd dies of a post-copy migration that is resumed"},
};

static const Defect *defect_of(const char *version) {
  for (gsize i = 0; version && i < G_N_ELEMENTS(resume_defects); i++)
    if (ferry_version_compare(version, resume_defects[i].since) >= 0 &&
        ferry_version_compare(version, resume_defects[i].until) < 0)
      return &resume_defects[i];
  return NULL;
}

const char *ferry_resume_defect(const char *version) {
  const Defect *defect = defect_of(version);
  return defect ? defect->what : NULL;
}

const char *ferry_resume_fixed_in(const char *version) {
  const Defect *defect = defect_of(version);
  return defect ? defect->until : NULL;
}

static gboolean can_resume(const char *version) {
  const char *since = ferry_migration_flag_find("postCopyResume")->since_libvirt;
  return version && ferry_version_compare(version, since) >= 0;
}

gboolean ferry_resume_is_allowed(const char *source, const char *target) {
  return can_resume(source) && can_resume(target) && !defect_of(target);
}
