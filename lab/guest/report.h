// SPDX-License-Identifier: Apache-2.0
// What a guest says on its serial port and is told on its command line.
//
// The port carries two things that may mix at any byte:
// - heartbeats: one byte each, 0x80 | (sequence & 0x7f), due every 5 ms;
// - lines of 7-bit text, ending in a newline. Those of the guest end in
//   " *hh", the sum of all bytes before the space, modulo 256; all numbers are
//   hexadecimal:
//     S uptime_us rate due done written checked errors verified ready blocks_written blocks_checked
//     E kind page word expected found       a check failed
//     I text                                for people
//     F text                                the guest can't go on
//   Anything else is the console of its kernel.
// Commands to the guest are lines: "flip N", "flip-table N", "verify ID"
// (decimal).
//
// Freestanding, no allocation, thread-safe (no state).
#ifndef FERRY_LAB_GUEST_REPORT_H
#define FERRY_LAB_GUEST_REPORT_H

#include "workload.h"

enum { FERRY_LINE_MAX = 240 };

typedef struct {
  uint64_t uptime_us;      // the guest's own clock
  uint64_t rate;           // units of work per second: pages, or heartbeats when idle
  uint64_t due;            // units of work that were due
  uint64_t done;           // and done
  uint64_t written;        // pages
  uint64_t checked;        // pages
  uint64_t errors;         // of pages, table and disk
  uint64_t verified;       // the last "verify" carried out
  uint64_t ready;          // 1: the working set is filled
  uint64_t blocks_written; // of the disk, 4 KiB each
  uint64_t blocks_checked;
} FerryStatusLine;

enum { FERRY_STATUS_FIELDS = sizeof(FerryStatusLine) / sizeof(uint64_t) };

typedef struct {
  uint32_t rate;        // ferry.rate=, pages per second
  uint32_t working_set; // ferry.ws=, pages
  uint32_t disk;        // ferry.disk=, 1: write and check /dev/vda
  FerryPattern pattern; // ferry.pattern=
} FerryParameters;

typedef struct {
  enum {
    FERRY_COMMAND_NONE,
    FERRY_COMMAND_FLIP,
    FERRY_COMMAND_FLIP_TABLE,
    FERRY_COMMAND_VERIFY
  } kind;
  uint32_t number;
} FerryCommand;

// Writes a line with checksum and newline to out (FERRY_LINE_MAX bytes);
// returns its length.
uint32_t ferry_report_status(char *out, const FerryStatusLine *status);
uint32_t ferry_report_error(char *out, const FerryCheckError *error);
// kind: 'I' or 'F'. Text that is too long is cut.
uint32_t ferry_report_text(char *out, char kind, const char *text);

// Reads the ferry.* words of a kernel command line; others are ignored. False:
// *bad points at the word that is wrong.
bool ferry_parameters_parse(const char *line, FerryParameters *out, const char **bad);

// Reads a command line (without newline). kind NONE if it isn't one.
FerryCommand ferry_command_parse(const char *line);

// Gathers a command from single bytes; true when line (size bytes) is complete.
bool ferry_command_gather(char *line, uint32_t size, uint32_t *length, char c);

#endif
