// SPDX-License-Identifier: Apache-2.0
// The bare guest: a multiboot kernel that only runs the workload. One vCPU
// works; others stay where the firmware parked them.
//
// Memory: the image at 1 MiB, then sums, generations and the working set's
// pages. Between two timer ticks the vCPU sleeps.
#include "machine.h"
#include "../report.h"

enum {
  MULTIBOOT_MAGIC = 0x2badb002,
  MULTIBOOT_MEMORY = 0x01,
  MULTIBOOT_COMMAND_LINE = 0x04,
  STATUS_US = 100000,
  IDLE_STATUS_US = 200000, // each byte costs the host some microseconds
  SCAN_RATE = 512,         // pages per second: 2 MiB/s
  FILL_BATCH = 256,        // pages between two looks at the clock
};

extern char image_end[];

static FerryWorkload workload;
static char command_line[1024];

static void send_error(const FerryCheckError *error) {
  char line[FERRY_LINE_MAX];

  bare_serial_write(line, ferry_report_error(line, error));
}

static void send_text(char kind, const char *text) {
  char line[FERRY_LINE_MAX];

  bare_serial_write(line, ferry_report_text(line, kind, text));
}

static void send_status(uint64_t now_us) {
  bool idle = workload.pattern == FERRY_PATTERN_IDLE;
  FerryStatusLine status = {
      .uptime_us = now_us,
      .rate = idle ? 1000000 / FERRY_TICK_US : workload.rate,
      .due = idle ? now_us / FERRY_TICK_US : workload.due,
      .done = idle ? bare_heartbeats() : workload.written,
      .written = workload.written,
      .checked = workload.checked,
      .errors = workload.errors,
      .verified = workload.verified,
      .ready = workload.filled == workload.count,
  };
  char line[FERRY_LINE_MAX];

  bare_serial_write(line, ferry_report_status(line, &status));
}

static void read_commands(void) {
  static char line[64];
  static uint32_t length;
  int c;

  while ((c = bare_serial_read()) >= 0) {
    if (!ferry_command_gather(line, sizeof line, &length, (char)c))
      continue;
    FerryCommand command = ferry_command_parse(line);
    if (command.kind == FERRY_COMMAND_FLIP)
      workload.flip_request = command.number + 1;
    else if (command.kind == FERRY_COMMAND_FLIP_TABLE)
      workload.flip_table_request = command.number + 1;
    else if (command.kind == FERRY_COMMAND_VERIFY)
      workload.verify_request = command.number;
    else
      send_text('I', "unknown command; known are flip N, flip-table N and verify ID");
  }
}

static uintptr_t align_page(uintptr_t address) {
  return (address + FERRY_PAGE_SIZE - 1) & ~(uintptr_t)(FERRY_PAGE_SIZE - 1);
}

// Lays out tables and pages between the image and the end of memory.
static void place_workload(uint32_t upper_kib) {
  uint64_t end = 0x100000 + (uint64_t)upper_kib * 1024;
  uintptr_t at = align_page((uintptr_t)image_end);

  workload.sums = (uint32_t *)at;
  at = align_page(at + ferry_workload_chunks(workload.count) * sizeof(uint32_t));
  workload.generations = (uint32_t *)at;
  at = align_page(at + workload.count * sizeof(uint32_t));
  workload.pages = (uint32_t *)at;
  if (at + (uint64_t)workload.count * FERRY_PAGE_SIZE > end)
    bare_die("ferry.ws is more than the memory has: lower it or give the guest more memory");
}

static void configure(uint32_t magic, const uint32_t *info) {
  FerryParameters parameters = {.pattern = FERRY_PATTERN_IDLE, .working_set = 256};
  const char *bad;

  if (magic != MULTIBOOT_MAGIC || !(info[0] & MULTIBOOT_MEMORY))
    bare_die("not started by a multiboot loader that gives the memory size");
  if (info[0] & MULTIBOOT_COMMAND_LINE) {
    const char *from = (const char *)(uintptr_t)info[4];
    for (uint32_t i = 0; i < sizeof command_line - 1 && from[i]; i++)
      command_line[i] = from[i];
  }
  if (!ferry_parameters_parse(command_line, &parameters, &bad)) {
    send_text('I', bad);
    bare_die("the command line is wrong from the word above on");
  }
  if (parameters.disk)
    bare_die("the bare guest has no disk driver: use the linux guest");
  if (!parameters.working_set || parameters.working_set > 0xc0000)
    bare_die("ferry.ws is out of range: expected 1 to 786432 pages");
  workload.count = parameters.working_set;
  workload.rate = parameters.rate;
  workload.pattern = parameters.pattern;
  workload.scan_rate = SCAN_RATE;
  workload.report = send_error;
  place_workload(info[2]);
}

void bare_main(uint32_t magic, const uint32_t *info) {
  uint64_t status_us = 0, interval_us;

  configure(magic, info); // before anything else uses the loader's memory
  interval_us = workload.pattern == FERRY_PATTERN_IDLE ? IDLE_STATUS_US : STATUS_US;
  bare_machine_init();
  ferry_workload_init(&workload, bare_clock_us());
  send_text('I', "ferry bare guest");

  for (;;) {
    uint32_t seen = bare_ticks();
    uint64_t now_us = bare_clock_us();
    bool ready = workload.filled == workload.count;

    if (ready) {
      ferry_workload_step(&workload, now_us);
    } else if (ferry_workload_fill(&workload, FILL_BATCH)) {
      workload.start_us = workload.last_us = bare_clock_us();
      status_us = 0;
    }
    if (now_us - status_us >= interval_us || !status_us) {
      status_us = now_us;
      send_status(now_us);
    }
    read_commands();
    if (ready)
      bare_wait(seen);
  }
}
