// SPDX-License-Identifier: Apache-2.0
// Conditions in status.conditions: which there are, and how one is read. Their types are in
// condition.c and nowhere else (tests/tree/check-words). control/conditions.h sets them. Pure; any
// thread.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef enum {
  /* of a Node, a Network, a VM */
  FERRY_CONDITION_READY,
  /* of a Node */
  FERRY_CONDITION_ADDRESS_CONFLICT, /* its event has the same reason, as that of the next one */
  FERRY_CONDITION_PEER_CONFLICT,
  FERRY_CONDITION_CERTIFICATE_EXPIRING,
  FERRY_CONDITION_FERRYD_CERTIFICATE_EXPIRING,
  FERRY_CONDITION_CONNECTIONS_NOT_CARRIED,
  FERRY_CONDITION_COPIES_UNGUARDED,
  FERRY_CONDITION_INVALID_DOMAINS,
  FERRY_CONDITION_LIBVIRT_TRUST, /* ferryd's CA for libvirt */
  FERRY_CONDITION_NETWORK_UNAVAILABLE,
  /* of a User */
  FERRY_CONDITION_CREDENTIAL_EXPIRING,
  /* of a VM */
  FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST,
  FERRY_CONDITION_DUPLICATE_NAME,
  FERRY_CONDITION_LIVE_MIGRATABLE,
  FERRY_CONDITION_MIGRATING,
  FERRY_CONDITION_PAUSED,
  FERRY_CONDITION_RUNNING_ON_TWO_HOSTS,
  FERRY_CONDITION_STORAGE_LIVE_MIGRATABLE,
  /* of a migration */
  FERRY_CONDITION_STALLING,
  /* of an Evacuation */
  FERRY_CONDITION_COMPLETE,
  FERRY_CONDITION_CORDONED,
  FERRY_CONDITION_DEADLINE_MISSED,
  FERRY_CONDITION_OTHER_DOMAINS_ACTIVE,
  /* of a Rollout, beside COMPLETE */
  FERRY_CONDITION_HOST_BLOCKED,
  FERRY_CONDITION_LAST
} FerryConditionType;

/** The word of a type. Static. */
const char *ferry_condition_name(FerryConditionType type);
/** The condition of an object, borrowed; NULL where it has none of that type, or is NULL. */
json_t *ferry_condition_find(const json_t *object, FerryConditionType type);
/** Its status ("True", "False", "Unknown"), borrowed; NULL where there is none. */
const char *ferry_condition_status(const json_t *object, FerryConditionType type);
/** Whether its status is True; FALSE where there is no such condition, here and below. */
gboolean ferry_condition_holds(const json_t *object, FerryConditionType type);
/** Whether it is False. */
gboolean ferry_condition_fails(const json_t *object, FerryConditionType type);
/** Whether it is Unknown. */
gboolean ferry_condition_is_unknown(const json_t *object, FerryConditionType type);
/** Whether it is the entry of status.conditions, rather than the object, that holds. */
gboolean ferry_condition_entry_holds(const json_t *condition);

G_END_DECLS
