// SPDX-License-Identifier: Apache-2.0
// The linux guest: PID 1 of Debian's cloud kernel, with the same workload and
// the same reports as the bare guest.
//
// Theory of operation. The working set is one locked mapping, divided into one
// workload per vCPU, each run by a thread bound to it. Another thread sends the
// heartbeats, a fourth kind fills and checks the disk (disk.c), two serve the network (net.c), and
// the main thread sends the status and reads commands. Threads share nothing but the workloads'
// counters and requests, which are atomic, and the serial port, where a write of a whole line is
// one call.
#include "disk.h"
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../report.h"

enum {
  MAX_VCPUS = 16,
  STATUS_US = 100000,
  SCAN_RATE = 512, // pages per second, all vCPUs together
  FILL_BATCH = 256,
  WORK_US = 2000, // between two steps of a writer
};

static int serial = 1;
static FerryWorkload workloads[MAX_VCPUS];
static unsigned vcpus = 1;
static atomic_ulong heartbeats;
static FerryDisk disk;
static FerryNet net;

static uint64_t clock_us(void) {
  struct timespec ts;

  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void send_bytes(const char *bytes, size_t n) {
  while (n) {
    ssize_t sent = write(serial, bytes, n);
    if (sent < 0 && errno != EINTR)
      return;
    if (sent > 0) {
      bytes += sent;
      n -= (size_t)sent;
    }
  }
}

static void say(char kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(char kind, const char *format, ...) {
  char text[FERRY_LINE_MAX], line[FERRY_LINE_MAX];
  va_list args;

  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  send_bytes(line, ferry_report_text(line, kind, text));
}

// PID 1 must not end: the kernel would panic before the line is out.
static void die(const char *what) {
  say('F', "%s: %s", what, strerror(errno));
  for (;;)
    pause();
}

static void send_error(const FerryCheckError *error) {
  char line[FERRY_LINE_MAX];

  send_bytes(line, ferry_report_error(line, error));
}

static void sleep_us(uint64_t us) {
  struct timespec ts = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};

  while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
    ;
}

static void *run_heartbeats(void *unused) {
  struct sched_param priority = {.sched_priority = 10};
  uint64_t next = clock_us();

  sched_setscheduler(0, SCHED_FIFO, &priority);
  for (;;) {
    uint64_t now = clock_us();
    unsigned char beat = 0x80 | ((atomic_fetch_add(&heartbeats, 1) + 1) & 0x7f);

    send_bytes((char *)&beat, 1);
    // One that was missed is not made up for.
    next = next + FERRY_TICK_US > now ? next + FERRY_TICK_US : now + FERRY_TICK_US;
    sleep_us(next - now);
  }
  return unused;
}

static void *run_workload(void *data) {
  FerryWorkload *self = data;
  cpu_set_t set;

  CPU_ZERO(&set);
  CPU_SET((int)(self - workloads), &set);
  sched_setaffinity(0, sizeof set, &set);
  while (!ferry_workload_fill(self, FILL_BATCH))
    ;
  self->start_us = self->last_us = clock_us();
  for (;;) {
    ferry_workload_step(self, clock_us());
    sleep_us(WORK_US);
  }
  return NULL;
}

static void start_thread(void *(*function)(void *), void *data) {
  pthread_t thread;
  int error = pthread_create(&thread, NULL, function, data);

  if (error) {
    errno = error;
    die("can't start a thread");
  }
}

static uint64_t load64(const uint64_t *value) {
  return __atomic_load_n(value, __ATOMIC_RELAXED);
}

static void send_status(uint64_t uptime_us) {
  FerryStatusLine status = {.uptime_us = uptime_us, .ready = 1};
  bool idle = workloads[0].pattern == FERRY_PATTERN_IDLE;
  char line[FERRY_LINE_MAX];
  uint32_t verified = UINT32_MAX;

  for (unsigned i = 0; i < vcpus; i++) {
    const FerryWorkload *self = &workloads[i];
    uint32_t done = __atomic_load_n(&self->verified, __ATOMIC_ACQUIRE);

    status.rate += self->rate;
    status.due += load64(&self->due);
    status.written += load64(&self->written);
    status.checked += load64(&self->checked);
    status.errors += __atomic_load_n(&self->errors, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&self->filled, __ATOMIC_ACQUIRE) < self->count)
      status.ready = 0;
    verified = done < verified ? done : verified;
  }
  status.verified = verified;
  status.done = status.written;
  if (idle) {
    status.rate = 1000000 / FERRY_TICK_US;
    status.due = uptime_us / FERRY_TICK_US;
    status.done = atomic_load(&heartbeats);
  }
  if (disk.fd > 0) {
    status.ready &= __atomic_load_n(&disk.filled, __ATOMIC_ACQUIRE);
    status.errors += __atomic_load_n(&disk.errors, __ATOMIC_ACQUIRE);
    status.blocks_written = load64(&disk.written);
    status.blocks_checked = load64(&disk.checked);
  }
  send_bytes(line, ferry_report_status(line, &status));
}

static void obey(const char *line) {
  FerryCommand command = ferry_command_parse(line);

  if (command.kind == FERRY_COMMAND_NONE)
    return;
  for (unsigned i = 0; i < vcpus; i++) {
    FerryWorkload *self = &workloads[i];
    uint32_t own = command.number - self->first_page + 1; // 0 and wrapped: not its page

    if (command.kind == FERRY_COMMAND_VERIFY)
      __atomic_store_n(&self->verify_request, command.number, __ATOMIC_RELEASE);
    else if (command.number >= self->first_page && own <= self->count)
      __atomic_store_n(command.kind == FERRY_COMMAND_FLIP ? &self->flip_request
                                                          : &self->flip_table_request,
                       own, __ATOMIC_RELEASE);
  }
}

static void read_commands(void) {
  static char line[64];
  static uint32_t length;
  char bytes[64];
  ssize_t n = read(serial, bytes, sizeof bytes);

  for (ssize_t i = 0; i < n; i++)
    if (ferry_command_gather(line, sizeof line, &length, bytes[i]))
      obey(line);
}

static void open_serial(void) {
  struct termios mode;

  serial = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (serial < 0 || tcgetattr(serial, &mode) < 0)
    for (;;)
      pause(); // nobody to tell
  cfmakeraw(&mode);
  cfsetspeed(&mode, B115200);
  mode.c_cflag |= CLOCAL;
  mode.c_cc[VMIN] = 0;
  tcsetattr(serial, TCSANOW, &mode);
}

static void read_parameters(FerryParameters *parameters) {
  static char line[4096];
  const char *bad;
  int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

  if (fd < 0 || read(fd, line, sizeof line - 1) < 0)
    die("can't read /proc/cmdline");
  close(fd);
  line[strcspn(line, "\n")] = '\0';
  if (!ferry_parameters_parse(line, parameters, &bad)) {
    errno = EINVAL;
    say('I', "the kernel command line is wrong from here on: %.100s", bad);
    die("ferry.* parameters");
  }
}

// The vCPUs' workloads: pages, generations and sums, each vCPU its own part.
static void place_workloads(const FerryParameters *parameters) {
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  uint32_t first = 0;

  vcpus = online < 1 ? 1 : online > MAX_VCPUS ? MAX_VCPUS : (unsigned)online;
  if (parameters->working_set < vcpus) {
    errno = EINVAL;
    die("ferry.ws must have at least a page for each vCPU");
  }
  for (unsigned i = 0; i < vcpus; i++) {
    FerryWorkload *self = &workloads[i];
    uint32_t end = (uint32_t)((uint64_t)parameters->working_set * (i + 1) / vcpus);
    size_t pages = (size_t)(end - first) * FERRY_PAGE_SIZE;
    size_t table = (size_t)(end - first) * sizeof(uint32_t);
    char *memory = mmap(NULL, pages + table * 2 + FERRY_PAGE_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

    if (memory == MAP_FAILED)
      die("no memory for the working set: lower ferry.ws or give the guest more memory");
    self->pages = (uint32_t *)memory;
    self->generations = (uint32_t *)(memory + pages);
    self->sums = (uint32_t *)(memory + pages + table);
    self->first_page = first;
    self->count = end - first;
    self->rate = (uint32_t)((uint64_t)parameters->rate * (i + 1) / vcpus -
                            (uint64_t)parameters->rate * i / vcpus);
    self->scan_rate = SCAN_RATE / vcpus;
    self->pattern = parameters->pattern;
    self->report = send_error;
    ferry_workload_init(self, clock_us());
    first = end;
  }
}

int main(void) {
  FerryParameters parameters = {.pattern = FERRY_PATTERN_IDLE, .working_set = 256};
  uint64_t start_us = clock_us();

  mkdir("/dev", 0755);
  mkdir("/proc", 0555);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  mount("proc", "/proc", "proc", 0, NULL);
  open_serial();
  say('I', "ferry linux guest");
  read_parameters(&parameters);
  place_workloads(&parameters);
  if (parameters.disk) {
    const char *trouble = ferry_disk_open(&disk, send_error);
    if (trouble)
      die(trouble);
    start_thread(ferry_disk_run, &disk);
  }
  if (getenv("ferrynet")) { // what the kernel does not know it gives to init
    const char *trouble = ferry_net_open(&net, getenv("ferrynet"));
    if (trouble)
      die(trouble);
    start_thread(ferry_net_echo, &net);
    start_thread(ferry_net_stream, &net);
  }
  start_thread(run_heartbeats, NULL);
  for (unsigned i = 0; i < vcpus; i++)
    start_thread(run_workload, &workloads[i]);

  for (uint64_t next = start_us;;) {
    struct pollfd input = {.fd = serial, .events = POLLIN};
    uint64_t now = clock_us();

    if (now >= next) {
      send_status(now - start_us);
      next = now + STATUS_US;
    }
    if (poll(&input, 1, (int)((next - now + 999) / 1000)) > 0)
      read_commands();
  }
}
