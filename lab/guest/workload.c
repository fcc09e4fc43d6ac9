// SPDX-License-Identifier: Apache-2.0
// Theory of operation
//
// Each page carries its index and a generation in a header of 64 bytes that
// every write renews, and a body that depends on the index only. What was
// written last is also kept apart: a table with each page's generation, a sum
// of each 1024 entries of that table, and the number of all writes. Memory that
// a migration lost, or that is older than it should be, makes one of them
// disagree with another:
// - a stale or foreign page disagrees with its generation,
// - a stale page of the table disagrees with its sum,
// - stale sums disagree with the number of writes.
// A page's header is checked right before it is rewritten; a scanner compares
// whole pages, one table chunk at a time. A mismatch is reported once, then
// the page is repaired so that the next one is seen too.
//
// Time is the guest's own. Each step turns the time since the last one into
// credit and spends it; credit beyond FERRY_DEBT_US is dropped, so a guest that
// was paused or throttled does not catch up.
#include "workload.h"

enum {
  MICROSECONDS = 1000000,
  VERIFY_RATE = 32768, // pages per second while a check of all pages is asked for
};

static const uint32_t MAGIC = 0x46455259;

static uint32_t mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}

uint32_t ferry_random(uint32_t *state) {
  uint32_t x = *state;

  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

// A number below n, from 32 random bits, without a division.
static uint32_t scale(uint32_t random, uint32_t n) {
  return (uint32_t)(((uint64_t)random * n) >> 32);
}

static uint32_t header_seed(uint32_t index, uint32_t generation) {
  return mix(index * 0x9e3779b1U + generation * 0x85ebca6bU + 1);
}

void ferry_page_write(uint32_t *page, uint32_t index, uint32_t generation) {
  uint32_t seed = header_seed(index, generation);

  page[0] = index ^ MAGIC;
  page[1] = generation;
  for (uint32_t i = 2; i < FERRY_HEADER_WORDS; i++)
    page[i] = seed + i * 0xc2b2ae35U;
}

void ferry_page_fill(uint32_t *page, uint32_t index, uint32_t generation) {
  uint32_t value = mix(index + MAGIC);

  ferry_page_write(page, index, generation);
  for (uint32_t i = FERRY_HEADER_WORDS; i < FERRY_PAGE_WORDS; i++, value += 0x9e3779b9U)
    page[i] = value;
}

static bool mismatch(FerryCheckError *error, uint32_t index, uint32_t word, uint32_t expected,
                     uint32_t found) {
  *error = (FerryCheckError){FERRY_ERROR_PAGE, index, word, expected, found};
  return false;
}

bool ferry_page_check(const uint32_t *page, uint32_t index, uint32_t generation, uint32_t n,
                      FerryCheckError *error) {
  uint32_t seed = header_seed(index, generation);
  uint32_t value = mix(index + MAGIC);

  if (page[0] != (index ^ MAGIC))
    return mismatch(error, index, 0, index ^ MAGIC, page[0]);
  if (page[1] != generation)
    return mismatch(error, index, 1, generation, page[1]);
  for (uint32_t i = 2; i < FERRY_HEADER_WORDS; i++)
    if (page[i] != seed + i * 0xc2b2ae35U)
      return mismatch(error, index, i, seed + i * 0xc2b2ae35U, page[i]);
  for (uint32_t i = FERRY_HEADER_WORDS; i < n; i++, value += 0x9e3779b9U)
    if (page[i] != value)
      return mismatch(error, index, i, value, page[i]);
  return true;
}

bool ferry_pattern_parse(const char *name, FerryPattern *pattern) {
  static const char *const names[] = {"idle", "uniform", "cyclic", "skewed", "phased"};

  for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const char *a = name, *b = names[i];
    while (*a && *a == *b)
      a++, b++;
    if (*a == *b) {
      *pattern = (FerryPattern)i;
      return true;
    }
  }
  return false;
}

uint32_t ferry_workload_chunks(uint32_t count) {
  return (count + FERRY_CHUNK_PAGES - 1) / FERRY_CHUNK_PAGES;
}

void ferry_workload_init(FerryWorkload *self, uint64_t now_us) {
  self->start_us = self->last_us = now_us;
  self->random = mix(self->first_page + 1) | 1;
  self->filled = 0;
}

static uint32_t *page_at(const FerryWorkload *self, uint32_t i) {
  return self->pages + (uint64_t)i * FERRY_PAGE_WORDS;
}

bool ferry_workload_fill(FerryWorkload *self, uint32_t n) {
  for (; n && self->filled < self->count; n--, self->filled++) {
    uint32_t i = self->filled;

    ferry_page_fill(page_at(self, i), self->first_page + i, 1);
    self->generations[i] = 1;
    if (i % FERRY_CHUNK_PAGES == 0)
      self->sums[i / FERRY_CHUNK_PAGES] = 0;
    self->sums[i / FERRY_CHUNK_PAGES]++;
  }
  return self->filled == self->count;
}

static void found_error(FerryWorkload *self, FerryCheckError *error) {
  __atomic_store_n(&self->errors, self->errors + 1, __ATOMIC_RELEASE);
  if (self->report)
    self->report(error);
}

static void check_page(FerryWorkload *self, uint32_t i, uint32_t words) {
  uint32_t *page = page_at(self, i);
  FerryCheckError error;

  if (!ferry_page_check(page, self->first_page + i, self->generations[i], words, &error)) {
    found_error(self, &error);
    ferry_page_fill(page, self->first_page + i, self->generations[i]);
  }
}

static void write_page(FerryWorkload *self, uint32_t i) {
  check_page(self, i, FERRY_HEADER_WORDS);
  self->generations[i]++;
  self->sums[i / FERRY_CHUNK_PAGES]++;
  self->written++;
  ferry_page_write(page_at(self, i), self->first_page + i, self->generations[i]);
}

// The phased pattern repeats every 8 s: 3 s busy on the lower half, 1 s quiet,
// 3 s busy on the upper half, 1 s quiet.
static uint32_t phase(uint64_t since_us) {
  uint32_t second = (uint32_t)(since_us / MICROSECONDS % 8);

  return second < 3 ? 0 : second == 3 ? 1 : second < 7 ? 2 : 3;
}

uint32_t ferry_workload_rate_at(const FerryWorkload *self, uint64_t since_us) {
  if (self->pattern == FERRY_PATTERN_IDLE)
    return 0;
  if (self->pattern == FERRY_PATTERN_PHASED && phase(since_us) % 2)
    return self->rate / 20;
  return self->rate;
}

static uint32_t choose_page(FerryWorkload *self, uint64_t since_us) {
  uint32_t hot = (self->count + 4) / 5, half = self->count / 2;

  switch (self->pattern) {
  case FERRY_PATTERN_CYCLIC:
    self->cursor = self->cursor + 1 < self->count ? self->cursor + 1 : 0;
    return self->cursor;
  case FERRY_PATTERN_SKEWED:
    if (hot == self->count || ferry_random(&self->random) < 0xccccccccU)
      return scale(ferry_random(&self->random), hot);
    return hot + scale(ferry_random(&self->random), self->count - hot);
  case FERRY_PATTERN_PHASED:
    if (half)
      return (phase(since_us) < 2 ? 0 : half) + scale(ferry_random(&self->random), half);
    return 0;
  default:
    return scale(ferry_random(&self->random), self->count);
  }
}

// Verifies one chunk's generations against their sum; with the last chunk also
// the sums against the number of writes.
static void check_table(FerryWorkload *self, uint32_t chunk) {
  uint32_t first = chunk * FERRY_CHUNK_PAGES, sum = 0;
  uint32_t end = first + FERRY_CHUNK_PAGES < self->count ? first + FERRY_CHUNK_PAGES : self->count;

  for (uint32_t i = first; i < end; i++)
    sum += self->generations[i];
  if (sum != self->sums[chunk]) {
    FerryCheckError error = {FERRY_ERROR_TABLE, self->first_page + first, 0, self->sums[chunk],
                             sum};
    found_error(self, &error);
    self->sums[chunk] = sum;
  }
  if (end < self->count)
    return;

  uint32_t total = 0, expected = (uint32_t)self->written + self->count;
  for (uint32_t i = 0; i <= chunk; i++)
    total += self->sums[i];
  if (total != expected) {
    FerryCheckError error = {FERRY_ERROR_TOTAL, self->first_page, 0, expected, total};
    found_error(self, &error);
    self->sums[chunk] += expected - total;
    self->generations[end - 1] += expected - total;
    ferry_page_fill(page_at(self, end - 1), self->first_page + end - 1, self->generations[end - 1]);
  }
}

static void scan_page(FerryWorkload *self) {
  uint32_t i = self->scan_position;

  if (i % FERRY_CHUNK_PAGES == 0)
    check_table(self, i / FERRY_CHUNK_PAGES);
  check_page(self, i, FERRY_PAGE_WORDS);
  self->checked++;
  if (++self->scan_position < self->count)
    return;
  self->scan_position = 0;
  self->passes++;
  if (self->verifying) {
    __atomic_store_n(&self->verified, self->verifying, __ATOMIC_RELEASE);
    self->verifying = 0;
  }
}

static void carry_out_requests(FerryWorkload *self) {
  uint32_t verify = __atomic_load_n(&self->verify_request, __ATOMIC_ACQUIRE);
  uint32_t flip = __atomic_exchange_n(&self->flip_request, 0, __ATOMIC_ACQ_REL);
  uint32_t flip_table = __atomic_exchange_n(&self->flip_table_request, 0, __ATOMIC_ACQ_REL);

  if (flip && flip <= self->count) // a different word and bit for different pages
    page_at(self, flip - 1)[flip * 37 % FERRY_PAGE_WORDS] ^= 1U << (flip % 32);
  if (flip_table && flip_table <= self->count)
    self->generations[flip_table - 1] ^= 1U << (flip_table % 32);
  if (verify && verify != self->verified && verify != self->verifying) {
    self->verifying = verify;
    self->scan_position = 0;
  }
}

void ferry_workload_step(FerryWorkload *self, uint64_t now_us) {
  uint64_t since_us = now_us - self->start_us, elapsed = now_us - self->last_us;
  uint32_t rate = ferry_workload_rate_at(self, since_us);
  uint32_t scan_rate;
  uint64_t limit;

  self->last_us = now_us;
  carry_out_requests(self);
  scan_rate = self->verifying ? VERIFY_RATE : self->scan_rate;

  self->due_fraction += elapsed * rate;
  self->due += self->due_fraction / MICROSECONDS;
  self->due_fraction %= MICROSECONDS;

  limit = (uint64_t)rate * FERRY_DEBT_US;
  limit = limit > MICROSECONDS ? limit : MICROSECONDS;
  self->credit += elapsed * rate;
  self->credit = self->credit < limit ? self->credit : limit;
  for (; self->credit >= MICROSECONDS; self->credit -= MICROSECONDS)
    write_page(self, choose_page(self, since_us));

  limit = (uint64_t)scan_rate * FERRY_DEBT_US;
  limit = limit > MICROSECONDS ? limit : MICROSECONDS;
  self->scan_credit += elapsed * scan_rate;
  self->scan_credit = self->scan_credit < limit ? self->scan_credit : limit;
  for (; self->scan_credit >= MICROSECONDS; self->scan_credit -= MICROSECONDS)
    scan_page(self);
}
