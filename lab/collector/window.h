// SPDX-License-Identifier: Apache-2.0
// What the collector makes of one guest's heartbeats and reports: gaps, work,
// lost seconds and the state of its memory, over a window that can be restarted.
//
// Pure: no I/O, no clock of its own. Times are nanoseconds of one monotonic
// clock, taken when bytes arrived. Not thread-safe.
#ifndef FERRY_LAB_COLLECTOR_WINDOW_H
#define FERRY_LAB_COLLECTOR_WINDOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "../guest/report.h"

enum { FERRY_WINDOW_GAPS = 5, FERRY_WINDOW_BUCKETS = 11 };

typedef struct {
  int64_t length_ns;
  int64_t end_ns;
  bool moved; // another connection, that is another QEMU, spoke after it
} FerryGap;

typedef struct {
  // The window.
  int64_t start_ns;
  uint64_t heartbeats;
  uint64_t heartbeats_missed;       // by their sequence numbers
  FerryGap gaps[FERRY_WINDOW_GAPS]; // longest first
  uint64_t histogram[FERRY_WINDOW_BUCKETS];
  uint32_t moves;
  int64_t both_ns; // two connections, that is two copies of the guest, spoke
  FerryStatusLine base;
  int64_t base_ns; // 0: none yet

  // The guest's life.
  int64_t heartbeat_ns; // the last one; 0: none yet
  uint8_t sequence;
  int64_t status_ns;
  int64_t stopped_ns; // gaps since the last status line: the guest's clock stood still
  FerryStatusLine status;
  uint32_t reboots;
  uint32_t bad_lines;
  uint64_t errors_before_reboot;
  uint32_t verify_needed; // memory counts as checked when the guest has verified this
  uint32_t verify_sent;
  char last_error[256];
  char fatal[256];
} FerryWindow;

void ferry_window_init(FerryWindow *self, int64_t now_ns);

// Starts a new window; what is known of the guest's memory stays.
void ferry_window_reset(FerryWindow *self, int64_t now_ns);

// n heartbeats arrived, the last with the given sequence. moved: they came by
// another connection than the one before.
void ferry_window_heartbeats(FerryWindow *self, int64_t now_ns, uint32_t n, uint8_t sequence,
                             bool moved);

// A line arrived (without newline). True if it is the guest's own, false if it
// is of its kernel's console or damaged.
bool ferry_window_line(FerryWindow *self, int64_t now_ns, const char *line);

// Asks that the guest check all its memory: the ID to send as "verify ID".
uint32_t ferry_window_require_verify(FerryWindow *self);

// True when the last required check is still missing.
bool ferry_window_verify_pending(const FerryWindow *self);

// What `stat` shows, as a new reference.
json_t *ferry_window_json(const FerryWindow *self, int64_t now_ns);

#endif
