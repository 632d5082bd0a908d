// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guests and what they must cause.
 *
 * 'measured' guests are counted between their marks: MARK_STOP's own OUT is
 * in the count, and is the 'once' of the I/O exit. Nothing else happens there
 * once: code, page tables and data were mapped by the warm-up.
 *
 * Why the numbers are what they are (KVM without an in-kernel irqchip, but for the
 * interrupts):
 * - CPUID, port I/O, HLT, VMCALL/VMMCALL and the MSR chosen are always
 *   intercepted (SDM vol. 3, 26.1; APM vol. 2, 15.9). SVM has one code for
 *   RDMSR and WRMSR, VMX two.
 * - MMIO: after the first access KVM marks the page-table entry such that each
 *   further access faults: npf on SVM, EPT_MISCONFIG with EPT, #PF without
 *   nested paging.
 * - First touch: one nested page fault per 4 KiB page. Shadow paging: one #PF
 *   each, for KVM prefetches only neighbours whose Accessed bit is set.
 * - MOV to CR3, INVLPG: of no interest to KVM under nested paging; intercepted
 *   under shadow paging, which has to follow the guest's page tables.
 * - Editing a page-table entry: the first write to a shadowed table faults and
 *   lets the table go out of sync (the warm-up sees to that), further writes
 *   do not; the first touch through each new entry faults.
 * - CR0: MOV from it exits nowhere but under SVM's shadow paging. There KVM runs
 *   the guest with WP and PG set whatever it set itself, so svm_set_cr0() has to
 *   hide CR0 and intercepts both directions; SMSW is such a read (APM vol. 2,
 *   15.9). VMX shows a shadow instead (SDM vol. 3, 25.6.6). Else SVM's selective
 *   intercept sees changes of all bits but TS and MP; on VMX TS is among the bits
 *   that belong to the guest (KVM_POSSIBLE_CR0_GUEST_BITS).
 * - CR4: init_vmcb() intercepts both directions. VMX: a write exits where it changes
 *   a bit that is not the guest's (KVM_POSSIBLE_CR4_GUEST_BITS: DE is, MCE is not).
 * - CR8, while the APIC is not in the kernel: init_vmcb() intercepts writes, reads
 *   take V_TPR; vmx_exec_control() has both exit for want of a TPR shadow.
 * - Debug registers: the first access has KVM switch the intercept off
 *   (KVM_DEBUGREG_WONT_EXIT); the next exit, whatever it is, switches it on again.
 * - WBINVD, INVD, XSETBV, RDPMC, MONITOR, MWAIT, VMRUN: intercepted by init_vmcb().
 *   VMX: INVD, XSETBV, VMLAUNCH always exit (SDM vol. 3, 26.1.2), the others as
 *   vmx_exec_control() and its companions ask for. What KVM answers with an
 *   exception is injected with the entry: no exit of its own.
 * - RDTSC, SIDT, SGDT: KVM does not ask for these (SIDT and SGDT: only to emulate
 *   UMIP, once CR4.UMIP is set).
 * - PAUSE: SVM's filter exits after 3000 of them (pause_filter_count), where the CPU
 *   has filter and threshold; KVM lengthens it from there. VMX: PAUSEs at most 128
 *   cycles apart (ple_gap) for more than 4096 (ple_window) are one exit, so at least
 *   32 of them. A bound: a slow PAUSE or a CPU without either has none.
 * - Exceptions: KVM intercepts #UD and #DB always, #PF under shadow paging
 *   (init_vmcb(), vmx_update_exception_bitmap()); it gives them back to the guest.
 *   Others reach the guest's IDT and nobody else.
 * - String I/O: KVM's emulator hands OUTS to userspace one element at a time, each
 *   with an exit; INS is read ahead, for as much as fits into 1024 bytes and a page
 *   (pio_in_emulated()), so it is one.
 * - ioeventfd and coalesced MMIO: exits like any other, and no way to userspace.
 *   KVM's ring has room for 169 writes, and before 6.11 took itself for full with
 *   85 (coalesced_mmio_has_room() counted modulo 2^32), so the guest stays below,
 *   and has the ring to itself.
 * - MOV to CR3 among address spaces: KVM keeps the shadow of each top table, whether
 *   it is among the few roots that it keeps at hand (KVM_MMU_NUM_PREV_ROOTS) or not,
 *   so one that has run before costs its MOV and no #PF.
 * - The guest's large pages alone save nothing: where the host has 4 KiB pages, KVM
 *   maps 4 KiB. With huge pages on both sides it maps 2 MiB (kvm_mmu_hugepage_adjust()).
 * - Dirty log: KVM_GET_DIRTY_LOG write-protects what was written to, so each page
 *   faults once more. Pages that the host took away fault like untouched ones; what
 *   the guest does to its own entries (pte-edit) does not under nested paging.
 *   While the host takes pages from a VM, any vCPU's fault may have to be taken again
 *   (mmu_invalidate_retry()), so one vCPU does this alone.
 * - Interrupts (KVM_CREATE_IRQCHIP, x2APIC mode, no AVIC or APICv): each write of an
 *   APIC register is a WRMSR that exits; the interrupt itself is injected with an
 *   entry, as IF is set. The APIC's timer is an hrtimer of the host's, which counts as
 *   its interrupt; on VMX it is the preemption timer, where the CPU has one and the
 *   vCPU is in the guest when it is due (start_hv_timer()): a bound.
 * - HLT while another vCPU answers: none where the answer is faster than the way to
 *   HLT, so it is a bound. INIT, SIPI, and the interrupts that wake: no exit.
 *
 * What may spread: a nested fault or a #PF is taken again when the host moves
 * or reclaims the page meanwhile (no bound; not seen where memory is free), and
 * on VMX an NMI of the host counts as EXCEPTION_NMI, as a #PF does (at most as
 * many as NMI: in /proc/interrupts rises). VMX expects kvm's mmio_caching=Y.
 */
#include <string.h>

#include <asm/svm.h>
#include <asm/vmx.h>

#include "catalogue.h"
#include "host.h"
#include "memory_map.h"
#include "needs.h"

#define DECLARE_BODY(name)	extern const uint8_t body_##name[]
DECLARE_BODY(print);
DECLARE_BODY(exits);
DECLARE_BODY(files);
DECLARE_BODY(hostile);
DECLARE_BODY(hello);
DECLARE_BODY(hello_real);
DECLARE_BODY(hello_32);
DECLARE_BODY(signature);
DECLARE_BODY(trespass);
DECLARE_BODY(trespass_fault);
DECLARE_BODY(cpuid);
DECLARE_BODY(port_out);
DECLARE_BODY(port_in);
DECLARE_BODY(mmio);
DECLARE_BODY(msr_read);
DECLARE_BODY(msr_write);
DECLARE_BODY(hlt);
DECLARE_BODY(vmcall);
DECLARE_BODY(vmmcall);
DECLARE_BODY(touch);
DECLARE_BODY(touch_again);
DECLARE_BODY(cr3_write);
DECLARE_BODY(invlpg);
DECLARE_BODY(pte_edit);
DECLARE_BODY(cr0_read);
DECLARE_BODY(cr0_write);
DECLARE_BODY(cr0_ts);
DECLARE_BODY(cr4_read);
DECLARE_BODY(cr4_write);
DECLARE_BODY(cr4_de);
DECLARE_BODY(cr8_read);
DECLARE_BODY(cr8_write);
DECLARE_BODY(dr_read);
DECLARE_BODY(dr_write);
DECLARE_BODY(wbinvd);
DECLARE_BODY(invd);
DECLARE_BODY(xsetbv);
DECLARE_BODY(rdtsc);
DECLARE_BODY(rdpmc);
DECLARE_BODY(monitor);
DECLARE_BODY(mwait);
DECLARE_BODY(pause);
DECLARE_BODY(sidt);
DECLARE_BODY(sgdt);
DECLARE_BODY(smsw);
DECLARE_BODY(vmrun);
DECLARE_BODY(vmlaunch);
DECLARE_BODY(ud);
DECLARE_BODY(db);
DECLARE_BODY(bp);
DECLARE_BODY(page_fault);
DECLARE_BODY(de);
DECLARE_BODY(outs);
DECLARE_BODY(ins);
DECLARE_BODY(event);
DECLARE_BODY(cr3_switch);
DECLARE_BODY(touch_large);
DECLARE_BODY(touch_huge);
DECLARE_BODY(after_host);
DECLARE_BODY(after_host_twice);
DECLARE_BODY(cow);
DECLARE_BODY(fork);
DECLARE_BODY(self_ipi);
DECLARE_BODY(timer);
DECLARE_BODY(ipi);
DECLARE_BODY(smp_start);

#define SVM_EXIT_EXCP(vector) (SVM_EXIT_EXCP_BASE + (vector))
#define SVM_EXIT_PF	SVM_EXIT_EXCP(14)
/* VMX has one reason for exceptions and NMIs; the vector is apart. */
#define VMX_EXIT_PF	EXIT_REASON_EXCEPTION_NMI

/* The OUT of MARK_STOP. */
#define SVM_MARK	{ SVM_EXIT_IOIO, 0, 1 }
#define VMX_MARK	{ EXIT_REASON_IO_INSTRUCTION, 0, 1 }

/* The operation exits so many times, whatever the paging mode. */
#define TIMES(n, svm, vmx) { \
	[SVM_NESTED] = { { svm, n, 0 }, SVM_MARK }, \
	[SVM_SHADOW] = { { svm, n, 0 }, SVM_MARK }, \
	[VMX_NESTED] = { { vmx, n, 0 }, VMX_MARK }, \
	[VMX_SHADOW] = { { vmx, n, 0 }, VMX_MARK }, \
}
#define ALWAYS(svm, vmx) TIMES(1, svm, vmx)

/* Each mode has its own reason. */
#define BY_MODE(svm_nested, svm_shadow, vmx_nested, vmx_shadow) { \
	[SVM_NESTED] = { { svm_nested, 1, 0 }, SVM_MARK }, \
	[SVM_SHADOW] = { { svm_shadow, 1, 0 }, SVM_MARK }, \
	[VMX_NESTED] = { { vmx_nested, 1, 0 }, VMX_MARK }, \
	[VMX_SHADOW] = { { vmx_shadow, 1, 0 }, VMX_MARK }, \
}

/* No exit under nested paging. */
#define SHADOW_ONLY(svm, vmx) { \
	[SVM_NESTED] = { SVM_MARK }, \
	[SVM_SHADOW] = { { svm, 1, 0 }, SVM_MARK }, \
	[VMX_NESTED] = { VMX_MARK }, \
	[VMX_SHADOW] = { { vmx, 1, 0 }, VMX_MARK }, \
}

#define NEVER { \
	[SVM_NESTED] = { SVM_MARK }, \
	[SVM_SHADOW] = { SVM_MARK }, \
	[VMX_NESTED] = { VMX_MARK }, \
	[VMX_SHADOW] = { VMX_MARK }, \
}

#define ON_TOUCH_OF(vmx_nested) BY_MODE(SVM_EXIT_NPF, SVM_EXIT_PF, vmx_nested, VMX_EXIT_PF)

/*
 * Nested: the copy is a page that nobody had touched yet. Shadow paging: #PF for the
 * guest to see, the copy's first touch, INVLPG, and #PF because the new entry is not
 * shadowed yet.
 */
#define COPY_ON_WRITE(pf) { \
	[SVM_NESTED] = { { SVM_EXIT_NPF, 1, 0 }, SVM_MARK }, \
	[SVM_SHADOW] = { { SVM_EXIT_PF, pf, 0 }, { SVM_EXIT_INVLPG, 1, 0 }, SVM_MARK }, \
	[VMX_NESTED] = { { EXIT_REASON_EPT_VIOLATION, 1, 0 }, VMX_MARK }, \
	[VMX_SHADOW] = { { VMX_EXIT_PF, pf, 0 }, { EXIT_REASON_INVLPG, 1, 0 }, VMX_MARK }, \
}
/*
 * With MOV to and from CR3; the former has KVM bring the page table in step
 * (mmu_sync_children()) and protect it, so writing to it is one #PF more.
 */
#define FORK { \
	[SVM_NESTED] = { { SVM_EXIT_NPF, 1, 0 }, SVM_MARK }, \
	[SVM_SHADOW] = { { SVM_EXIT_PF, 4, 0 }, { SVM_EXIT_INVLPG, 1, 0 }, \
			 { SVM_EXIT_WRITE_CR3, 1, 0 }, { SVM_EXIT_READ_CR3, 1, 0 }, SVM_MARK }, \
	[VMX_NESTED] = { { EXIT_REASON_EPT_VIOLATION, 1, 0 }, VMX_MARK }, \
	[VMX_SHADOW] = { { VMX_EXIT_PF, 4, 0 }, { EXIT_REASON_INVLPG, 1, 0 }, \
			 { EXIT_REASON_CR_ACCESS, 2, 0 }, VMX_MARK }, \
}

/* Two writes of APIC registers each. */
#define SVM_INTERRUPT	{ SVM_EXIT_MSR, 2, 0 }
#define VMX_INTERRUPT	{ EXIT_REASON_MSR_WRITE, 2, 0 }
#define SVM_TIMER	{ SVM_INTERRUPT, SVM_MARK }
#define VMX_TIMER	{ VMX_INTERRUPT, { EXIT_REASON_PREEMPTION_TIMER, .every = 1 }, VMX_MARK }
#define TIMER { \
	[SVM_NESTED] = SVM_TIMER, [SVM_SHADOW] = SVM_TIMER, \
	[VMX_NESTED] = VMX_TIMER, [VMX_SHADOW] = VMX_TIMER, \
}
#define SVM_IPI		{ SVM_INTERRUPT, { SVM_EXIT_HLT, .every = 1 }, SVM_MARK }
#define VMX_IPI		{ VMX_INTERRUPT, { EXIT_REASON_HLT, .every = 1 }, VMX_MARK }
#define IPI { \
	[SVM_NESTED] = SVM_IPI, [SVM_SHADOW] = SVM_IPI, \
	[VMX_NESTED] = VMX_IPI, [VMX_SHADOW] = VMX_IPI, \
}

/*
 * The first one: INIT, SIPI, EOI. The other: its IPI, from real mode; with nested
 * paging its page is mapped already, for the first one wrote to it, without it is
 * touched anew. VMX without EPT: see HELLO on real mode, HLT and the TSS; WRMSR is a
 * #GP there, too, and tells itself from no other exception.
 */
#define SMP_START { \
	[SVM_NESTED] = { { SVM_EXIT_MSR, 3, 0, .of = FIRST_VCPU }, \
			 { SVM_EXIT_MSR, 1, 0, .of = OTHER_VCPUS }, \
			 { SVM_EXIT_HLT, .every = 1 }, SVM_MARK }, \
	[SVM_SHADOW] = { { SVM_EXIT_MSR, 3, 0, .of = FIRST_VCPU }, \
			 { SVM_EXIT_MSR, 1, 0, .of = OTHER_VCPUS }, \
			 { SVM_EXIT_HLT, .every = 1 }, SVM_MARK, \
			 { SVM_EXIT_PF, 0, 1, .of = OTHER_VCPUS } }, \
	[VMX_NESTED] = { { EXIT_REASON_MSR_WRITE, 3, 0, .of = FIRST_VCPU }, \
			 { EXIT_REASON_MSR_WRITE, 1, 0, .of = OTHER_VCPUS }, \
			 { EXIT_REASON_HLT, .every = 1 }, VMX_MARK }, \
	[VMX_SHADOW] = { { EXIT_REASON_MSR_WRITE, 3, 0, .of = FIRST_VCPU }, \
			 { EXIT_REASON_HLT, .every = 1, .of = FIRST_VCPU }, VMX_MARK, \
			 { EXIT_REASON_EXCEPTION_NMI, 1, 2, .every = 1, .of = OTHER_VCPUS } }, \
}

/* On one of the two only. */
#define SVM_ONLY(svm) { \
	[SVM_NESTED] = { { svm, 1, 0 }, SVM_MARK }, \
	[SVM_SHADOW] = { { svm, 1, 0 }, SVM_MARK }, \
	[VMX_NESTED] = { VMX_MARK }, \
	[VMX_SHADOW] = { VMX_MARK }, \
}
#define SVM_SHADOW_ONLY(svm) { \
	[SVM_NESTED] = { SVM_MARK }, \
	[SVM_SHADOW] = { { svm, 1, 0 }, SVM_MARK }, \
	[VMX_NESTED] = { VMX_MARK }, \
	[VMX_SHADOW] = { VMX_MARK }, \
}
#define VMX_ONLY(vmx) { \
	[SVM_NESTED] = { SVM_MARK }, \
	[SVM_SHADOW] = { SVM_MARK }, \
	[VMX_NESTED] = { { vmx, 1, 0 }, VMX_MARK }, \
	[VMX_SHADOW] = { { vmx, 1, 0 }, VMX_MARK }, \
}

/* The first one exits, and then the first after each other exit. */
#define SVM_LAZY(svm) { { svm, .once = 1, .interrupts = true }, SVM_MARK }
#define VMX_LAZY(vmx) { { vmx, .once = 1, .interrupts = true }, VMX_MARK }
#define LAZY(svm, vmx) { \
	[SVM_NESTED] = SVM_LAZY(svm), [SVM_SHADOW] = SVM_LAZY(svm), \
	[VMX_NESTED] = VMX_LAZY(vmx), [VMX_SHADOW] = VMX_LAZY(vmx), \
}

/* A bound: at most one in so many operations. */
#define AT_MOST(svm, svm_every, vmx, vmx_every) { \
	[SVM_NESTED] = { { svm, .every = svm_every }, SVM_MARK }, \
	[SVM_SHADOW] = { { svm, .every = svm_every }, SVM_MARK }, \
	[VMX_NESTED] = { { vmx, .every = vmx_every }, VMX_MARK }, \
	[VMX_SHADOW] = { { vmx, .every = vmx_every }, VMX_MARK }, \
}

/*
 * KVM's emulator (x86_emulate_insn()) leaves RIP where it is when the last byte is
 * done, so the CPU meets the instruction once more, with RCX = 0. Whether that
 * exits neither manual says; the lab's two CPUs do, so it is a bound.
 */
#define STRING_IO(n) { \
	[SVM_NESTED] = { { SVM_EXIT_IOIO, n, .every = 1 }, SVM_MARK }, \
	[SVM_SHADOW] = { { SVM_EXIT_IOIO, n, .every = 1 }, SVM_MARK }, \
	[VMX_NESTED] = { { EXIT_REASON_IO_INSTRUCTION, n, .every = 1 }, VMX_MARK }, \
	[VMX_SHADOW] = { { EXIT_REASON_IO_INSTRUCTION, n, .every = 1 }, VMX_MARK }, \
}

/*
 * hello is counted from its first exit to its last: 14 characters, HLT, and the
 * first touch of all that it needs. That is the code, the page of the answer,
 * and, nested, the page tables on the way: PML4, PDPT, page directory and page
 * table in long mode, the last two with 32-bit paging. Shadow paging: in real mode
 * both pages are among the same eight, of which KVM maps what the host has in memory
 * with the first of them (direct_pte_prefetch()).
 *
 * VMX without EPT runs real mode as virtual-8086 mode (SDM vol. 3, 21.2): HLT is a
 * #GP there, and KVM emulates it; OUT looks into the TSS for its I/O permissions,
 * and the first to touch that page, which is KVM's own, faults once more.
 */
#define HELLO(tables, shadow_pages, vmx_shadow_hlt, vmx_shadow_tss) { \
	[SVM_NESTED] = { { SVM_EXIT_IOIO, 14, 0 }, { SVM_EXIT_HLT, 1, 0 }, \
			 { SVM_EXIT_NPF, 0, 2 + (tables) } }, \
	[SVM_SHADOW] = { { SVM_EXIT_IOIO, 14, 0 }, { SVM_EXIT_HLT, 1, 0 }, \
			 { SVM_EXIT_PF, 0, shadow_pages } }, \
	[VMX_NESTED] = { { EXIT_REASON_IO_INSTRUCTION, 14, 0 }, { EXIT_REASON_HLT, 1, 0 }, \
			 { EXIT_REASON_EPT_VIOLATION, 0, 2 + (tables) } }, \
	[VMX_SHADOW] = { { EXIT_REASON_IO_INSTRUCTION, 14, 0 }, { vmx_shadow_hlt, 1, 0 }, \
			 { VMX_EXIT_PF, 0, shadow_pages }, { VMX_EXIT_PF, 0, vmx_shadow_tss, .of = FIRST_VCPU } }, \
}

/* Two CPUIDs, two OUTs, and the first touch of what hello touches. */
#define SIGNATURE { \
	[SVM_NESTED] = { { SVM_EXIT_CPUID, 2, 0 }, { SVM_EXIT_IOIO, 2, 0 }, { SVM_EXIT_HLT, 1, 0 }, \
			 { SVM_EXIT_NPF, 0, 6 } }, \
	[SVM_SHADOW] = { { SVM_EXIT_CPUID, 2, 0 }, { SVM_EXIT_IOIO, 2, 0 }, { SVM_EXIT_HLT, 1, 0 }, \
			 { SVM_EXIT_PF, 0, 2 } }, \
	[VMX_NESTED] = { { EXIT_REASON_CPUID, 2, 0 }, { EXIT_REASON_IO_INSTRUCTION, 2, 0 }, \
			 { EXIT_REASON_HLT, 1, 0 }, { EXIT_REASON_EPT_VIOLATION, 0, 6 } }, \
	[VMX_SHADOW] = { { EXIT_REASON_CPUID, 2, 0 }, { EXIT_REASON_IO_INSTRUCTION, 2, 0 }, \
			 { EXIT_REASON_HLT, 1, 0 }, { VMX_EXIT_PF, 0, 2 } }, \
}

/*
 * Like hello, and as many characters as the message has; besides its pages those
 * of the IDT and of the stack. Its fault is its own: without nested paging KVM
 * has to see it to know that (one #PF more).
 */
#define TRESPASS_TEXT	(sizeof("not mine\n") - 1)
#define TRESPASS { \
	[SVM_NESTED] = { { SVM_EXIT_IOIO, TRESPASS_TEXT, 0 }, { SVM_EXIT_HLT, 1, 0 }, { SVM_EXIT_NPF, 0, 8 } }, \
	[SVM_SHADOW] = { { SVM_EXIT_IOIO, TRESPASS_TEXT, 0 }, { SVM_EXIT_HLT, 1, 0 }, { SVM_EXIT_PF, 0, 5 } }, \
	[VMX_NESTED] = { { EXIT_REASON_IO_INSTRUCTION, TRESPASS_TEXT, 0 }, { EXIT_REASON_HLT, 1, 0 }, \
			 { EXIT_REASON_EPT_VIOLATION, 0, 8 } }, \
	[VMX_SHADOW] = { { EXIT_REASON_IO_INSTRUCTION, TRESPASS_TEXT, 0 }, { EXIT_REASON_HLT, 1, 0 }, \
			 { VMX_EXIT_PF, 0, 5 } }, \
}

#define HELLO_TEXT "prints \"Hello, world!\" by 14 OUTs, stores 42, halts"
/* Seven calls, of two exits each; a page more than hello needs, for what is in the file. */
#define FILES { \
	[SVM_NESTED] = { { SVM_EXIT_IOIO, 14, 0 }, { SVM_EXIT_HLT, 1, 0 }, { SVM_EXIT_NPF, 0, 7 } }, \
	[SVM_SHADOW] = { { SVM_EXIT_IOIO, 14, 0 }, { SVM_EXIT_HLT, 1, 0 }, { SVM_EXIT_PF, 0, 3 } }, \
	[VMX_NESTED] = { { EXIT_REASON_IO_INSTRUCTION, 14, 0 }, { EXIT_REASON_HLT, 1, 0 }, \
			 { EXIT_REASON_EPT_VIOLATION, 0, 7 } }, \
	[VMX_SHADOW] = { { EXIT_REASON_IO_INSTRUCTION, 14, 0 }, { EXIT_REASON_HLT, 1, 0 }, \
			 { VMX_EXIT_PF, 0, 3 } }, \
}

#define ONCE .count = 1, .count_max = 1, .answers = true
/* Counted between its marks. */
#define MEASURED .measured = true
/* By the APIC that is in KVM, not by one that the CPU virtualizes. */
#define INTERRUPTED .irqchip = true, .vector = INTERRUPT_VECTOR, .needs = needs_emulated_apic
#define USUAL MEASURED, .count = 1000, .warm_up = 2

const struct guest catalogue[] = {
	{ "hello", HELLO_TEXT, .body = body_hello, ONCE,
	  .expect = HELLO(4, 2, EXIT_REASON_HLT, 0) },
	{ "hello", HELLO_TEXT, .mode = MODE_REAL, .body = body_hello_real, ONCE,
	  .expect = HELLO(0, 1, EXIT_REASON_EXCEPTION_NMI, 1) },
	{ "hello", HELLO_TEXT, .mode = MODE_PROTECTED, .body = body_hello_32, ONCE,
	  .expect = HELLO(0, 2, EXIT_REASON_HLT, 0) },
	{ "hello", HELLO_TEXT, .mode = MODE_PAGED, .body = body_hello_32, ONCE,
	  .expect = HELLO(2, 2, EXIT_REASON_HLT, 0) },
	{ "signature", "asks by CPUID whether it is in a VM, and in whose, and prints that",
	  .body = body_signature, ONCE, .expect = SIGNATURE },
	{ "trespass", "reads behind its part of the memory, and handles the page fault that this is",
	  .body = body_trespass, .handler = body_trespass_fault, .vector = 14, ONCE, .expect = TRESPASS },
	{ "cpuid", "CPUID", USUAL, .body = body_cpuid,
	  .expect = ALWAYS(SVM_EXIT_CPUID, EXIT_REASON_CPUID) },
	{ "port-out", "OUT to a port that userspace handles", USUAL, .body = body_port_out,
	  .expect = ALWAYS(SVM_EXIT_IOIO, EXIT_REASON_IO_INSTRUCTION) },
	{ "port-in", "IN from a port that userspace handles", USUAL, .body = body_port_in,
	  .expect = ALWAYS(SVM_EXIT_IOIO, EXIT_REASON_IO_INSTRUCTION) },
	{ "mmio", "write to an address without memory", USUAL, .body = body_mmio,
	  .expect = BY_MODE(SVM_EXIT_NPF, SVM_EXIT_PF, EXIT_REASON_EPT_MISCONFIG, VMX_EXIT_PF) },
	{ "msr-read", "RDMSR of an intercepted MSR", USUAL, .body = body_msr_read,
	  .expect = ALWAYS(SVM_EXIT_MSR, EXIT_REASON_MSR_READ) },
	{ "msr-write", "WRMSR to an intercepted MSR", USUAL, .body = body_msr_write,
	  .expect = ALWAYS(SVM_EXIT_MSR, EXIT_REASON_MSR_WRITE) },
	{ "hlt", "HLT, resumed by userspace", USUAL, .body = body_hlt,
	  .expect = ALWAYS(SVM_EXIT_HLT, EXIT_REASON_HLT) },
	{ "hypercall", "VMMCALL or VMCALL, answered by KVM", USUAL,
	  .body = body_vmmcall, .body_vmx = body_vmcall,
	  .expect = ALWAYS(SVM_EXIT_VMMCALL, EXIT_REASON_VMCALL) },
	{ "touch", "first touch of 4 KiB pages", MEASURED, .body = body_touch,
	  .count = 1000, .count_max = GUEST_ARENA_PAGES,
	  .expect = BY_MODE(SVM_EXIT_NPF, SVM_EXIT_PF, EXIT_REASON_EPT_VIOLATION, VMX_EXIT_PF) },
	{ "touch-again", "second touch of 4 KiB pages", MEASURED, .body = body_touch_again,
	  .count = 1000, .count_max = GUEST_ARENA_PAGES, .expect = NEVER },
	{ "cr3-write", "MOV to CR3", USUAL, .body = body_cr3_write,
	  .expect = SHADOW_ONLY(SVM_EXIT_WRITE_CR3, EXIT_REASON_CR_ACCESS) },
	{ "invlpg", "INVLPG", USUAL, .body = body_invlpg,
	  .expect = SHADOW_ONLY(SVM_EXIT_INVLPG, EXIT_REASON_INVLPG) },
	{ "pte-edit", "a page-table entry filled in, and its page touched", MEASURED,
	  .body = body_pte_edit, .count = 400, .warm_up = 2, .count_max = GUEST_WINDOW_PAGES,
	  .expect = SHADOW_ONLY(SVM_EXIT_PF, VMX_EXIT_PF) },

	{ "cr0-read", "MOV from CR0", USUAL, .body = body_cr0_read,
	  .expect = SVM_SHADOW_ONLY(SVM_EXIT_READ_CR0) },
	{ "cr0-write", "MOV to CR0 that changes AM", USUAL, .body = body_cr0_write,
	  .expect = BY_MODE(SVM_EXIT_CR0_SEL_WRITE, SVM_EXIT_WRITE_CR0,
			    EXIT_REASON_CR_ACCESS, EXIT_REASON_CR_ACCESS) },
	{ "cr0-ts", "MOV to CR0 that changes TS", USUAL, .body = body_cr0_ts,
	  .expect = SVM_SHADOW_ONLY(SVM_EXIT_WRITE_CR0) },
	{ "cr4-read", "MOV from CR4", USUAL, .body = body_cr4_read,
	  .expect = SVM_ONLY(SVM_EXIT_READ_CR4) },
	{ "cr4-write", "MOV to CR4 that changes MCE", USUAL, .body = body_cr4_write,
	  .expect = ALWAYS(SVM_EXIT_WRITE_CR4, EXIT_REASON_CR_ACCESS) },
	{ "cr4-de", "MOV to CR4 that changes DE, which VMX leaves to the guest", USUAL,
	  .body = body_cr4_de, .expect = SVM_ONLY(SVM_EXIT_WRITE_CR4) },
	{ "cr8-read", "MOV from CR8 (no APIC in the kernel)", USUAL, .body = body_cr8_read,
	  .expect = VMX_ONLY(EXIT_REASON_CR_ACCESS) },
	{ "cr8-write", "MOV to CR8 (no APIC in the kernel)", USUAL, .body = body_cr8_write,
	  .expect = ALWAYS(SVM_EXIT_WRITE_CR8, EXIT_REASON_CR_ACCESS) },
	{ "dr-read", "MOV from DR0: the first, and again after an exit", USUAL, .body = body_dr_read,
	  .expect = LAZY(SVM_EXIT_READ_DR0, EXIT_REASON_DR_ACCESS) },
	{ "dr-write", "MOV to DR0: the first, and again after an exit", USUAL, .body = body_dr_write,
	  .expect = LAZY(SVM_EXIT_WRITE_DR0, EXIT_REASON_DR_ACCESS) },

	{ "wbinvd", "WBINVD", USUAL, .body = body_wbinvd,
	  .expect = ALWAYS(SVM_EXIT_WBINVD, EXIT_REASON_WBINVD) },
	{ "invd", "INVD", USUAL, .body = body_invd, .needs = needs_invd_intercept,
	  .expect = ALWAYS(SVM_EXIT_INVD, EXIT_REASON_INVD) },
	{ "xsetbv", "XSETBV", USUAL, .body = body_xsetbv, .needs = needs_xsetbv_intercept,
	  .expect = ALWAYS(SVM_EXIT_XSETBV, EXIT_REASON_XSETBV) },
	{ "rdtsc", "RDTSC", USUAL, .body = body_rdtsc, .expect = NEVER },
	{ "rdpmc", "RDPMC, and #GP where the guest has no such counter", USUAL, .body = body_rdpmc,
	  .handler = handler_resume_code, .vector = 13,
	  .expect = ALWAYS(SVM_EXIT_RDPMC, EXIT_REASON_RDPMC) },
	{ "monitor", "MONITOR, which is #UD in the guest", USUAL, .body = body_monitor,
	  .handler = handler_resume, .vector = 6, .needs = needs_monitor, .prepare = host_disable_quirks,
	  .expect = ALWAYS(SVM_EXIT_MONITOR, EXIT_REASON_MONITOR_INSTRUCTION) },
	{ "mwait", "MWAIT, which is #UD in the guest", USUAL, .body = body_mwait,
	  .handler = handler_resume, .vector = 6, .needs = needs_monitor, .prepare = host_disable_quirks,
	  .expect = ALWAYS(SVM_EXIT_MWAIT, EXIT_REASON_MWAIT_INSTRUCTION) },
	{ "pause", "PAUSE in a loop", MEASURED, .body = body_pause, .count = 10000, .warm_up = 2,
	  .expect = AT_MOST(SVM_EXIT_PAUSE, 3000, EXIT_REASON_PAUSE_INSTRUCTION, 32) },
	{ "sidt", "SIDT", USUAL, .body = body_sidt, .expect = NEVER },
	{ "sgdt", "SGDT", USUAL, .body = body_sgdt, .expect = NEVER },
	{ "smsw", "SMSW", USUAL, .body = body_smsw, .expect = SVM_SHADOW_ONLY(SVM_EXIT_READ_CR0) },
	{ "vm-launch", "VMRUN or VMLAUNCH in a guest that may not, so #UD", USUAL,
	  .body = body_vmrun, .body_vmx = body_vmlaunch, .handler = handler_resume, .vector = 6,
	  .expect = ALWAYS(SVM_EXIT_VMRUN, EXIT_REASON_VMLAUNCH) },

	{ "ud", "UD2: #UD in the guest", USUAL, .body = body_ud, .handler = handler_resume, .vector = 6,
	  .expect = ALWAYS(SVM_EXIT_EXCP(6), EXIT_REASON_EXCEPTION_NMI) },
	{ "db", "a single step: #DB in the guest", USUAL, .body = body_db,
	  .handler = handler_step, .vector = 1,
	  .expect = ALWAYS(SVM_EXIT_EXCP(1), EXIT_REASON_EXCEPTION_NMI) },
	{ "bp", "INT3: #BP in the guest", USUAL, .body = body_bp, .handler = handler_return, .vector = 3,
	  .expect = NEVER },
	{ "de", "division by 0: #DE in the guest", USUAL, .body = body_de,
	  .handler = handler_resume, .vector = 0, .expect = NEVER },
	{ "page-fault", "read of an unmapped page: #PF in the guest", USUAL, .body = body_page_fault,
	  .handler = handler_resume_code, .vector = 14,
	  .expect = SHADOW_ONLY(SVM_EXIT_PF, VMX_EXIT_PF) },

	{ "outs", "REP OUTSB of 16 bytes to a port that userspace handles", MEASURED, .body = body_outs,
	  .count = 100, .warm_up = 2,
	  .expect = STRING_IO(OUTS_BYTES) },
	{ "ins", "REP INSB of 512 bytes from a port that userspace handles", MEASURED, .body = body_ins,
	  .count = 100, .warm_up = 2,
	  .expect = STRING_IO(1) },
	{ "ioeventfd", "OUT to a port where an eventfd listens", USUAL, .body = body_event,
	  .prepare = host_listen, .in_kernel = true,
	  .expect = ALWAYS(SVM_EXIT_IOIO, EXIT_REASON_IO_INSTRUCTION) },
	{ "mmio-coalesced", "write to a device whose writes KVM collects", MEASURED, .body = body_mmio,
	  .count = 80, .count_max = 80, .warm_up = 2,
	  .prepare = host_coalesce, .in_kernel = true, .alone = true,
	  .expect = ON_TOUCH_OF(EXIT_REASON_EPT_MISCONFIG) },

	{ "cr3-switch", "MOV to CR3, among 8 address spaces", USUAL, .body = body_cr3_switch,
	  .expect = SHADOW_ONLY(SVM_EXIT_WRITE_CR3, EXIT_REASON_CR_ACCESS) },
	{ "cow", "copy-on-write: #PF in the guest, which copies the page and maps the copy", MEASURED,
	  .body = body_cow, .handler = handler_cow, .vector = 14,
	  .count = 400, .count_max = 507, .warm_up = 3, .expect = COPY_ON_WRITE(3) },
	{ "fork", "a page made read-only, as fork does, TLB flush, copy-on-write", MEASURED,
	  .body = body_fork, .handler = handler_cow, .vector = 14,
	  .count = 400, .count_max = 507, .warm_up = 3, .expect = FORK },
	{ "touch-large", "first touch of 4 KiB, which the guest maps by 2 MiB", MEASURED,
	  .body = body_touch_large, .count = 1000, .count_max = GUEST_ARENA_PAGES,
	  .expect = ON_TOUCH_OF(EXIT_REASON_EPT_VIOLATION) },
	{ "touch-huge", "first touch of 2 MiB, which guest and host map as such", MEASURED,
	  .body = body_touch_huge, .count = 30, .count_max = 30,
	  .needs = needs_huge_pages, .prepare = host_use_huge_pages,
	  .expect = ON_TOUCH_OF(EXIT_REASON_EPT_VIOLATION) },
	{ "dirty-log", "first write to a page after KVM_GET_DIRTY_LOG", MEASURED,
	  .body = body_after_host_twice, .count = 1000, .count_max = GUEST_ARENA_PAGES,
	  .needs = needs_write_protection, .host = host_log_dirty, .alone = true,
	  .expect = ON_TOUCH_OF(EXIT_REASON_EPT_VIOLATION) },
	{ "drop", "touch of pages that the host took away (MADV_DONTNEED)", MEASURED,
	  .body = body_after_host, .count = 1000, .count_max = GUEST_ARENA_PAGES, .host = host_drop,
	  .alone = true, .expect = ON_TOUCH_OF(EXIT_REASON_EPT_VIOLATION) },
	{ "page-out", "touch of pages that the host swapped out (MADV_PAGEOUT)", MEASURED,
	  .body = body_after_host, .count = 1000, .count_max = GUEST_ARENA_PAGES,
	  .needs = needs_swap, .prepare = host_open_pagemap, .host = host_page_out,
	  .alone = true,
	  .expect = ON_TOUCH_OF(EXIT_REASON_EPT_VIOLATION) },

	{ "self-ipi", "IPI to itself by the APIC, and EOI", USUAL, .body = body_self_ipi, INTERRUPTED,
	  .handler = handler_eoi, .expect = TIMES(2, SVM_EXIT_MSR, EXIT_REASON_MSR_WRITE) },
	{ "timer", "APIC timer set to 50 us, its interrupt, and EOI", MEASURED, .body = body_timer,
	  .count = 100, .warm_up = 2, INTERRUPTED, .handler = handler_eoi, .expect = TIMER },
	{ "ipi", "IPI to another vCPU, HLT until it has answered by one, and EOI", MEASURED,
	  .body = body_ipi, .count = 100, INTERRUPTED, .handler = handler_eoi_next, .vcpus = 2,
	  .expect = IPI },
	{ "smp-start", "another vCPU started by INIT and SIPI, HLT until it says so by an IPI, and EOI",
	  MEASURED, .body = body_smp_start, .count = 20, INTERRUPTED, .handler = handler_eoi_next,
	  .vcpus = 2, .alone = true, .starts_others = true, .expect = SMP_START },

	{ "print", "hypercall by port: a whole line printed in one exit", MEASURED,
	  .body = body_print, .count = 10, .warm_up = 2, .expect = ALWAYS(SVM_EXIT_IOIO, EXIT_REASON_IO_INSTRUCTION) },
	{ "exits", "hypercall by port: how many exits so far, as KVM counts them", USUAL,
	  .body = body_exits, .expect = ALWAYS(SVM_EXIT_IOIO, EXIT_REASON_IO_INSTRUCTION) },
	{ "files", "hypercalls by port: prints the file \"in\" of --root, and writes it to \"out\"",
	  .body = body_files, ONCE, .expect = FILES },
	{ "hostile", "hypercalls by port, any of them, with any argument", USUAL, .body = body_hostile,
	  .expect = ALWAYS(SVM_EXIT_IOIO, EXIT_REASON_IO_INSTRUCTION) },
};

bool expected_listed(const struct expected *expect)
{
	return expect->per_op || expect->once || expect->every || expect->interrupts;
}

const size_t catalogue_size = sizeof(catalogue) / sizeof(catalogue[0]);

const struct guest *catalogue_find(const char *name, enum mode mode)
{
	size_t i;

	for (i = 0; i < catalogue_size; i++)
		if (!strcmp(catalogue[i].name, name) && catalogue[i].mode == mode)
			return &catalogue[i];
	return NULL;
}
