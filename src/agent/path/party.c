// SPDX-License-Identifier: Apache-2.0
#include "agent/path/party.h"
#include "model/flags/migration_flags.h"

void ferry_party_fill(const FerryClientConfig *own, const json_t *migration, const char *peer,
                      FerryBandwidthParty *party) {
  const json_t *config = ferry_json_get(migration, "status.migrationState.migrationConfiguration");
  *party = (FerryBandwidthParty){.cert_pem = own->cert_pem,
                                 .key_pem = own->key_pem,
                                 .ca_pem = own->ca_pem,
                                 .peer = peer,
                                 .id = ferry_json_str(migration, "metadata.uid"),
                                 .clear = ferry_json_bool(config, "disableTLS", FALSE)};
}

const char *ferry_party_obstacle(const FerryClientConfig *own, gboolean local,
                                 const json_t *migration) {
  const json_t *state = ferry_json_get(migration, "status.migrationState");
  const json_t *config = json_object_get(state, "migrationConfiguration");
  if (!own || !own->cert_pem || !own->key_pem || !own->ca_pem)
    return "the agent has no certificate";
  if (!local)
    return "the agent does not run on the host itself";
  if (ferry_json_bool(config, "offline", FALSE))
    return "an offline migration sends no memory";
  if (!ferry_migration_uses_network(config))
    return "the data go another way (tunnelled, or migrateURI)";
  if (!ferry_json_str(state, "targetNodeAddress"))
    return "the target's address is not known";
  return NULL;
}
