// SPDX-License-Identifier: Apache-2.0
// Only in builds with ThreadSanitizer: jansson gives a reference back by a release alone, and what
// frees the value then acquires nothing, which is enough for processors and too little for the
// sanitizer: what another thread had read of it before would look like a race with the free.
// Values inside others are counted in libjansson, which the sanitizer does not see at all, so that
// frees are ordered with each other, too. A value that is used after it was freed is ASan's to
// find.
#include <dlfcn.h>
#include <jansson.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

static char frees;

void json_delete(json_t *json) {
  static void *found;
  void *real = __atomic_load_n(&found, __ATOMIC_RELAXED);
  if (!real) {
    real = dlsym(RTLD_NEXT, "json_delete");
    __atomic_store_n(&found, real, __ATOMIC_RELAXED);
  }
  if (json)
    (void)__atomic_load_n(&json->refcount, __ATOMIC_ACQUIRE);
  __tsan_acquire(&frees);
  ((void (*)(json_t *))real)(json);
  __tsan_release(&frees);
}
