// SPDX-License-Identifier: Apache-2.0
// Memory for a program of one thread. A world makes and drops some million small pieces (JSON, most
// of them), and with the C library's own malloc a third of its time goes there.
//
// Theory of operation: memory comes in spans, aligned to their size, each of which is cut into
// pieces of one class; so a piece's span, and by it its class, follows from its address alone. Free
// pieces of a class are a list. What is larger than the last class has spans of its own, which are
// kept by their size for the next one of it. Nothing goes back to the system. Sanitizers have their
// own, and the program then does without this one.
#include "sim/world/heap.h"

#ifdef FERRY_WORLD_HEAP
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPAN ((size_t)65536)
#define GRAIN ((size_t)16)
#define SMALL ((size_t)1024)
#define SMALLS (SMALL / GRAIN) /* classes of 16, 32, ... 1024 bytes */
#define CLASSES (SMALLS + 4)   /* and of 2, 4, 8 and 16 KiB */
#define LARGEST ((size_t)16384)
#define RESERVE ((size_t)64 << 20) /* asked of the system at once */
#define LARGE UINT32_MAX
#define POWERS 48

typedef struct Piece {
  struct Piece *next;
} Piece;

typedef struct {
  uint32_t of;   /* its class; LARGE: one piece */
  uint32_t from; /* of a large one: where the piece begins */
  size_t bytes;  /* of each piece */
} HeapSpan;
_Static_assert(sizeof(HeapSpan) == GRAIN, "pieces begin after it");

static Piece *free_pieces[CLASSES];
static HeapSpan
    *free_large[POWERS]; /* by the power of two of their size; linked through their pieces */
static char *fresh, *fresh_end;
static void *heap_owner; /* the one thread */

static void heap_die(const char *why) {
  ssize_t written = write(2, why, strlen(why));
  (void)written;
  abort();
}

static void heap_check_owner(void) {
  void *self = __builtin_thread_pointer();
  if (__builtin_expect(heap_owner != self, 0)) {
    if (heap_owner)
      heap_die("the world has one thread, and another one asked for memory\n");
    heap_owner = self;
  }
}

static size_t class_of(size_t bytes) {
  if (bytes <= SMALL)
    return bytes ? (bytes - 1) / GRAIN : 0;
  return SMALLS + (bytes <= 2048 ? 0 : bytes <= 4096 ? 1 : bytes <= 8192 ? 2 : 3);
}

static size_t class_bytes(size_t class) {
  return class < SMALLS ? (class + 1) * GRAIN : (size_t)2048 << (class - SMALLS);
}

/* `bytes` is a multiple of SPAN. */
static HeapSpan *span_new(size_t bytes) {
  if ((size_t)(fresh_end - fresh) < bytes) {
    size_t asked = (bytes > RESERVE ? bytes : RESERVE) + SPAN;
    char *got = mmap(NULL, asked, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED)
      heap_die("no memory\n");
    fresh = (char *)(((uintptr_t)got + SPAN - 1) & ~(SPAN - 1));
    fresh_end = got + asked;
  }
  HeapSpan *span = (HeapSpan *)(void *)fresh;
  fresh += bytes;
  return span;
}

static HeapSpan *span_of(const void *p) {
  return (HeapSpan *)((uintptr_t)p & ~(SPAN - 1)); // NOLINT(performance-no-int-to-ptr)
}

static void *heap_refill(size_t class) {
  HeapSpan *span = span_new(SPAN);
  size_t bytes = class_bytes(class), n = (SPAN - sizeof *span) / bytes;
  *span = (HeapSpan){(uint32_t) class, sizeof *span, bytes};
  char *at = (char *)(span + 1);
  for (size_t i = 1; i < n; i++)
    ((Piece *)(void *)(at + (i - 1) * bytes))->next = (Piece *)(void *)(at + i * bytes);
  ((Piece *)(void *)(at + (n - 1) * bytes))->next = NULL;
  free_pieces[class] = ((Piece *)(void *)at)->next;
  return at;
}

static unsigned power_of(size_t bytes) {
  unsigned power = 0;
  while (((size_t)1 << power) < bytes)
    power++;
  return power;
}

/* The piece begins at `from` (less than SPAN) of its span. */
static void *large_new(size_t bytes, size_t from) {
  unsigned power = power_of(bytes + from < SPAN ? SPAN : bytes + from);
  if (power >= POWERS)
    return NULL;
  HeapSpan *span = free_large[power];
  if (span)
    free_large[power] = *(HeapSpan **)(span + 1);
  else
    span = span_new((size_t)1 << power);
  *span = (HeapSpan){LARGE, (uint32_t)from, ((size_t)1 << power) - from};
  return (char *)span + from;
}

void *malloc(size_t bytes) {
  heap_check_owner();
  if (bytes > LARGEST)
    return large_new(bytes, sizeof(HeapSpan));
  size_t class = class_of(bytes);
  Piece *piece = free_pieces[class];
  if (__builtin_expect(!piece, 0))
    return heap_refill(class);
  free_pieces[class] = piece->next;
  __builtin_prefetch(piece->next, 1); /* its link is what the next call waits for */
  return piece;
}

void free(void *p) {
  if (!p)
    return;
  heap_check_owner();
  HeapSpan *span = span_of(p);
  if (span->of == LARGE) {
    unsigned power = power_of(span->bytes + span->from);
    *(HeapSpan **)(span + 1) = free_large[power];
    free_large[power] = span;
    return;
  }
  Piece *piece = p;
  piece->next = free_pieces[span->of];
  free_pieces[span->of] = piece;
}

void *calloc(size_t n, size_t each) {
  size_t bytes;
  if (__builtin_mul_overflow(n, each, &bytes))
    return NULL;
  void *p = malloc(bytes);
  __asm__("" : "+r"(p)); /* else the compiler makes a call of calloc of it */
  return p ? memset(p, 0, bytes) : NULL;
}

size_t malloc_usable_size(void *p) {
  return p ? span_of(p)->bytes : 0;
}

void *realloc(void *p, size_t bytes) {
  size_t had = malloc_usable_size(p);
  if (p && bytes <= had && bytes * 2 >= had)
    return p;
  void *q = malloc(bytes);
  if (p && q) {
    memcpy(q, p, had < bytes ? had : bytes);
    free(p);
  }
  return q;
}

void *memalign(size_t alignment, size_t bytes) {
  if (alignment <= GRAIN)
    return malloc(bytes);
  heap_check_owner();
  return alignment < SPAN ? large_new(bytes, alignment) : NULL;
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  return memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes) {
  *out = memalign(alignment, bytes);
  return *out ? 0 : ENOMEM;
}
#endif
