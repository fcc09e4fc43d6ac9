// SPDX-License-Identifier: Apache-2.0
// What is done to a migration while it runs: status.decisions[].action. The words are in action.c
// and nowhere else (tests/tree/check-words). Pure; any thread.
#pragma once
#include "model/field/units.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_ACTION_NONE, /* no action, or a word of another version's */
  /* what the convergence controller decides */
  FERRY_ACTION_SET_DOWNTIME, /* value: ms */
  FERRY_ACTION_START_POSTCOPY,
  FERRY_ACTION_SUSPEND, /* pause the guest on the source so that it converges */
  FERRY_ACTION_ABORT,
  FERRY_ACTION_NOTE, /* nothing to do, but to tell: it does not converge, with the numbers */
  FERRY_ACTION_SET_THROTTLE, /* value: percent of its time that the guest does not run; only where
                                the intent says that it can be carried out */
  /* what else is recorded beside it */
  FERRY_ACTION_CHOOSE_MEANS, /* before the call, which of the permitted means are used */
  FERRY_ACTION_CHANGE,       /* somebody changed what runs */
  FERRY_ACTION_REFUSE,       /* a decision, or a change, that was not carried out */
  FERRY_ACTION_LAST
} FerryAction;

/** The number of the controller's own actions; they are 1 to this. */
#define FERRY_ACTIONS_DECIDED FERRY_ACTION_SET_THROTTLE

/** The word of an action; NULL for NONE. Static. */
const char *ferry_action_name(FerryAction action);
/** The action of a word; NONE for NULL and for one that is not known. */
FerryAction ferry_action_parse(const char *name);
/** The unit of the value that it sets; FERRY_UNIT_NONE where it sets none. */
FerryUnit ferry_action_unit(FerryAction action);

G_END_DECLS
