// SPDX-License-Identifier: GPL-2.0-or-later
/* What the module, or the BPF collector, has counted of a vCPU of this process. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <asm/svm.h>
#include <asm/vmx.h>

#include "../bpf/collector.h"
#include "../user/device.h"
#include "../user/message.h"
#include "counts.h"

static int open_collector(struct counter *counter)
{
	counter->collector = collector_find();
	if (!counter->collector && errno == ENOENT)
		counter->collector = collector_load();
	return counter->collector ? 0 : -1;
}

int counter_open(struct counter *counter, const char *source)
{
	if (!source)
		source = access(KVMSTAT_DEVICE, F_OK) && collector_here() ? "bpf" : "module";
	if (!strcmp(source, "bpf"))
		return open_collector(counter);
	counter->device = device_open(false);
	return counter->device < 0 ? -1 : 0;
}

void counter_close(struct counter *counter)
{
	if (counter->collector)
		collector_close(counter->collector);
	else
		close(counter->device);
}

static void add_cell(struct counts *counts, const struct kvmstat_cell *cell)
{
	struct count *count;
	size_t i;

	for (i = 0; i < counts->nr; i++)
		if (counts->of[i].code == cell->code)
			break;
	if (i == COUNTS_MAX)
		return;
	count = &counts->of[i];
	if (i == counts->nr) {
		count->code = cell->code;
		counts->nr++;
	}
	count->exits += cell->exits;
	count->kernel_cycles += cell->kernel_cycles;
	count->user_cycles += cell->user_cycles;
	count->offcpu_cycles += cell->offcpu_cycles;
}

static void add_vcpu(struct counts *counts, const struct snapshot *snap,
		     const struct kvmstat_vcpu *vcpu)
{
	uint32_t i;

	counts->untraced += vcpu->untraced;
	for (i = 0; i < vcpu->nr_cells; i++)
		add_cell(counts, snapshot_cell(snap, vcpu->first_cell + i));
}

/* Of the VM of this process that lives: there is one at a time. False: not there. */
static bool count_own(struct counts *counts, const struct snapshot *snap, unsigned int vcpu_id)
{
	bool found = false;
	uint32_t i, j;

	for (i = 0; i < snap->header->nr_vms; i++) {
		const struct kvmstat_vm *vm = snapshot_vm(snap, i);

		if (vm->pid != (uint32_t)getpid() || !(vm->flags & KVMSTAT_VM_ALIVE))
			continue;
		for (j = 0; j < vm->nr_vcpus; j++) {
			const struct kvmstat_vcpu *vcpu = snapshot_vcpu(snap, vm->first_vcpu + j);

			if (vcpu->id != vcpu_id)
				continue;
			found = true;
			add_vcpu(counts, snap, vcpu);
		}
	}
	return found;
}

/* Can what this snapshot counts be compared? */
static bool usable(struct counter *counter, const struct kvmstat_snapshot *header)
{
	if (!counter->instance) {
		counter->instance = header->instance;
		counter->generation = header->generation;
	}
	if (header->instance != counter->instance || header->generation != counter->generation)
		error("the counters were reset, or the module reloaded, meanwhile: run it again");
	else if (header->isa != counter->isa)
		error("exits of another ISA were counted than the vendor module that is loaded has");
	else if (header->lost)
		error("%llu exits were lost for want of memory: the counts are short",
		      (unsigned long long)header->lost);
	else
		return true;
	return false;
}

int counts_read(struct counter *counter, unsigned int vcpu_id, struct counts *to)
{
	struct snapshot snap;
	bool ok;

	if (counter->collector)
		collector_snapshot(counter->collector, &snap);
	else if (device_snapshot(counter->device, &snap))
		return -1;
	memset(to, 0, sizeof(*to));
	ok = usable(counter, snap.header);
	if (ok && !count_own(to, &snap, vcpu_id)) {
		error("no VM of process %d was counted: run it outside of any pid namespace",
		      getpid());
		ok = false;
	}
	snapshot_free(&snap);
	return ok ? 0 : -1;
}

uint64_t exits_of(const struct counts *counts, uint64_t code)
{
	size_t i;

	for (i = 0; i < counts->nr; i++)
		if (counts->of[i].code == code)
			return counts->of[i].exits;
	return 0;
}

bool is_host_noise(uint32_t isa, uint64_t code)
{
	if (isa == KVMSTAT_ISA_SVM)
		return code == SVM_EXIT_INTR || code == SVM_EXIT_NMI || code == SVM_EXIT_SMI;
	return code == EXIT_REASON_EXTERNAL_INTERRUPT;
}
