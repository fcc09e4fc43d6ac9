// SPDX-License-Identifier: Apache-2.0
// Theory of operation
//
// The timer interrupt sends the heartbeat itself, so that its regularity does
// not depend on what the main loop does. The transmitter is empty or the
// heartbeat is dropped: with nobody listening the guest must run on.
//
// The clock is the time stamp counter, measured once against the timer chip.
// Both stop while the machine is paused and move with it in a migration.
#include "machine.h"
#include "../report.h"

enum {
  SERIAL = 0x3f8,
  SERIAL_FIFO = 16,
  LINE_STATUS = SERIAL + 5,
  DATA_READY = 0x01,
  TRANSMITTER_EMPTY = 0x20,
  TIMER_HZ = 1193182,
  TIMER_TICK = 5965, // FERRY_TICK_US, rounded down
  IRQ_BASE = 0x20,
};

extern const char timer_entry[], spurious_entry[], exception_entry[];

static struct { uint16_t low, selector, type, high; } interrupts[IRQ_BASE + 16];

static volatile uint32_t ticks, heartbeats;
static uint32_t us_per_cycle; // times 2^32
static uint64_t clock_cycles, clock_us;
static uint32_t clock_fraction;

static void out(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in(uint16_t port) {
  uint8_t value;

  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static uint64_t cycles(void) {
  uint64_t value;

  __asm__ volatile("rdtsc" : "=A"(value));
  return value;
}

static void serial_init(void) {
  out(SERIAL + 1, 0x00); // no interrupts
  out(SERIAL + 3, 0x80);
  out(SERIAL, 0x01); // 115200 baud
  out(SERIAL + 1, 0x00);
  out(SERIAL + 3, 0x03); // 8 bits, no parity, 1 stop bit
  out(SERIAL + 2, 0x07); // FIFOs on and empty
  out(SERIAL + 4, 0x03);
}

static uint32_t interrupts_off(void) {
  uint32_t flags;

  __asm__ volatile("pushf; pop %0; cli" : "=r"(flags) : : "memory");
  return flags;
}

static void interrupts_restore(uint32_t flags) {
  __asm__ volatile("push %0; popf" : : "r"(flags) : "memory", "cc");
}

void bare_serial_write(const char *text, uint32_t n) {
  for (uint32_t tries = 0; n && tries < 4096; tries++) {
    uint32_t chunk = n < SERIAL_FIFO ? n : SERIAL_FIFO;
    // A heartbeat between the test and the bytes would overfill the FIFO.
    uint32_t flags = interrupts_off();

    if (in(LINE_STATUS)&TRANSMITTER_EMPTY) {
      tries = 0;
      for (n -= chunk; chunk; chunk--)
        out(SERIAL, (uint8_t)*text++);
    }
    interrupts_restore(flags);
  }
}

int bare_serial_read(void) {
  return in(LINE_STATUS)&DATA_READY ? in(SERIAL) : -1;
}

void bare_die(const char *why) {
  char line[FERRY_LINE_MAX];

  bare_serial_write(line, ferry_report_text(line, 'F', why));
  for (;;)
    __asm__ volatile("cli; hlt");
}

void bare_exception(void) {
  bare_die("the bare guest met a CPU exception: its code or memory is broken");
}

void bare_tick(void) {
  out(0x20, 0x20);
  ticks++;
  if (in(LINE_STATUS)&TRANSMITTER_EMPTY) {
    out(SERIAL, 0x80 | (ticks & 0x7f));
    heartbeats++;
  }
}

uint32_t bare_ticks(void) {
  return ticks;
}

uint32_t bare_heartbeats(void) {
  return heartbeats;
}

void bare_wait(uint32_t seen) {
  __asm__ volatile("cli" : : : "memory");
  if (ticks == seen)
    __asm__ volatile("sti; hlt" : : : "memory");
  else
    __asm__ volatile("sti" : : : "memory");
}

// The counts that timer channel 2 has left and the cycle when that was; of
// several tries the one least disturbed.
static uint16_t sample_timer(uint64_t *when) {
  uint64_t best = UINT64_MAX;
  uint16_t count = 0;

  for (int i = 0; i < 10; i++) {
    uint64_t before = cycles();
    out(0x43, 0x80); // latch
    uint64_t after = cycles();
    uint16_t low = in(0x42);
    uint16_t value = (uint16_t)(low | in(0x42) << 8);

    if (after - before < best) {
      best = after - before;
      *when = before + best / 2;
      count = value;
    }
  }
  return count;
}

static void clock_init(void) {
  for (int tries = 0; tries < 20; tries++) {
    uint64_t first = 0, last = 0;
    uint16_t start, end;

    out(0x61, (uint8_t)((in(0x61) & ~0x02) | 0x01)); // gate on, speaker off
    out(0x43, 0xb0);                                 // channel 2, one shot
    out(0x42, 0xff);
    out(0x42, 0xff);
    start = sample_timer(&first);
    do
      end = sample_timer(&last);
    while (start - end < 54000 && !(in(0x61) & 0x20));
    if (in(0x61) & 0x20 || end >= start)
      continue; // it ran out: the host was busy; again

    uint64_t hz = (last - first) * TIMER_HZ / (uint32_t)(start - end);
    if (hz < 10000000)
      continue;
    us_per_cycle = (uint32_t)((1000ULL << 32) / (hz / 1000));
    clock_cycles = cycles();
    return;
  }
  bare_die("the time stamp counter can't be measured: does the machine have a timer chip?");
}

uint64_t bare_clock_us(void) {
  uint64_t now = cycles();
  uint64_t passed = now - clock_cycles, high, low;

  if ((int64_t)passed < 0)
    return clock_us;
  low = (passed & UINT32_MAX) * us_per_cycle + clock_fraction;
  high = (passed >> 32) * us_per_cycle;
  clock_cycles = now;
  clock_us += high + (low >> 32);
  clock_fraction = (uint32_t)low;
  return clock_us;
}

static void set_interrupt(int number, const char *entry) {
  uint32_t address = (uint32_t)(uintptr_t)entry;

  interrupts[number].low = (uint16_t)address;
  interrupts[number].selector = 0x08;
  interrupts[number].type = 0x8e00;
  interrupts[number].high = (uint16_t)(address >> 16);
}

static void interrupts_init(void) {
  struct __attribute__((packed)) {
    uint16_t limit;
    uint32_t base;
  } pointer = {sizeof interrupts - 1, (uint32_t)(uintptr_t)interrupts};

  for (int i = 0; i < IRQ_BASE; i++)
    set_interrupt(i, exception_entry);
  for (int i = 0; i < 16; i++)
    set_interrupt(IRQ_BASE + i, i ? spurious_entry : timer_entry);
  __asm__ volatile("lidt %0" : : "m"(pointer));

  out(0x20, 0x11);
  out(0xa0, 0x11);
  out(0x21, IRQ_BASE);
  out(0xa1, IRQ_BASE + 8);
  out(0x21, 4);
  out(0xa1, 2);
  out(0x21, 1);
  out(0xa1, 1);
  out(0x21, 0xfe); // the timer only
  out(0xa1, 0xff);

  out(0x43, 0x34); // channel 0, periodic
  out(0x40, TIMER_TICK & 0xff);
  out(0x40, TIMER_TICK >> 8);
  __asm__ volatile("sti");
}

void bare_machine_init(void) {
  serial_init();
  clock_init();
  interrupts_init();
}
