// SPDX-License-Identifier: Apache-2.0
// Theory of operation
//
// Gaps are between arrivals of heartbeats, whichever QEMU they came from: a
// guest does not notice its own pause. The gap that is still open counts too.
//
// Work is measured between the status line that was the latest when the window
// began and the latest now; time in which the guest stood still since that line
// is added, as the next line will tell. Lost seconds are two sums: outside time less the
// guest's own time (it did not run at all), and work due by its own clock less
// work done (it ran too slowly), divided by its rate.
//
// Memory is intact if the guest runs, has found no error since it started, and
// has checked all of it since it last moved. Otherwise it is unknown or not.
#include "window.h"

#include <stdio.h>
#include <string.h>

static const int64_t MS = 1000000;
static const int64_t TICK_NS = FERRY_TICK_US * 1000LL;
static const int64_t SILENT_NS = 2000 * 1000000LL;

// Upper bounds of the histogram's buckets in ms; the last has none.
static const int BUCKETS_MS[FERRY_WINDOW_BUCKETS - 1] = {8,   15,  20,  50,   100,
                                                         200, 300, 500, 1000, 5000};

// How much longer than usual a gap is; 0 for one that may be mere jitter.
static int64_t excess(int64_t gap_ns) {
  return gap_ns > 3 * TICK_NS ? gap_ns - TICK_NS : 0;
}

// Where the last status line's time would be had the guest never stopped
// since: the end of what can be compared with the guest's own clock.
static int64_t comparable_end(const FerryWindow *self, int64_t now_ns) {
  int64_t open = self->heartbeat_ns ? excess(now_ns - self->heartbeat_ns) : 0;

  return self->status_ns + self->stopped_ns + open;
}

void ferry_window_init(FerryWindow *self, int64_t now_ns) {
  memset(self, 0, sizeof *self);
  self->start_ns = now_ns;
}

void ferry_window_reset(FerryWindow *self, int64_t now_ns) {
  self->start_ns = now_ns;
  self->heartbeats = self->heartbeats_missed = 0;
  self->moves = 0;
  self->both_ns = 0;
  memset(self->gaps, 0, sizeof self->gaps);
  memset(self->histogram, 0, sizeof self->histogram);
  self->base = self->status;
  self->base_ns = self->status_ns ? comparable_end(self, now_ns) : 0;
}

static void insert_gap(FerryGap *gaps, FerryGap gap) {
  for (int i = 0; i < FERRY_WINDOW_GAPS; i++)
    if (gap.length_ns > gaps[i].length_ns) {
      FerryGap shorter = gaps[i];
      gaps[i] = gap;
      gap = shorter;
    }
}

static int bucket_of(int64_t length_ns) {
  int i = 0;

  while (i < FERRY_WINDOW_BUCKETS - 1 && length_ns > BUCKETS_MS[i] * MS)
    i++;
  return i;
}

// The gap that ends now, as far as it lies within the window.
static int64_t gap_until(const FerryWindow *self, int64_t now_ns) {
  int64_t since = self->heartbeat_ns > self->start_ns ? self->heartbeat_ns : self->start_ns;

  return self->heartbeat_ns && now_ns > since ? now_ns - since : 0;
}

void ferry_window_heartbeats(FerryWindow *self, int64_t now_ns, uint32_t n, uint8_t sequence,
                             bool moved) {
  if (self->heartbeat_ns) {
    FerryGap gap = {gap_until(self, now_ns), now_ns, moved};

    self->stopped_ns += excess(now_ns - self->heartbeat_ns);
    insert_gap(self->gaps, gap);
    self->histogram[bucket_of(gap.length_ns)]++;
    self->heartbeats_missed += (uint8_t)((sequence - self->sequence - n) & 0x7f);
  }
  self->moves += moved;
  self->heartbeats += n;
  self->heartbeat_ns = now_ns;
  self->sequence = sequence;
}

static bool checksum_good(const char *line, const char *end) {
  unsigned sum = 0, expected;
  char rest;

  if (sscanf(end, " *%2x%c", &expected, &rest) != 1)
    return false;
  for (; line < end; line++)
    sum += (unsigned char)*line;
  return (sum & 0xff) == expected;
}

// Reads exactly n hexadecimal numbers, each after a space.
static bool read_numbers(const char *text, const char *end, uint64_t *out, int n) {
  for (int i = 0; i < n; i++) {
    int digits = 0;

    if (text >= end || *text++ != ' ')
      return false;
    for (out[i] = 0; text < end && *text != ' '; text++, digits++) {
      const char *digit = strchr("0123456789abcdef", *text);
      if (!digit || digits == 16)
        return false;
      out[i] = out[i] << 4 | (uint64_t)(digit - "0123456789abcdef");
    }
    if (!digits)
      return false;
  }
  return text == end;
}

static void take_status(FerryWindow *self, int64_t now_ns, const FerryStatusLine *status) {
  bool rebooted = self->status_ns && status->uptime_us < self->status.uptime_us;

  if (rebooted) {
    self->reboots++;
    self->errors_before_reboot += self->status.errors;
    self->verify_needed = self->verify_sent = 0;
  }
  // Work is counted from when the working set is filled.
  if (!self->base_ns || rebooted || !self->base.ready) {
    self->base = *status;
    self->base_ns = now_ns;
  }
  self->status = *status;
  self->status_ns = now_ns;
  self->stopped_ns = 0;
}

static void take_error(FerryWindow *self, const uint64_t *numbers) {
  static const char *const kinds[] = {"page", "generation table of page", "sums of pages from",
                                      "disk block"};

  snprintf(self->last_error, sizeof self->last_error,
           "%s %llu, word %llu: expected 0x%08llx, found 0x%08llx",
           numbers[0] < 4 ? kinds[numbers[0]] : "unknown thing", (unsigned long long)numbers[1],
           (unsigned long long)numbers[2], (unsigned long long)numbers[3],
           (unsigned long long)numbers[4]);
}

bool ferry_window_line(FerryWindow *self, int64_t now_ns, const char *line) {
  const char *end = strrchr(line, '*');
  uint64_t numbers[FERRY_STATUS_FIELDS];
  FerryStatusLine status;

  if (!end || end == line || !strchr("SEIF", line[0]) || line[1] != ' ')
    return false;
  end--;
  if (!checksum_good(line, end)) {
    self->bad_lines++;
    return false;
  }
  switch (line[0]) {
  case 'S':
    if (!read_numbers(line + 1, end, numbers, FERRY_STATUS_FIELDS))
      break;
    memcpy(&status, numbers, sizeof status);
    take_status(self, now_ns, &status);
    return true;
  case 'E':
    if (!read_numbers(line + 1, end, numbers, 5))
      break;
    take_error(self, numbers);
    return true;
  case 'F':
    snprintf(self->fatal, sizeof self->fatal, "%.*s", (int)(end - line - 2), line + 2);
    return true;
  default:
    return true;
  }
  self->bad_lines++;
  return false;
}

uint32_t ferry_window_require_verify(FerryWindow *self) {
  return self->verify_needed = ++self->verify_sent;
}

bool ferry_window_verify_pending(const FerryWindow *self) {
  return self->verify_needed && self->status.verified != self->verify_needed;
}

static json_t *intact(const FerryWindow *self, int64_t now_ns, const char **why) {
  *why = NULL;
  if (self->errors_before_reboot + self->status.errors)
    return json_false();
  if (!self->status_ns)
    *why = "the guest has not reported yet";
  else if (!self->status.ready)
    *why = "the guest is still filling its working set";
  else if (now_ns - self->status_ns > SILENT_NS)
    *why = "the guest is silent";
  else if (ferry_window_verify_pending(self))
    *why = "the guest has not yet checked all its memory since it moved or was asked to";
  return *why ? json_null() : json_true();
}

static double seconds(int64_t ns) {
  return (double)ns / 1e9;
}

static double milliseconds(int64_t ns) {
  return (double)((ns + 5000) / 10000) / 100; // two decimals
}

static json_t *gaps_json(const FerryWindow *self, int64_t now_ns) {
  FerryGap gaps[FERRY_WINDOW_GAPS];
  FerryGap open = {gap_until(self, now_ns), now_ns, false};
  json_t *list = json_array();

  memcpy(gaps, self->gaps, sizeof gaps);
  insert_gap(gaps, open);
  for (int i = 0; i < FERRY_WINDOW_GAPS && gaps[i].length_ns; i++)
    json_array_append_new(
        list, json_pack("{s:f, s:f, s:b}", "ms", milliseconds(gaps[i].length_ns), "at_seconds",
                        seconds(gaps[i].end_ns - gaps[i].length_ns - self->start_ns), "moved",
                        gaps[i].moved));
  return list;
}

static json_t *histogram_json(const FerryWindow *self) {
  json_t *object = json_object();
  char name[16];

  for (int i = 0; i < FERRY_WINDOW_BUCKETS; i++) {
    if (i < FERRY_WINDOW_BUCKETS - 1)
      snprintf(name, sizeof name, "<=%d", BUCKETS_MS[i]);
    else
      snprintf(name, sizeof name, ">%d", BUCKETS_MS[i - 1]);
    json_object_set_new(object, name, json_integer((json_int_t)self->histogram[i]));
  }
  return object;
}

json_t *ferry_window_json(const FerryWindow *self, int64_t now_ns) {
  const FerryStatusLine *base = &self->base, *last = &self->status;
  double span = self->base_ns ? seconds(comparable_end(self, now_ns) - self->base_ns) : 0;
  double pages = (double)(last->written - base->written);
  double lost = span - (double)(last->uptime_us - base->uptime_us) / 1e6;
  double undone = (double)(int64_t)((last->due - base->due) - (last->done - base->done));
  double longest = milliseconds(gap_until(self, now_ns));
  const char *why;
  json_t *memory = intact(self, now_ns, &why);

  lost = (lost > 0 ? lost : 0) + (last->rate && undone > 0 ? undone / (double)last->rate : 0);
  if (milliseconds(self->gaps[0].length_ns) > longest)
    longest = milliseconds(self->gaps[0].length_ns);

  return json_pack(
      "{s:f, s:I, s:f, s:f, s:o, s:o, s:f, s:o, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, "
      "s:i, s:b, s:f, s:f, s:s?, s:s?}",
      "seconds", seconds(now_ns - self->start_ns), "pages_written",
      (json_int_t)(last->written - base->written), "work_rate_mib_s",
      span > 0 ? pages / 256 / span : 0.0, "longest_gap_ms", longest, "gaps",
      gaps_json(self, now_ns), "gap_histogram_ms", histogram_json(self), "lost_seconds", lost,
      "memory_intact", memory, "memory_unknown_because", why, "check_errors",
      (json_int_t)(self->errors_before_reboot + last->errors), "pages_checked",
      (json_int_t)(last->checked - base->checked), "disk_blocks_written",
      (json_int_t)(last->blocks_written - base->blocks_written), "disk_blocks_checked",
      (json_int_t)(last->blocks_checked - base->blocks_checked), "heartbeats",
      (json_int_t)self->heartbeats, "heartbeats_missed", (json_int_t)self->heartbeats_missed,
      "uptime_us", (json_int_t)last->uptime_us, "moves", (int)self->moves, "reboots",
      (int)self->reboots, "damaged_lines", (int)self->bad_lines, "ready", (int)(last->ready != 0),
      "both_ms", milliseconds(self->both_ns), "silent_seconds",
      self->heartbeat_ns ? seconds(now_ns - self->heartbeat_ns) : 0.0, "last_error",
      self->last_error[0] ? self->last_error : NULL, "fatal", self->fatal[0] ? self->fatal : NULL);
}
