// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/kvmstat/: a snapshot, printed. */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/string_helpers.h>
#include <linux/trace_events.h>
#include <asm/svm.h>
#include <asm/vmx.h>

#include "debugfs.h"
#include "reason.h"
#include "snapshot.h"

static struct dentry *dir;

static const struct trace_print_flags vmx_names[] = { VMX_EXIT_REASONS };
static const struct trace_print_flags svm_names[] = { SVM_EXIT_REASONS };

static const char *name_in(const struct trace_print_flags *names, size_t n, u64 code)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i].mask == code)
			return names[i].name;
	return NULL;
}

/* Behind the name, as the kvm_exit event prints them. */
static void print_vmx_flags(struct seq_file *m, u32 flags)
{
	if (flags & VMX_EXIT_REASONS_FAILED_VMENTRY)
		seq_puts(m, " FAILED_VMENTRY");
	flags &= ~VMX_EXIT_REASONS_FAILED_VMENTRY;
	if (flags)
		seq_printf(m, " %#x", flags);
}

static void print_name(struct seq_file *m, u32 isa, const struct kvmstat_cell *cell)
{
	const char *name = NULL, *l2 = cell->flags & KVMSTAT_CELL_L2 ? "L2-" : "";
	int width = 28 - strlen(l2);
	u64 code = cell->code;
	u32 vmx_flags = 0;

	if (isa == KVMSTAT_ISA_VMX && code <= U32_MAX) {
		vmx_flags = code & ~0xffffULL;
		code &= 0xffff;
	}
	if (code == KVMSTAT_CODE_OTHER)
		name = "(other)";
	else if (code == KVMSTAT_CODE_UNTRACED)
		name = "(untraced)";
	else if (isa == KVMSTAT_ISA_SVM)
		name = name_in(svm_names, ARRAY_SIZE(svm_names), code);
	else if (isa == KVMSTAT_ISA_VMX)
		name = name_in(vmx_names, ARRAY_SIZE(vmx_names), code);
	if (name)
		seq_printf(m, "%s%-*s", l2, width, name);
	else
		seq_printf(m, "%s%#-*llx", l2, width, code);
	print_vmx_flags(m, vmx_flags);
}

static void print_counts(struct seq_file *m, const struct kvmstat_cell *cell)
{
	seq_printf(m, " %14llu %20llu %20llu %20llu\n", cell->exits, cell->kernel_cycles,
		   cell->user_cycles, cell->offcpu_cycles);
}

static void print_cell(struct seq_file *m, u32 isa, const struct kvmstat_cell *cell)
{
	seq_puts(m, "  ");
	print_name(m, isa, cell);
	print_counts(m, cell);
}

static const char *isa_name(u32 isa)
{
	return isa == KVMSTAT_ISA_SVM ? "svm" : isa == KVMSTAT_ISA_VMX ? "vmx" : "unknown";
}

static void print_head(struct seq_file *m, const struct kvmstat_snapshot *s)
{
	seq_printf(m, "isa %s  tsc_khz %u  seconds %llu  resets %llu  vms %u  vcpus %u  lost %llu\n",
		   isa_name(s->isa), s->tsc_khz, (s->time_ns - s->since_ns) / NSEC_PER_SEC,
		   s->generation, s->nr_vms, s->nr_vcpus, s->lost);
	seq_printf(m, "  %-28s %14s %20s %20s %20s\n", "reason", "exits", "kernel_cycles",
		   "user_cycles", "offcpu_cycles");
}

static int by_code(const void *a, const void *b)
{
	const struct kvmstat_cell *x = a, *y = b;

	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	return (x->flags > y->flags) - (x->flags < y->flags);
}

static int by_exits(const void *a, const void *b)
{
	const struct kvmstat_cell *x = a, *y = b;

	return x->exits > y->exits ? -1 : x->exits < y->exits;
}

static void add_cell(struct kvmstat_cell *sum, const struct kvmstat_cell *cell)
{
	sum->exits += cell->exits;
	sum->kernel_cycles += cell->kernel_cycles;
	sum->user_cycles += cell->user_cycles;
	sum->offcpu_cycles += cell->offcpu_cycles;
}

/*
 * Adds up cells of the same code in place, whatever their details; returns how
 * many are left, those with the most exits first.
 */
static u32 merge_cells(struct kvmstat_cell *cells, u32 n)
{
	u32 i, out = 0;

	sort(cells, n, sizeof(*cells), by_code, NULL);
	for (i = 1; i < n; i++) {
		if (by_code(&cells[i], &cells[out]))
			cells[++out] = cells[i];
		else
			add_cell(&cells[out], &cells[i]);
	}
	n = n ? out + 1 : 0;
	sort(cells, n, sizeof(*cells), by_exits, NULL);
	return n;
}

static int reasons_show(struct seq_file *m, void *unused)
{
	struct kvmstat_cell total = {};
	struct kvmstat_snapshot *s;
	struct kvmstat_cell *cells;
	size_t size;
	u32 i, n;

	s = snapshot_take(&size);
	if (IS_ERR(s))
		return PTR_ERR(s);
	cells = snapshot_cells(s);
	n = merge_cells(cells, s->nr_cells);
	print_head(m, s);
	for (i = 0; i < n; i++) {
		print_cell(m, s->isa, &cells[i]);
		add_cell(&total, &cells[i]);
	}
	seq_printf(m, "  %-28s", "total");
	print_counts(m, &total);
	kvfree(s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(reasons);

static void print_vcpu(struct seq_file *m, struct kvmstat_snapshot *s,
		       const struct kvmstat_vcpu *vcpu)
{
	struct kvmstat_cell *cells = snapshot_cells(s) + vcpu->first_cell;
	u32 i, n = merge_cells(cells, vcpu->nr_cells);

	seq_printf(m, " vcpu %u  guest_cycles %llu  wall_cycles %llu  untraced %llu\n",
		   vcpu->id, vcpu->guest_cycles, vcpu->wall_cycles, vcpu->untraced);
	for (i = 0; i < n; i++)
		print_cell(m, s->isa, &cells[i]);
}

/* A process may call itself what it likes: no control character gets through. */
static void print_vm_identity(struct seq_file *m, const struct kvmstat_vm *vm)
{
	seq_printf(m, "vm %llu  pid %u  comm ", vm->id, vm->pid);
	seq_escape_str(m, vm->comm, ESCAPE_HEX | ESCAPE_NP, NULL);
	seq_printf(m, "  %s\n", vm->flags & KVMSTAT_VM_ALIVE ? "alive" : "gone");
}

static void print_vm(struct seq_file *m, struct kvmstat_snapshot *s, const struct kvmstat_vm *vm)
{
	u32 i;

	if (vm->flags & KVMSTAT_VM_RETIRED)
		seq_puts(m, "vm -  all that are no longer kept one by one\n");
	else
		print_vm_identity(m, vm);
	for (i = 0; i < vm->nr_vcpus; i++)
		print_vcpu(m, s, snapshot_vcpus(s) + vm->first_vcpu + i);
}

static int vms_show(struct seq_file *m, void *unused)
{
	struct kvmstat_snapshot *s;
	size_t size;
	u32 i;

	s = snapshot_take(&size);
	if (IS_ERR(s))
		return PTR_ERR(s);
	print_head(m, s);
	for (i = 0; i < s->nr_vms; i++)
		print_vm(m, s, snapshot_vms(s) + i);
	kvfree(s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vms);

static ssize_t reset_write(struct file *file, const char __user *buf, size_t n, loff_t *pos)
{
	int err = snapshot_reset();

	return err ? err : n;
}

static const struct file_operations reset_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = reset_write,
	.llseek = noop_llseek,
};

/* debugfs may be missing or locked down; the device then still works. */
void kvmstat_debugfs_init(void)
{
	dir = debugfs_create_dir("kvmstat", NULL);
	debugfs_create_file("reasons", 0400, dir, NULL, &reasons_fops);
	debugfs_create_file("vms", 0400, dir, NULL, &vms_fops);
	debugfs_create_file("reset", 0200, dir, NULL, &reset_fops);
}

void kvmstat_debugfs_exit(void)
{
	debugfs_remove(dir);
}
