// SPDX-License-Identifier: Apache-2.0
// For how long two copies of one guest ran at once, seen from outside.
//
// Pure: times are nanoseconds of one monotonic clock, taken when bytes arrived. Not thread-safe.
#ifndef FERRY_LAB_COLLECTOR_OVERLAP_H
#define FERRY_LAB_COLLECTOR_OVERLAP_H

#include <stddef.h>
#include <stdint.h>

// A copy that was silent for longer had stopped; heartbeats are due every 5 ms.
enum { FERRY_TALK_SILENT_NS = 25000000 };

// What one connection said. All zero: nothing yet.
typedef struct {
  int64_t begun_ns; // its first heartbeat since it was silent
  int64_t heartbeat_ns;
} FerryTalk;

// talks[who] was heard at now_ns. How much longer two have run at once by that: the time since its
// own heartbeat before, where another one's came after this one had begun, and is not old.
int64_t ferry_talk_beat(FerryTalk *talks, size_t n, size_t who, int64_t now_ns);

#endif
