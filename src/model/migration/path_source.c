// SPDX-License-Identifier: Apache-2.0
#include "model/migration/path_source.h"

const char *const ferry_path_source_names[] = {
    [FERRY_PATH_LIMIT] = "limit",         [FERRY_PATH_MEASURED] = "measured",
    [FERRY_PATH_MIGRATION] = "migration", [FERRY_PATH_LINK] = "link",
    [FERRY_PATH_ASSUMED] = "assumed",     [FERRY_PATH_SOURCES] = NULL};

static const struct {
  double doubt;
  const char *words;
} path_sources[FERRY_PATH_SOURCES] = {
    [FERRY_PATH_LIMIT] = {0.1, "the bandwidth limit"},
    [FERRY_PATH_MEASURED] = {0.1, "as measured just now"},
    [FERRY_PATH_MIGRATION] = {0.05, "as the last migration to there"},
    [FERRY_PATH_LINK] = {0.1, "half of the slower link"},
    [FERRY_PATH_ASSUMED] = {0.3, "assumed: the links' speed is not known"},
};

const char *ferry_path_source_name(FerryPathSource source) {
  return ferry_path_source_names[source];
}

double ferry_path_source_doubt(FerryPathSource source) {
  return path_sources[source].doubt;
}

const char *ferry_path_source_words(const char *name) {
  for (int i = 0; name && i < FERRY_PATH_SOURCES; i++)
    if (g_str_equal(ferry_path_source_names[i], name))
      return path_sources[i].words;
  return path_sources[FERRY_PATH_ASSUMED].words;
}
