// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whoever reads the BPF collector's tables at any moment, while VMs begin, end and are
 * folded into the sum of those that are gone, has all that was counted before, once.
 * Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector_twin.h"

#define VMS 5
#define VCPUS 3		/* of each of them */

static struct fake_vcpu *vcpus[VMS + 1][VCPUS];

static const struct fake_reason reasons[] = {
	{ .isa = KVMSTAT_ISA_SVM, .code = 0x72 },
	{ .isa = KVMSTAT_ISA_SVM, .code = 0x81 },
};

/* None of them looks back: so many exits, by the VM, the vCPU and the reason. */
static void run_vcpu(struct fake_vcpu *f, u32 exits)
{
	u32 i;

	event_entry(f);
	for (i = 0; i < exits; i++) {
		fake_exit(f, &reasons[i % 2]);
		fake_time(now += 10);
		event_exit(f, KVMSTAT_ISA_SVM);
		fake_time(now += 100 + i);
		event_entry(f);
	}
}

static void run_vm(u32 vm)
{
	u32 id;

	for (id = 0; id < VCPUS; id++) {
		vcpus[vm][id] = fake_vcpu(1 + vm, id);
		run_vcpu(vcpus[vm][id], 3 + vm * VCPUS + id);
	}
}

static void some_vms(u32 history)
{
	u32 vm;

	now = 1 << 20;
	collector_new(history);
	for (vm = 0; vm < VMS; vm++)
		run_vm(vm);
}

static void free_vcpus(void)
{
	u32 vm, id;

	for (vm = 0; vm <= VMS; vm++)
		for (id = 0; id < VCPUS; id++) {
			fake_free(vcpus[vm][id]);
			vcpus[vm][id] = NULL;
		}
}

struct sum {
	u64 exits, kernel, guest, untraced, vcpus, buckets;
};

static struct sum sum_of(const struct snapshot *s)
{
	struct sum sum = { 0 };
	u32 i;

	for (i = 0; i < s->header->nr_vms; i++) {
		/* VM 0 has one vCPU, whatever was folded into it. */
		if (!(snapshot_vm(s, i)->flags & KVMSTAT_VM_RETIRED))
			sum.vcpus += snapshot_vm(s, i)->nr_vcpus;
	}
	for (i = 0; i < s->header->nr_vcpus; i++) {
		sum.guest += snapshot_vcpu(s, i)->guest_cycles;
		sum.untraced += snapshot_vcpu(s, i)->untraced;
	}
	for (i = 0; i < s->header->nr_cells; i++) {
		sum.exits += snapshot_cell(s, i)->exits;
		sum.kernel += snapshot_cell(s, i)->kernel_cycles;
	}
	for (i = 0; i < s->header->nr_buckets; i++)
		sum.buckets += *snapshot_bucket(s, i);
	return sum;
}

static struct sum read_now(void)
{
	struct snapshot s = look();
	struct sum sum = sum_of(&s);

	snapshot_free(&s);
	return sum;
}

/* Which of them are left depends on the moment; what they have together does not. */
static bool same(struct sum a, struct sum b)
{
	a.vcpus = b.vcpus;
	return !memcmp(&a, &b, sizeof(a));
}

/*
 * Reader and programs on two CPUs: at growth number 'until' of the reader's arrays, one
 * for each thing it has read, something happens to what it has not read yet.
 */
void *__wrap_xgrow(void *array, size_t nr, size_t size);
void *__real_xgrow(void *array, size_t nr, size_t size);

static u32 until;
static void (*happens)(void);

void *__wrap_xgrow(void *array, size_t nr, size_t size)
{
	struct tables tables;

	if (until && !--until) {
		happens();
		collector_tables(&tables);
	}
	return __real_xgrow(array, nr, size);
}

static u32 victim;

static void vm_ends(void)
{
	event_destroy(1 + victim);
}

static void all_end(void)
{
	for (victim = 0; victim < VMS; victim++)
		vm_ends();
}

static void vm_begins(void)
{
	run_vm(VMS);
}

/* At each moment of a reading there is: how often it had something else than before or after. */
static unsigned int meanwhile(void (*what)(void), u32 history)
{
	struct sum before, during, after;
	unsigned int wrong = 0;
	u32 moment = 0;
	bool happened;

	do {
		some_vms(history);
		before = read_now();
		happens = what;
		until = ++moment;
		during = read_now();
		happened = !until;
		until = 0;
		after = read_now();
		if (what == vm_begins)
			wrong += during.exits < before.exits || during.exits > after.exits ||
				 during.buckets < before.buckets || during.kernel < before.kernel;
		else
			wrong += !same(before, during) || !same(before, after);
		free_vcpus();
	} while (happened);
	return wrong + (moment < VMS * VCPUS * 2);
}

static void a_reader_first(void)
{
	static const u32 histories[] = { 0, 1, 2, 100 };
	unsigned int end = 0, ends = 0, begin = 0;
	u32 i;

	for (i = 0; i < sizeof(histories) / sizeof(histories[0]); i++) {
		for (victim = 0; victim < VMS; victim++)
			end += meanwhile(vm_ends, histories[i]);
		ends += meanwhile(all_end, histories[i]);
		begin += meanwhile(vm_begins, histories[i]);
	}
	verdict(end, "a VM ends at any moment of a reading: the totals are the same");
	verdict(ends, "all VMs end at any moment of a reading: the totals are the same");
	verdict(begin, "a VM begins at any moment of a reading: nothing of the others is missing");
}

/* The other way round: a reader at each step that the programs take. */
static struct sum wanted;
static unsigned int readings, differ, backwards;
static u64 exits_seen;

static void a_reading(void)
{
	struct sum sum;

	/* It would wait for that. */
	if (collector_all()->folds & 1)
		return;
	sum = read_now();
	readings++;
	differ += !same(sum, wanted);
	backwards += sum.exits < exits_seen;
	exits_seen = sum.exits;
}

static void a_reader_at_each_step(u32 history)
{
	unsigned int steps;
	char text[100];

	some_vms(history);
	wanted = read_now();
	readings = differ = backwards = 0;
	exits_seen = 0;
	collector_at_each_write(a_reading);
	all_end();
	steps = readings;
	collector_at_each_write(NULL);
	snprintf(text, sizeof(text), "history %u: a reader at each step of the ends of VMs has all of it", history);
	verdict(differ + (steps < VMS * (VCPUS + 2)), text);
	wanted = read_now();
	collector_at_each_write(a_reading);
	vm_begins();
	collector_at_each_write(NULL);
	snprintf(text, sizeof(text), "history %u: …and of a VM's begin, what was there before", history);
	verdict(backwards + (readings == steps), text);
	free_vcpus();
}

/* Else a reader would find the last VM's vCPUs in the next one that has its element. */
static void nothing_left(void)
{
	unsigned int left = 0;
	u32 i, j;

	some_vms(0);
	all_end();
	for (i = 0; i < MAX_VMS; i++)
		for (j = 0; j < VM_VCPUS; j++)
			left += collector_vm(i)->vcpus[j];
	verdict(left, "a VM that was folded leads to no vCPU");
	free_vcpus();
}

int main(void)
{
	fake_kernel(1);
	a_reader_first();
	a_reader_at_each_step(0);
	a_reader_at_each_step(2);
	a_reader_at_each_step(100);
	nothing_left();
	return done_testing();
}
