// SPDX-License-Identifier: Apache-2.0
#include "model/migration/condition.h"

static const char *const condition_names[FERRY_CONDITION_LAST] = {
    [FERRY_CONDITION_READY] = "Ready",
    [FERRY_CONDITION_ADDRESS_CONFLICT] = "AddressConflict",
    [FERRY_CONDITION_PEER_CONFLICT] = "PeerConflict",
    [FERRY_CONDITION_CERTIFICATE_EXPIRING] = "CertificateExpiring",
    [FERRY_CONDITION_FERRYD_CERTIFICATE_EXPIRING] = "FerrydCertificateExpiring",
    [FERRY_CONDITION_CONNECTIONS_NOT_CARRIED] = "ConnectionsNotCarried",
    [FERRY_CONDITION_COPIES_UNGUARDED] = "CopiesUnguarded",
    [FERRY_CONDITION_INVALID_DOMAINS] = "InvalidDomains",
    [FERRY_CONDITION_LIBVIRT_TRUST] = "LibvirtTrust",
    [FERRY_CONDITION_NETWORK_UNAVAILABLE] = "NetworkUnavailable",
    [FERRY_CONDITION_CREDENTIAL_EXPIRING] = "CredentialExpiring",
    [FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST] = "ClaimedByAnotherHost",
    [FERRY_CONDITION_DUPLICATE_NAME] = "DuplicateName",
    [FERRY_CONDITION_LIVE_MIGRATABLE] = "LiveMigratable",
    [FERRY_CONDITION_MIGRATING] = "Migrating",
    [FERRY_CONDITION_PAUSED] = "Paused",
    [FERRY_CONDITION_RUNNING_ON_TWO_HOSTS] = "RunningOnTwoHosts",
    [FERRY_CONDITION_STORAGE_LIVE_MIGRATABLE] = "StorageLiveMigratable",
    [FERRY_CONDITION_STALLING] = "Stalling",
    [FERRY_CONDITION_COMPLETE] = "Complete",
    [FERRY_CONDITION_CORDONED] = "Cordoned",
    [FERRY_CONDITION_DEADLINE_MISSED] = "DeadlineMissed",
    [FERRY_CONDITION_OTHER_DOMAINS_ACTIVE] = "OtherDomainsActive",
    [FERRY_CONDITION_HOST_BLOCKED] = "HostBlocked",
};

const char *ferry_condition_name(FerryConditionType type) {
  return condition_names[type];
}

json_t *ferry_condition_find(const json_t *object, FerryConditionType type) {
  return ferry_json_find(ferry_json_get(object, "status.conditions"), "type",
                         ferry_condition_name(type));
}

const char *ferry_condition_status(const json_t *object, FerryConditionType type) {
  return ferry_json_str(ferry_condition_find(object, type), "status");
}

static gboolean condition_says(const json_t *object, FerryConditionType type, const char *status) {
  return g_strcmp0(ferry_condition_status(object, type), status) == 0;
}

gboolean ferry_condition_holds(const json_t *object, FerryConditionType type) {
  return condition_says(object, type, "True");
}

gboolean ferry_condition_fails(const json_t *object, FerryConditionType type) {
  return condition_says(object, type, "False");
}

gboolean ferry_condition_is_unknown(const json_t *object, FerryConditionType type) {
  return condition_says(object, type, "Unknown");
}

gboolean ferry_condition_entry_holds(const json_t *condition) {
  return g_strcmp0(ferry_json_str(condition, "status"), "True") == 0;
}
