// SPDX-License-Identifier: Apache-2.0
#include "cli/core/options.h"

const char *const ferry_formats_list[] = {"json", "yaml", "wide", "name", "table", NULL};
const char *const ferry_formats_object[] = {"json", "yaml", "name", NULL};
const char *const ferry_formats_final[] = {"json", "yaml", NULL};

const FerryCliOption ferry_options_before_flags[] = {OPT_MIGRATION, OPT_END};
