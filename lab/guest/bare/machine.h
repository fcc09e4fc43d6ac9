// SPDX-License-Identifier: Apache-2.0
// The few devices of a PC that the bare guest uses: two interrupt controllers,
// the timer, the time stamp counter, the first serial port.
#ifndef FERRY_LAB_GUEST_BARE_MACHINE_H
#define FERRY_LAB_GUEST_BARE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

// Sets up serial port, clock, interrupts and a timer tick every
// FERRY_TICK_US; interrupts are enabled on return. Takes about 50 ms.
void bare_machine_init(void);

// Microseconds since bare_machine_init(). Not from the interrupt handler.
uint64_t bare_clock_us(void);

// Timer ticks, and those whose heartbeat went out.
uint32_t bare_ticks(void);
uint32_t bare_heartbeats(void);

// Sends text; gives up on what the port does not take within some ms.
void bare_serial_write(const char *text, uint32_t n);

// The next received byte, or -1.
int bare_serial_read(void);

// Sleeps until the next interrupt unless bare_ticks() is no longer seen.
void bare_wait(uint32_t seen);

// Says why on the serial port and stops for good.
void bare_die(const char *why) __attribute__((noreturn));

// Called by boot.S.
void bare_tick(void);
void bare_exception(void);
void bare_main(uint32_t magic, const uint32_t *info) __attribute__((noreturn));

#endif
