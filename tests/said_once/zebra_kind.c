// SPDX-License-Identifier: Apache-2.0
// A kind that test_said_once.py adds.
#include "model/kinds/columns.h"
#include "model/kinds/shared_fields.h"

static const FerryField zebra_spec[] = {
    COUNT("stripes", "How many stripes it has.", .min = 1, .max = 80),
    END,
};

static const FerryField zebra_fields[] = {
    OBJ("spec", zebra_spec, "What the zebra is.", REQUIRED),
    END,
};

static const FerryColumn zebra_columns[] = {
    COLUMN_NAME,
    COLUMN("Stripes", "integer", "spec.stripes", "How many stripes it has."),
    COLUMN_AGE,
};

const FerryKind ferry_kind_zebra = {
    .group = "ferry.migration",
    .version = "v1",
    .kind = "Zebra",
    .plural = "zebras",
    .singular = "zebra",
    .short_names = WORDS("zeb"),
    .verbs = FERRY_VERB_ALL,
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_EDIT,
    .fields = zebra_fields,
    .columns = zebra_columns,
    .n_columns = G_N_ELEMENTS(zebra_columns),
    .doc = "Zebra is an animal with stripes.",
};
