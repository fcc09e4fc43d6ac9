// SPDX-License-Identifier: Apache-2.0
/* ferry-lab-kvm-probe: exit status 0 only if KVM really serves guests.
 *
 * /dev/kvm can be there, open, and even run a few real-mode instructions, and
 * yet be no use (nested, filtered or emulated machines). So a guest is put into
 * long mode with paging, as any kernel would be: it runs a loop that native
 * code does in a blink and an emulator doesn't, takes a round trip through its
 * page tables and SSE registers, and writes the result to a port. KVM's list of
 * CPU features must hold what Linux needs. Anything else, or anything late, is a
 * no, with the reason on stderr. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define GUEST_SIZE 0x10000
#define PML4 0x1000
#define PDPT 0x2000
#define PD 0x3000
#define CODE 0x4000
#define ALIAS 0x40000000 /* the same memory again, 1 GiB up */
#define PROBE_PORT 0xf4
#define TIMEOUT_S 2
#define CPUID_MAX 256

#define CPUID1_EDX_NEEDED ((1U << 0) | (1U << 4) | (1U << 5) | (1U << 6) | (1U << 25) | (1U << 26))
#define CPUID1_ECX_NEEDED (1U << 0) /* SSE3 (pni), which QEMU's CPU models want */
#define CPUID8_EDX_NEEDED ((1U << 11) | (1U << 20) | (1U << 29)) /* syscall, nx, long mode */

/* mov ecx, 300000000; 1: dec ecx; jnz 1b
 * mov rax, 0x5a5a; movq xmm0, rax; movq [0x5000], xmm0
 * mov rbx, [0x40005000]; mov eax, ebx; mov dx, 0xf4; out dx, ax; hlt */
static const uint8_t guest_code[] = {
    0xb9, 0x00, 0xa3, 0xe1, 0x11,       0xff, 0xc9, 0x75, 0xfc,  /* the loop */
    0x48, 0xc7, 0xc0, 0x5a, 0x5a,       0x00, 0x00,              /* mov rax, 0x5a5a */
    0x66, 0x48, 0x0f, 0x6e, 0xc0,                                /* movq xmm0, rax */
    0x66, 0x0f, 0xd6, 0x04, 0x25,       0x00, 0x50, 0x00, 0x00,  /* movq [0x5000], xmm0 */
    0x48, 0x8b, 0x1c, 0x25, 0x00,       0x50, 0x00, 0x40,        /* mov rbx, [0x40005000] */
    0x89, 0xd8, 0x66, 0xba, PROBE_PORT, 0x00, 0x66, 0xef, 0xf4}; /* mov, mov, out, hlt */
#define PROBE_VALUE 0x5a5a

static int no(const char *what) {
  fprintf(stderr, "no usable KVM: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  return 1;
}

static bool features_suffice(int kvm, int vcpu) {
  struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + CPUID_MAX * sizeof cpuid->entries[0]);
  if (!cpuid)
    return false;
  cpuid->nent = CPUID_MAX;
  bool basic = false, extended = false;
  if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0 && ioctl(vcpu, KVM_SET_CPUID2, cpuid) == 0) {
    for (uint32_t i = 0; i < cpuid->nent; i++) {
      const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];
      if (e->function == 1)
        basic = (e->edx & CPUID1_EDX_NEEDED) == CPUID1_EDX_NEEDED &&
                (e->ecx & CPUID1_ECX_NEEDED) == CPUID1_ECX_NEEDED;
      else if (e->function == 0x80000001)
        extended = (e->edx & CPUID8_EDX_NEEDED) == CPUID8_EDX_NEEDED;
    }
  }
  free(cpuid);
  return basic && extended;
}

static void set_entry(uint8_t *memory, size_t address, uint64_t value) {
  memcpy(memory + address, &value, sizeof value);
}

/* Page tables: the first 2 MiB at 0 and again at ALIAS. */
static void fill_memory(uint8_t *memory) {
  set_entry(memory, PML4, PDPT | 3);
  set_entry(memory, PDPT, PD | 3);
  set_entry(memory, PDPT + 8 * (ALIAS >> 30), PD | 3);
  set_entry(memory, PD, 0x83); /* present, writable, a 2 MiB page */
  memcpy(memory + CODE, guest_code, sizeof guest_code);
}

static bool enter_long_mode(int vcpu) {
  struct kvm_sregs sregs;
  if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
    return false;
  struct kvm_segment code = {
      .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
  struct kvm_segment data = code;
  data.selector = 16;
  data.type = 3;
  data.l = 0;
  data.db = 1;
  sregs.cs = code;
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
  sregs.cr3 = PML4;
  sregs.cr4 = (1 << 5) | (1 << 9);                   /* PAE, OSFXSR */
  sregs.cr0 = 0x80000000U | (1 << 1) | (1 << 4) | 1; /* paging, MP, ET, protected */
  sregs.efer = (1 << 8) | (1 << 10);                 /* long mode enabled, active */
  struct kvm_regs regs = {.rip = CODE, .rsp = GUEST_SIZE, .rflags = 2};
  return ioctl(vcpu, KVM_SET_SREGS, &sregs) == 0 && ioctl(vcpu, KVM_SET_REGS, &regs) == 0;
}

int main(void) {
  alarm(TIMEOUT_S); /* a KVM that hangs or crawls kills the probe: not 0 either */
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0)
    return no("open /dev/kvm");
  if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
    return no("API version");
  int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  if (vm < 0)
    return no("create a VM");
  uint8_t *memory =
      mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return no("allocate guest memory");
  fill_memory(memory);
  struct kvm_userspace_memory_region region = {.memory_size = GUEST_SIZE,
                                               .userspace_addr = (uintptr_t)memory};
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
    return no("give the VM memory");
  int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  if (vcpu < 0)
    return no("create a vCPU");
  if (!features_suffice(kvm, vcpu))
    return no("its CPU lacks features that Linux needs");
  int run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (run_size < (int)sizeof(struct kvm_run))
    return no("vCPU area size");
  struct kvm_run *run = mmap(NULL, (size_t)run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (run == MAP_FAILED)
    return no("map the vCPU area");
  if (!enter_long_mode(vcpu))
    return no("enter long mode");
  while (ioctl(vcpu, KVM_RUN, 0) < 0)
    if (errno != EINTR)
      return no("run the guest");
  errno = 0;
  uint16_t value = 0;
  if (run->exit_reason == KVM_EXIT_IO && run->io.port == PROBE_PORT && run->io.size == sizeof value)
    memcpy(&value, (uint8_t *)run + run->io.data_offset, sizeof value);
  if (value != PROBE_VALUE)
    return no("the guest did not do what its code says");
  return 0;
}
