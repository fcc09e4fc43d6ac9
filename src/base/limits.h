// SPDX-License-Identifier: Apache-2.0
// Plain numbers that several folders go by.
#pragma once
#include <glib.h>

/** Seconds and milliseconds of a day. */
#define FERRY_DAY_S ((gint64)86400)
#define FERRY_DAY_MS (FERRY_DAY_S * 1000)
/** Longest life of a user's credential. */
#define FERRY_CREDENTIAL_MAX_DAYS 3650
/** Longest name of a host in DNS, in characters. */
#define FERRY_DNS_NAME_MAX 253
/** Most bytes that are read of a file of certificates that somebody else wrote. */
#define FERRY_PEM_MAX (256 * 1024)
/** Time between two looks whether a file has changed that is asked for at each request. */
#define FERRY_FILE_LOOK_US 400000
