// SPDX-License-Identifier: Apache-2.0
#include "model/migration/action.h"

static const struct {
  const char *name;
  FerryUnit unit; /* of its value */
} action_rows[FERRY_ACTION_LAST] = {
    [FERRY_ACTION_SET_DOWNTIME] = {"SetDowntime", FERRY_UNIT_MS},
    [FERRY_ACTION_START_POSTCOPY] = {"StartPostCopy", FERRY_UNIT_NONE},
    [FERRY_ACTION_SUSPEND] = {"Suspend", FERRY_UNIT_NONE},
    [FERRY_ACTION_ABORT] = {"Abort", FERRY_UNIT_NONE},
    [FERRY_ACTION_NOTE] = {"Note", FERRY_UNIT_NONE},
    [FERRY_ACTION_SET_THROTTLE] = {"SetThrottle", FERRY_UNIT_PERCENT},
    [FERRY_ACTION_CHOOSE_MEANS] = {"ChooseMeans", FERRY_UNIT_NONE},
    [FERRY_ACTION_CHANGE] = {"Change", FERRY_UNIT_NONE},
    [FERRY_ACTION_REFUSE] = {"Refuse", FERRY_UNIT_NONE},
};

const char *ferry_action_name(FerryAction action) {
  return action_rows[action].name;
}

FerryAction ferry_action_parse(const char *name) {
  guint action = name ? FERRY_ACTION_LAST - 1 : FERRY_ACTION_NONE;
  while (action > FERRY_ACTION_NONE && !g_str_equal(name, action_rows[action].name))
    action--;
  return (FerryAction)action;
}

FerryUnit ferry_action_unit(FerryAction action) {
  return action_rows[action].unit;
}
