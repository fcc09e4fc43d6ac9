// SPDX-License-Identifier: Apache-2.0
// Where QEMU's multiboot loader enters: 32-bit protected mode, no paging,
// eax = magic, ebx = multiboot information.

        .set MAGIC, 0x1badb002
        .set FLAGS, 0x00000002          // the loader must fill in the memory size

        .section .multiboot, "a"
        .align 4
        .long MAGIC, FLAGS, -(MAGIC + FLAGS)

        .section .text
        .globl _start
_start:
        cli
        cld
        movl $stack_top, %esp
        lgdt gdt_pointer
        ljmp $0x08, $1f
1:      movl $0x10, %ecx
        movl %ecx, %ds
        movl %ecx, %es
        movl %ecx, %fs
        movl %ecx, %gs
        movl %ecx, %ss
        pushl %ebx
        pushl %eax
        call bare_main
2:      cli
        hlt
        jmp 2b

        // IRQ 0, the timer.
        .globl timer_entry
timer_entry:
        pusha
        cld
        call bare_tick
        popa
        iret

        // Any other interrupt of the controllers: ignored.
        .globl spurious_entry
spurious_entry:
        iret

        // Any exception: the guest is broken; say where.
        .globl exception_entry
exception_entry:
        cld
        pushl %esp
        call bare_exception
        jmp 2b

        .section .rodata
        .align 8
gdt:    .quad 0
        .quad 0x00cf9a000000ffff        // code, flat
        .quad 0x00cf92000000ffff        // data, flat
gdt_pointer:
        .word . - gdt - 1
        .long gdt

        .section .bss
        .align 16
        .skip 16384
stack_top:

        .section .note.GNU-stack, "", @progbits
