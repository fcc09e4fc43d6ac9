// SPDX-License-Identifier: Apache-2.0
// The workload that both guests run: it dirties pages of a working set by a
// pattern at a rate and checks all the time that they hold what was written.
//
// Freestanding: needs no C library, allocates nothing, does no I/O. One
// workload belongs to one thread (one vCPU); other threads may only read its
// counters and set its requests, with atomic loads and stores.
#ifndef FERRY_LAB_GUEST_WORKLOAD_H
#define FERRY_LAB_GUEST_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

enum {
  FERRY_PAGE_SIZE = 4096,
  FERRY_PAGE_WORDS = FERRY_PAGE_SIZE / 4,
  // Words that each write renews; the rest of a page is written once.
  FERRY_HEADER_WORDS = 16,
  // Generations that one sum covers: a page of the generation table.
  FERRY_CHUNK_PAGES = 1024,
  // A heartbeat is due this often, in microseconds.
  FERRY_TICK_US = 5000,
  // Work that a pause or throttle made the guest miss is dropped beyond this.
  FERRY_DEBT_US = 10000,
};

typedef enum {
  FERRY_PATTERN_IDLE,
  FERRY_PATTERN_UNIFORM,
  FERRY_PATTERN_CYCLIC,
  FERRY_PATTERN_SKEWED, // 80 % of writes on 20 % of pages
  FERRY_PATTERN_PHASED, // busy on one half, quiet, busy on the other half, quiet
} FerryPattern;

typedef enum {
  FERRY_ERROR_PAGE,  // a word of a page is not what was written last
  FERRY_ERROR_TABLE, // the generations don't add up to their sum
  FERRY_ERROR_TOTAL, // the sums don't add up to the number of writes
  FERRY_ERROR_BLOCK, // a block of the disk is not what was written last
} FerryErrorKind;

typedef struct {
  FerryErrorKind kind;
  uint32_t page; // index in the whole working set (or of the block)
  uint32_t word; // 32-bit word within the page
  uint32_t expected;
  uint32_t found;
} FerryCheckError;

typedef struct FerryWorkload FerryWorkload;
typedef void (*FerryReportError)(const FerryCheckError *error);

struct FerryWorkload {
  // Set by the owner before ferry_workload_init().
  uint32_t *pages;       // count pages, page aligned
  uint32_t *generations; // count entries
  uint32_t *sums;        // ferry_workload_chunks(count) entries
  uint32_t first_page;   // index of pages[0] in the whole working set
  uint32_t count;        // pages, at least 1
  uint32_t rate;         // pages to dirty per second; 0 writes nothing
  uint32_t scan_rate;    // pages to check per second, in the background
  FerryPattern pattern;
  FerryReportError report;

  // Requests by others; 0 is none.
  uint32_t verify_request; // check all pages once, quickly; any new number
  uint32_t flip_request;   // 1 + the page (from 0) of which to flip one bit
  uint32_t flip_table_request;

  // Counters for others.
  uint64_t due;      // pages that should have been written by the guest's own clock
  uint64_t written;  // pages that were
  uint64_t checked;  // pages compared in full
  uint32_t errors;   // mismatches found; each is counted once
  uint32_t passes;   // complete scans
  uint32_t verified; // the last verify_request carried out
  uint32_t filled;   // pages filled at the start; == count: ready

  // Private.
  uint64_t start_us;
  uint64_t last_us;
  uint64_t due_fraction;
  uint64_t credit;
  uint64_t scan_credit;
  uint32_t random;
  uint32_t cursor;
  uint32_t scan_position;
  uint32_t verifying;
};

// Entries that FerryWorkload.sums needs.
uint32_t ferry_workload_chunks(uint32_t count);

// Starts counting at now_us (any monotonic microseconds). Touches no page.
void ferry_workload_init(FerryWorkload *self, uint64_t now_us);

// Fills up to n more pages for the first time. True when all are filled.
bool ferry_workload_fill(FerryWorkload *self, uint32_t n);

// Call about every tick once filled: writes what is due at now_us (at most
// FERRY_DEBT_US worth), checks some pages, carries out requests.
void ferry_workload_step(FerryWorkload *self, uint64_t now_us);

// Pages per second that the pattern asks for at a time since the start.
uint32_t ferry_workload_rate_at(const FerryWorkload *self, uint64_t since_us);

// Fills a page (FERRY_PAGE_WORDS words) as page index's given generation.
void ferry_page_fill(uint32_t *page, uint32_t index, uint32_t generation);

// Writes only the header of a page.
void ferry_page_write(uint32_t *page, uint32_t index, uint32_t generation);

// Compares n words of a page (FERRY_HEADER_WORDS, FERRY_PAGE_WORDS). False:
// error's word, expected and found are set.
bool ferry_page_check(const uint32_t *page, uint32_t index, uint32_t generation, uint32_t n,
                      FerryCheckError *error);

// The next number of a xorshift generator; *state must not be 0.
uint32_t ferry_random(uint32_t *state);

// The pattern of a name; false if there is none.
bool ferry_pattern_parse(const char *name, FerryPattern *pattern);

#endif
