// SPDX-License-Identifier: Apache-2.0
#include "overlap.h"

int64_t ferry_talk_beat(FerryTalk *talks, size_t n, size_t who, int64_t now_ns) {
  FerryTalk *me = &talks[who];
  int64_t before = me->heartbeat_ns;

  me->heartbeat_ns = now_ns;
  if (!before || now_ns - before > FERRY_TALK_SILENT_NS) {
    me->begun_ns = now_ns;
    return 0;
  }
  for (size_t i = who + 1; i < n; i++) // each pair once
    if (talks[i].heartbeat_ns > me->begun_ns &&
        now_ns - talks[i].heartbeat_ns <= FERRY_TALK_SILENT_NS)
      return now_ns - before;
  return 0;
}
