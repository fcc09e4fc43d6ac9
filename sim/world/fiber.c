// SPDX-License-Identifier: Apache-2.0
// Theory of operation: each fiber has a stack of its own and the scheduler has the program's. A
// fiber runs until it waits; then the next one is drawn from those that are ready, and where none
// is, the clock goes to the earliest time that somebody waits for. A deadline that is over before
// its entry in the queue of deadlines comes up is left in there; its number tells that it is old,
// and what a fiber was is kept for the next one, so that it can always be looked at.
//
// Who waits for a key is found by it: a table of lists, each in the order in which they came, so
// that who is woken first does not depend on where in memory things are.
#include "sim/world/fiber.h"
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_BYTES (1024 * 1024)
#define MAX_LOCALS 4
#define LISTS 256           /* and one for those who only sleep */
#define STUCK_TURNS 2000000 /* without a step of the clock */

/* swapcontext asks the kernel for the signal mask each time, which takes half of a world's time;
 * but sanitizers follow stacks by it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOLLOWED TRUE
#else
#define FOLLOWED FALSE
#endif

struct _FerryFiber {
  ucontext_t context;
  jmp_buf jump;
  gboolean begun;
  gpointer stack;
  FerryWorldProcess *process;
  FerryFiberFunc func;
  gpointer data, result;
  gboolean joined, done;
  gconstpointer key; /* what it waits for */
  guint64 turn;      /* number of that wait */
  gboolean woken;
  FerryFiber *before, *after; /* of those who wait */
  struct {
    GPrivate *key;
    gpointer value;
  } locals[MAX_LOCALS];
};

typedef struct {
  gint64 at;
  guint64 turn;
  FerryFiber *fiber;
} Deadline;

static struct {
  ucontext_t home;
  jmp_buf home_jump;
  FerryFiber *current;
  GPtrArray *ready, *stopped, *spare, *stacks;
  struct {
    FerryFiber *first, *last;
  } waiting[LISTS + 1];
  guint n_waiting;
  GArray *deadlines; /* a heap */
  gint64 now;
  guint64 turns, waits, seed;
} fibers;

/* ---- numbers ---- */

guint64 ferry_world_random(void) {
  guint64 z = (fibers.seed += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

guint ferry_world_draw(guint n) {
  return n > 1 ? (guint)(ferry_world_random() % n) : 0;
}

gboolean ferry_world_chance(double chance) {
  return (double)(ferry_world_random() >> 11) / 9007199254740992.0 < chance;
}

gint64 ferry_world_between(gint64 low, gint64 high) {
  return low + (gint64)(ferry_world_random() % (guint64)(high - low + 1));
}

/* ---- deadlines ---- */

static gboolean is_earlier(const Deadline *a, const Deadline *b) {
  return a->at != b->at ? a->at < b->at : a->turn < b->turn;
}

static void deadline_add(Deadline added) {
  GArray *heap = fibers.deadlines;
  g_array_append_val(heap, added);
  Deadline *d = (Deadline *)(gpointer)heap->data;
  for (guint i = heap->len - 1; i > 0 && is_earlier(&d[i], &d[(i - 1) / 2]); i = (i - 1) / 2) {
    Deadline up = d[i];
    d[i] = d[(i - 1) / 2];
    d[(i - 1) / 2] = up;
  }
}

static Deadline deadline_take(void) {
  GArray *heap = fibers.deadlines;
  Deadline *d = (Deadline *)(gpointer)heap->data, first = d[0];
  d[0] = d[heap->len - 1];
  g_array_set_size(heap, heap->len - 1);
  for (guint i = 0, child; (child = 2 * i + 1) < heap->len; i = child) {
    if (child + 1 < heap->len && is_earlier(&d[child + 1], &d[child]))
      child++;
    if (!is_earlier(&d[child], &d[i]))
      break;
    Deadline down = d[i];
    d[i] = d[child];
    d[child] = down;
  }
  return first;
}

/* ---- who waits ---- */

static guint fiber_list_of(gconstpointer key) {
  return key ? (guint)((GPOINTER_TO_SIZE(key) >> 4) * 0x9e3779b97f4a7c15ULL >> 56) : LISTS;
}
G_STATIC_ASSERT(LISTS == 256);

static void waiting_add(FerryFiber *f) {
  guint i = fiber_list_of(f->key);
  f->before = fibers.waiting[i].last;
  f->after = NULL;
  *(f->before ? &f->before->after : &fibers.waiting[i].first) = f;
  fibers.waiting[i].last = f;
  fibers.n_waiting++;
}

static void waiting_remove(FerryFiber *f) {
  guint i = fiber_list_of(f->key);
  *(f->before ? &f->before->after : &fibers.waiting[i].first) = f->after;
  *(f->after ? &f->after->before : &fibers.waiting[i].last) = f->before;
  fibers.n_waiting--;
}

/* ---- fibers ---- */

void ferry_fiber_begin(guint64 seed) {
  if (!fibers.ready) {
    fibers.ready = g_ptr_array_new();
    fibers.spare = g_ptr_array_new();
    fibers.stopped = g_ptr_array_new();
    fibers.stacks = g_ptr_array_new();
    fibers.deadlines = g_array_new(FALSE, FALSE, sizeof(Deadline));
  }
  fibers.seed = seed;
  fibers.now = 0;
  fibers.turns = fibers.waits = 0;
}

void ferry_fiber_end(void) {
  if (fibers.ready->len || fibers.n_waiting || fibers.stopped->len)
    g_error("the world ended with %u threads that wait and %u that run", fibers.n_waiting,
            fibers.ready->len + fibers.stopped->len);
  g_array_set_size(fibers.deadlines, 0);
}

static void fiber_free(FerryFiber *f) {
  g_ptr_array_add(fibers.stacks, f->stack);
  f->turn = 0;
  g_ptr_array_add(fibers.spare, f);
}

static void drop_all(GPtrArray *list) {
  for (guint i = 0; i < list->len; i++)
    fiber_free(list->pdata[i]);
  g_ptr_array_set_size(list, 0);
}

void ferry_fiber_abandon(void) {
  drop_all(fibers.ready);
  drop_all(fibers.stopped);
  for (guint i = 0; i <= LISTS; i++)
    for (FerryFiber *f; (f = fibers.waiting[i].first);) {
      waiting_remove(f);
      fiber_free(f);
    }
  g_array_set_size(fibers.deadlines, 0);
}

gboolean ferry_fiber_inside(void) {
  return fibers.current != NULL;
}

static gpointer stack_take(void) {
  if (fibers.stacks->len)
    return g_ptr_array_steal_index_fast(fibers.stacks, fibers.stacks->len - 1);
  gpointer stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED)
    g_error("no memory for the stack of a thread");
  return stack;
}

static void __attribute__((noinline)) leave(FerryFiber *f) {
  if (FOLLOWED)
    swapcontext(&f->context, &fibers.home);
  else if (_setjmp(f->jump) == 0)
    _longjmp(fibers.home_jump, 1);
}

static void __attribute__((noinline)) enter(FerryFiber *f) {
  if (FOLLOWED)
    swapcontext(&fibers.home, &f->context);
  else if (_setjmp(fibers.home_jump) != 0)
    return;
  else if (f->begun)
    _longjmp(f->jump, 1);
  else
    f->begun = TRUE, setcontext(&f->context);
}

static void fiber_main(void) {
  FerryFiber *f = fibers.current;
  f->result = f->func(f->data);
  for (guint i = 0; i < MAX_LOCALS; i++)
    if (f->locals[i].value && f->locals[i].key->notify)
      f->locals[i].key->notify(f->locals[i].value);
  f->done = TRUE;
  ferry_fiber_wake(f, TRUE);
  leave(f);
}

FerryFiber *ferry_fiber_new(FerryWorldProcess *process, FerryFiberFunc func, gpointer data,
                            gboolean joined) {
  FerryFiber *f = fibers.spare->len
                      ? g_ptr_array_steal_index_fast(fibers.spare, fibers.spare->len - 1)
                      : g_new(FerryFiber, 1);
  memset(f, 0, sizeof *f);
  f->stack = stack_take();
  f->process = process;
  f->func = func;
  f->data = data;
  f->joined = joined;
  getcontext(&f->context);
  f->context.uc_stack.ss_sp = f->stack;
  f->context.uc_stack.ss_size = STACK_BYTES;
  f->context.uc_link = NULL;
  makecontext(&f->context, fiber_main, 0);
  g_ptr_array_add(fibers.ready, f);
  return f;
}

gpointer ferry_fiber_join(FerryFiber *f) {
  while (!f->done)
    ferry_fiber_wait(f, -1);
  gpointer result = f->result;
  fiber_free(f);
  return result;
}

FerryWorldProcess *ferry_fiber_process(void) {
  return fibers.current ? fibers.current->process : NULL;
}

FerryWorldProcess *ferry_fiber_become(FerryWorldProcess *process) {
  FerryWorldProcess *before = ferry_fiber_process();
  if (fibers.current)
    fibers.current->process = process;
  return before;
}

gint64 ferry_fiber_now(void) {
  return fibers.now;
}

guint64 ferry_fiber_turns(void) {
  return fibers.turns;
}

gboolean ferry_fiber_wait(gconstpointer key, gint64 until_us) {
  FerryFiber *f = fibers.current;
  if (!f)
    g_error("somebody waits outside of the world's threads");
  f->key = key;
  f->turn = ++fibers.waits;
  f->woken = FALSE;
  waiting_add(f);
  if (until_us >= 0)
    deadline_add((Deadline){MAX(until_us, fibers.now), f->turn, f});
  leave(f);
  return f->woken;
}

static void make_ready(FerryFiber *f, gboolean woken) {
  waiting_remove(f);
  f->woken = woken;
  f->turn = 0;
  g_ptr_array_add(fibers.ready, f);
}

void ferry_fiber_wake(gconstpointer key, gboolean all) {
  FerryFiber *after;
  for (FerryFiber *f = fibers.waiting[fiber_list_of(key)].first; f; f = after) {
    after = f->after;
    if (f->key != key)
      continue;
    make_ready(f, TRUE);
    if (!all)
      return;
  }
}

void ferry_fiber_sleep(gint64 us) {
  ferry_fiber_wait(NULL, fibers.now + us);
}

void ferry_fiber_thaw(FerryWorldProcess *process) {
  process->frozen = FALSE;
  for (guint i = 0; i < fibers.stopped->len;) {
    FerryFiber *f = fibers.stopped->pdata[i];
    if (f->process == process)
      g_ptr_array_add(fibers.ready, g_ptr_array_steal_index_fast(fibers.stopped, i));
    else
      i++;
  }
}

gpointer ferry_fiber_local(GPrivate *key) {
  for (guint i = 0; fibers.current && i < MAX_LOCALS; i++)
    if (fibers.current->locals[i].key == key)
      return fibers.current->locals[i].value;
  return NULL;
}

void ferry_fiber_set_local(GPrivate *key, gpointer value, gboolean release) {
  FerryFiber *f = fibers.current;
  for (guint i = 0; f && i < MAX_LOCALS; i++)
    if (f->locals[i].key == key || !f->locals[i].key) {
      gpointer old = f->locals[i].value;
      f->locals[i].key = key;
      f->locals[i].value = value;
      if (release && old && key->notify)
        key->notify(old);
      return;
    }
}

/* ---- turns ---- */

static void fiber_take_turn(FerryFiber *f) {
  fibers.current = f;
  fibers.turns++;
  enter(f);
  fibers.current = NULL;
  if (f->done && !f->joined)
    fiber_free(f);
}

/* Who is next; NULL: nobody before `until_us`. */
static FerryFiber *next_fiber(gint64 until_us) {
  for (;;) {
    while (fibers.ready->len) {
      guint i = ferry_world_draw(fibers.ready->len);
      FerryFiber *f = g_ptr_array_steal_index_fast(fibers.ready, i);
      if (!f->process || !f->process->frozen)
        return f;
      g_ptr_array_add(fibers.stopped, f);
    }
    if (!fibers.deadlines->len)
      return NULL;
    if (g_array_index(fibers.deadlines, Deadline, 0).at > until_us) {
      fibers.now = MAX(fibers.now, until_us);
      return NULL;
    }
    Deadline d = deadline_take();
    if (d.fiber->turn != d.turn)
      continue;
    fibers.now = MAX(fibers.now, d.at);
    make_ready(d.fiber, FALSE);
  }
}

gboolean ferry_fiber_run(gint64 until_us, gboolean (*look)(gpointer data), gpointer data) {
  gint64 at = fibers.now;
  guint64 stuck = fibers.turns;
  for (FerryFiber *f; (f = next_fiber(until_us));) {
    if (fibers.now != at) {
      at = fibers.now;
      stuck = fibers.turns;
    } else if (fibers.turns - stuck > STUCK_TURNS) {
      g_error("the world's clock stands still: somebody turns in a circle");
    }
    fiber_take_turn(f);
    if (look && !look(data))
      return FALSE;
  }
  return TRUE;
}
