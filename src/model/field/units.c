// SPDX-License-Identifier: Apache-2.0
#include "model/field/units.h"

static const struct {
  const char *word, *suffix;
} unit_rows[] = {
    [FERRY_UNIT_NONE] = {"", ""},
    [FERRY_UNIT_COUNT] = {"", ""},
    [FERRY_UNIT_NUMBER] = {"", ""},
    [FERRY_UNIT_BYTES] = {"bytes", "Bytes"},
    [FERRY_UNIT_BYTES_PER_SECOND] = {"bytes/s", "BytesPerSecond"},
    [FERRY_UNIT_MIB_PER_SECOND] = {"MiB/s", "MiBps"},
    [FERRY_UNIT_MBIT_PER_SECOND] = {"Mbit/s", "Mbps"},
    [FERRY_UNIT_MS] = {"ms", "Ms"},
    [FERRY_UNIT_SECONDS] = {"s", "Seconds"},
    [FERRY_UNIT_SECONDS_PER_GIB] = {"s per GiB", "PerGiB"},
    [FERRY_UNIT_PERCENT] = {"percent", "Percent"},
    [FERRY_UNIT_HZ] = {"Hz", "Hz"},
};

const char *ferry_unit_word(FerryUnit unit) {
  return unit_rows[unit].word;
}

const char *ferry_unit_suffix(FerryUnit unit) {
  return unit_rows[unit].suffix;
}
