// SPDX-License-Identifier: Apache-2.0
// Rollout: one host after another is emptied, worked on by others, and opened again.
#include "model/kinds/columns.h"
#include "model/kinds/shared_fields.h"

static const FerryField rollout_spec[] = {
    STR("selector",
        "Labels of the hosts, as rack=a or rack in (a,b); empty: all hosts. Which hosts these are "
        "is decided once, at the beginning.",
        .flags = FERRY_FIELD_IMMUTABLE, .max = 4096),
    INT("maxUnavailable", "How many hosts are emptied or empty at a time.", .def = "1",
        .unit = FERRY_UNIT_COUNT, .min = 1, .max = 10000),
    BOOL("paused",
         "Whether no further host is started and none is emptied further. A host that is empty may "
         "still be "
         "said to be done.",
         .def = "false"),
    END,
};

static const FerryField rollout_host[] = {
    STR("nodeName", "The host.", REQUIRED, .max = NAME_MAX_LENGTH),
    STR("phase", "How far it is: Empty ones wait for somebody to say that they are done.",
        .values = ferry_rollout_host_phases),
    STR("message", "What it waits for, and all reasons why a VM stays.", .max = MESSAGE_MAX_LENGTH),
    STR("evacuation", "The Evacuation that empties it.", .max = NAME_MAX_LENGTH),
    TIME("since", "Since when it is in that phase."),
    BOOL("wasCordoned", "Whether it was cordoned before, and stays so."),
    BOOL("avoided", "Whether it got the taint that has VMs go to other hosts where they can."),
    TIME("doneAt", "When it was said to be done."),
    STR("doneBy", "Who said so.", .max = 1024),
    END,
};

static const FerryField rollout_status[] = {
    STR("phase", "How far it is; Succeeded and Failed are final.", .values = ferry_rollout_phases),
    COUNT("total", "Hosts of the rollout."),
    COUNT("done", "Hosts that are done and open again."),
    COUNT("failed", "Hosts that are not there any more."),
    STR("current", "The hosts under way and their phases.", .max = MESSAGE_MAX_LENGTH),
    OBJS("hosts", rollout_host, "The hosts, by name.", .max = 10000),
    OBJS("conditions", ferry_fields_condition, "Statements about the rollout.", .merge_key = "type",
         .max = 64),
    END,
};

static const FerryField rollout_fields[] = {
    OBJ("spec", rollout_spec, "What is wished."),
    OBJ("status", rollout_status, "What is true of the rollout."),
    END,
};

static const FerryColumn rollout_columns[] = {
    COLUMN_NAME,
    COLUMN("Phase", "string", "status.phase", "How far it is."),
    COLUMN("Hosts", "integer", "status.total", "Hosts of the rollout."),
    COLUMN("Done", "integer", "status.done", "Hosts that are done and open again."),
    COLUMN("Now", "string", "status.current", "The hosts under way and their phases."),
    COLUMN_AGE,
    COLUMN_WIDE("Selector", "string", "spec.selector", "Labels of the hosts."),
};

const FerryKind ferry_kind_rollout = {
    .group = "ferry.migration",
    .version = "v1",
    .kind = "Rollout",
    .plural = "rollouts",
    .singular = "rollout",
    .categories = WORDS("all"),
    .namespaced = FALSE,
    .verbs = FERRY_VERB_ALL,
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_OPERATE,
    .has_status = TRUE,
    .subresources = WORDS("done"),
    .fields = rollout_fields,
    .columns = rollout_columns,
    .n_columns = G_N_ELEMENTS(rollout_columns),
    .field_selectors = WORDS("status.phase"),
    .doc = "Rollout empties one host after another, waits until each is said to be done, and opens "
           "it again.",
};
