// SPDX-License-Identifier: Apache-2.0
// What the compiler expects of a run-time library on a 32-bit machine.
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);
uint64_t __udivdi3(uint64_t n, uint64_t d);
uint64_t __umoddi3(uint64_t n, uint64_t d);
uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *remainder);

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
  void *at = to;

  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
  return to;
}

void *memset(void *to, int c, size_t n) {
  void *at = to;

  __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(c) : "memory");
  return to;
}

// Only divisors of 32 bits occur; a larger one yields 0, which no caller meets.
static uint64_t divide(uint64_t n, uint64_t d, uint32_t *remainder) {
  uint32_t high = (uint32_t)(n >> 32), low = (uint32_t)n, divisor = (uint32_t)d, rest = 0;

  *remainder = 0;
  if (d >> 32)
    return 0;
  __asm__("divl %2" : "+a"(high), "+d"(rest) : "r"(divisor));
  __asm__("divl %2" : "+a"(low), "+d"(rest) : "r"(divisor));
  *remainder = rest;
  return (uint64_t)high << 32 | low;
}

uint64_t __udivdi3(uint64_t n, uint64_t d) {
  uint32_t remainder;

  return divide(n, d, &remainder);
}

uint64_t __umoddi3(uint64_t n, uint64_t d) {
  uint32_t remainder;

  divide(n, d, &remainder);
  return remainder;
}

uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *remainder) {
  uint32_t rest;
  uint64_t quotient = divide(n, d, &rest);

  *remainder = rest;
  return quotient;
}
