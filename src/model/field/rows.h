// SPDX-License-Identifier: Apache-2.0
// Inside the model only: short forms for writing tables of FerryField.
#pragma once
#include "model/field/field.h"
#include "base/limits.h"

G_BEGIN_DECLS

#define FIELD(n, t, d, ...)                                                                        \
  { .name = (n), .type = (t), .doc = (d), ##__VA_ARGS__ }
#define STR(n, d, ...) FIELD(n, FERRY_TYPE_STRING, d, ##__VA_ARGS__)
#define INT(n, d, ...) FIELD(n, FERRY_TYPE_INTEGER, d, ##__VA_ARGS__)
#define BOOL(n, d, ...) FIELD(n, FERRY_TYPE_BOOLEAN, d, ##__VA_ARGS__)
/** Bytes, or bytes a second, as a quantity. */
#define QUANTITY(n, d, ...)                                                                        \
  FIELD(n, FERRY_TYPE_QUANTITY, d, .unit = FERRY_UNIT_BYTES, ##__VA_ARGS__)
#define RATE_QUANTITY(n, d, ...)                                                                   \
  FIELD(n, FERRY_TYPE_QUANTITY, d, .unit = FERRY_UNIT_BYTES_PER_SECOND, ##__VA_ARGS__)
#define TIME(n, d, ...) FIELD(n, FERRY_TYPE_TIME, d, ##__VA_ARGS__)
#define MAP(n, d, ...) FIELD(n, FERRY_TYPE_MAP, d, ##__VA_ARGS__)
#define ANY(n, d, ...) FIELD(n, FERRY_TYPE_ANY, d, ##__VA_ARGS__)
#define OBJ(n, f, d, ...) FIELD(n, FERRY_TYPE_OBJECT, d, .fields = (f), ##__VA_ARGS__)
#define OBJS(n, f, d, ...)                                                                         \
  FIELD(n, FERRY_TYPE_LIST, d, .item = FERRY_TYPE_OBJECT, .fields = (f), ##__VA_ARGS__)
#define STRS(n, d, ...) FIELD(n, FERRY_TYPE_LIST, d, .item = FERRY_TYPE_STRING, ##__VA_ARGS__)
/** Whole numbers that are not negative. */
#define WHOLE(n, u, d, ...) INT(n, d, .unit = u, .min = 0, .max = G_MAXINT64, ##__VA_ARGS__)
#define COUNT(n, d, ...) WHOLE(n, FERRY_UNIT_COUNT, d, ##__VA_ARGS__)
#define BYTES(n, d, ...) WHOLE(n, FERRY_UNIT_BYTES, d, ##__VA_ARGS__)
#define RATE(n, d, ...) WHOLE(n, FERRY_UNIT_BYTES_PER_SECOND, d, ##__VA_ARGS__)
/** Whole numbers of a unit, with a range of their own. */
#define MS(n, d, ...) INT(n, d, .unit = FERRY_UNIT_MS, ##__VA_ARGS__)
#define SECONDS(n, d, ...) INT(n, d, .unit = FERRY_UNIT_SECONDS, ##__VA_ARGS__)
#define SECONDS_PER_GIB(n, d, ...) INT(n, d, .unit = FERRY_UNIT_SECONDS_PER_GIB, ##__VA_ARGS__)
#define PERCENT(n, d, ...) INT(n, d, .unit = FERRY_UNIT_PERCENT, ##__VA_ARGS__)
#define NOT_NEGATIVE .min = 0, .max = G_MAXINT64
/** A field of KubeVirt's that nothing here goes by; one with known members of its own. */
#define KEPT(n) ANY(n, "Of KubeVirt; kept, and does nothing here.", .flags = FERRY_FIELD_KEPT)
#define KEPT_OBJ(n, f) OBJ(n, f, "Of KubeVirt; kept, and does nothing here.")
#define END                                                                                        \
  { .name = NULL }
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define REQUIRED .flags = FERRY_FIELD_REQUIRED

/** Longest name of an object, longest message for people. */
#define NAME_MAX_LENGTH FERRY_DNS_NAME_MAX
#define MESSAGE_MAX_LENGTH 32768

G_END_DECLS
