// SPDX-License-Identifier: Apache-2.0
// Plain numbers that several folders go by.
#pragma once
#include <glib.h>

/** Seconds and milliseconds of a day. */
#define FERRY_DAY_S ((gint64)86400)
#define FERRY_DAY_MS (FERRY_DAY_S * 1000)
/** Longest life of a user's credential. */
#define FERRY_CREDENTIAL_MAX_DAYS 3650
/** Longest name of a host in DNS, in characters; no object, node or group has a longer one. */
#define FERRY_DNS_NAME_MAX 253
/** So many of a longer list are named in a sentence. */
#define FERRY_NAMED_MAX 5
/** Most warnings of one answer that a server sends and a client keeps. */
#define FERRY_WARNINGS_MAX 32
/** Most bytes of what an agent says is wrong with its host's trust. */
#define FERRY_PROBLEM_MAX 1024
/** Longest token with which a host joins; most bytes of a file that holds one. */
#define FERRY_JOIN_TOKEN_MAX 600
#define FERRY_TOKEN_FILE_MAX 4096
/** Pause of a guest that QEMU permits itself where nobody says another. */
#define FERRY_QEMU_DOWNTIME_MS 300
/** What a switch-over costs with nothing left to send, where it was not measured. */
#define FERRY_SWITCHOVER_COST_MS 30
/** Pauses between tries to reach what is away: the first one, and the longest. */
#define FERRY_BACKOFF_MIN_MS 100
#define FERRY_BACKOFF_MAX_MS 5000
/** Most bytes that are read of a file of certificates that somebody else wrote. */
#define FERRY_PEM_MAX (256 * 1024)
/** A link's rate is told in megabits a second. */
#define FERRY_BYTES_PER_MBIT 125000
/** Time between two looks whether a file has changed that is asked for at each request. */
#define FERRY_FILE_LOOK_US 400000
