// SPDX-License-Identifier: Apache-2.0
// The strategies there are, and the presets by which they are chosen: FERRY_STRATEGIES comes from
// `convergence_strategies` in meson.build.
#include "convergence/strategy.h"
#include <string.h>

#define STRATEGY(name) extern const FerryStrategy ferry_strategy_##name;
FERRY_STRATEGIES
#undef STRATEGY

#define STRATEGY(name) &ferry_strategy_##name,
static const FerryStrategy *const all_strategies[] = {FERRY_STRATEGIES};

const FerryStrategy *const *ferry_strategies(gsize *n) {
  *n = G_N_ELEMENTS(all_strategies);
  return all_strategies;
}

static gpointer strategies_gather(gpointer data) {
  GArray *all = g_array_new(FALSE, FALSE, sizeof(FerryPreset));
  for (const FerryPreset *p = ferry_presets_of_others; p->name; p++)
    g_array_append_val(all, *p);
  for (gsize i = 0; i < G_N_ELEMENTS(all_strategies); i++) {
    if (!all_strategies[i]->preset)
      continue;
    FerryPreset own = *all_strategies[i]->preset;
    own.strategy = all_strategies[i];
    g_array_append_val(all, own);
  }
  return all;
}

const FerryPreset *ferry_presets(gsize *n) {
  static GOnce once = G_ONCE_INIT;
  const GArray *all = g_once(&once, strategies_gather, NULL);
  *n = all->len;
  return (const FerryPreset *)(gpointer)all->data;
}

const FerryPreset *ferry_preset_find(const char *name) {
  gsize n;
  const FerryPreset *all = ferry_presets(&n);
  for (gsize i = 0; i < n; i++)
    if (strcmp(all[i].name, name) == 0)
      return &all[i];
  return NULL;
}
