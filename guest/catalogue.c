// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guests and what they must cause.
 *
 * 'measured' guests are counted between their marks: MARK_STOP's own OUT is
 * in the count, and is the 'once' of the I/O exit. Nothing else happens there
 * once: code, page tables and data were mapped by the warm-up.
 *
 * Why the numbers are what they are (KVM without an in-kernel irqchip):
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
#include "memory_map.h"

#define DECLARE_BODY(name)	extern const uint8_t body_##name[]
DECLARE_BODY(hello);
DECLARE_BODY(hello_real);
DECLARE_BODY(hello_32);
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

#define SVM_EXIT_PF	(SVM_EXIT_EXCP_BASE + 14)	/* vector of #PF */
/* VMX has one reason for exceptions and NMIs; the vector is apart. */
#define VMX_EXIT_PF	EXIT_REASON_EXCEPTION_NMI

/* The OUT of MARK_STOP. */
#define SVM_MARK	{ SVM_EXIT_IOIO, 0, 1 }
#define VMX_MARK	{ EXIT_REASON_IO_INSTRUCTION, 0, 1 }

/* The operation exits whatever the paging mode. */
#define ALWAYS(svm, vmx) { \
	[SVM_NESTED] = { { svm, 1, 0 }, SVM_MARK }, \
	[SVM_SHADOW] = { { svm, 1, 0 }, SVM_MARK }, \
	[VMX_NESTED] = { { vmx, 1, 0 }, VMX_MARK }, \
	[VMX_SHADOW] = { { vmx, 1, 0 }, VMX_MARK }, \
}

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

/*
 * hello is counted from its first exit to its last: 14 characters, HLT, and the
 * first touch of all that it needs. That is the code, the page of the answer,
 * and, nested, the page tables on the way: PML4, PDPT, page directory and page
 * table in long mode, the last two with 32-bit paging.
 *
 * VMX without EPT runs real mode as virtual-8086 mode (SDM vol. 3, 21.2): HLT is a
 * #GP there, and KVM emulates it; OUT looks into the TSS for its I/O permissions,
 * and the first to touch that page, which is KVM's own, faults once more.
 */
#define HELLO(tables, vmx_shadow_hlt, vmx_shadow_tss) { \
	[SVM_NESTED] = { { SVM_EXIT_IOIO, 14, 0 }, { SVM_EXIT_HLT, 1, 0 }, \
			 { SVM_EXIT_NPF, 0, 2 + (tables) } }, \
	[SVM_SHADOW] = { { SVM_EXIT_IOIO, 14, 0 }, { SVM_EXIT_HLT, 1, 0 }, { SVM_EXIT_PF, 0, 2 } }, \
	[VMX_NESTED] = { { EXIT_REASON_IO_INSTRUCTION, 14, 0 }, { EXIT_REASON_HLT, 1, 0 }, \
			 { EXIT_REASON_EPT_VIOLATION, 0, 2 + (tables) } }, \
	[VMX_SHADOW] = { { EXIT_REASON_IO_INSTRUCTION, 14, 0 }, { vmx_shadow_hlt, 1, 0 }, \
			 { VMX_EXIT_PF, 0, 2, vmx_shadow_tss } }, \
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
#define ONCE .count = 1, .count_max = 1, .answers = true
/* Counted between its marks. */
#define MEASURED .measured = true
#define USUAL MEASURED, .count = 1000, .warm_up = 2

const struct guest catalogue[] = {
	{ "hello", HELLO_TEXT, .body = body_hello, ONCE,
	  .expect = HELLO(4, EXIT_REASON_HLT, 0) },
	{ "hello", HELLO_TEXT, .mode = MODE_REAL, .body = body_hello_real, ONCE,
	  .expect = HELLO(0, EXIT_REASON_EXCEPTION_NMI, 1) },
	{ "hello", HELLO_TEXT, .mode = MODE_PROTECTED, .body = body_hello_32, ONCE,
	  .expect = HELLO(0, EXIT_REASON_HLT, 0) },
	{ "hello", HELLO_TEXT, .mode = MODE_PAGED, .body = body_hello_32, ONCE,
	  .expect = HELLO(2, EXIT_REASON_HLT, 0) },
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
};

const size_t catalogue_size = sizeof(catalogue) / sizeof(catalogue[0]);

const struct guest *catalogue_find(const char *name, enum mode mode)
{
	size_t i;

	for (i = 0; i < catalogue_size; i++)
		if (!strcmp(catalogue[i].name, name) && catalogue[i].mode == mode)
			return &catalogue[i];
	return NULL;
}
