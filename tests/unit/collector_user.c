// SPDX-License-Identifier: GPL-2.0-only
/* See collector_user.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf_helpers.h>

#include "collector_user.h"

#define const	/* the settings: here they change from test to test */
#include "../../bpf/kvmstat.bpf.c"
#undef const

struct fake_map {
	void *map;
	enum { ARRAY, HASH, QUEUE } kind;
	u32 size;	/* of an element */
	u32 max, nr;
	char *elements;	/* of a queue: the oldest first */
	u64 *keys;	/* of a hash */
	void (*meanwhile)(void);
};

#define FAKE(name, kind) { &name, kind, (sizeof(*name.value) + 7) & ~7U, 0, 0, 0, 0, 0 }

enum { CPUS = 4096 };

static struct fake_map maps[] = {
	FAKE(cpus, ARRAY),
	FAKE(vcpu_index, HASH), FAKE(vm_index, HASH), FAKE(runner_index, HASH),
	FAKE(free_cells, QUEUE), FAKE(free_vms, QUEUE), FAKE(dead_vms, QUEUE),
};

bool fake_newer;
static u64 fake_now;
static struct fake_vcpu *current;

static struct fake_map *map_of(const void *map)
{
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if (maps[i].map == map)
			return &maps[i];
	abort();
}

static u32 place_of(const struct fake_map *m, u64 key)
{
	u32 i;

	for (i = 0; i < m->nr && m->keys[i] != key; i++)
		;
	return i;
}

static void (*at_each_write)(void);

static void let_happen(struct fake_map *m)
{
	void (*happens)(void) = m->meanwhile;
	struct fake_vcpu *self = current;

	m->meanwhile = NULL;
	if (happens)
		happens();
	if (at_each_write)
		at_each_write();
	current = self;
}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	struct fake_map *m = map_of(map);
	u32 place = m->kind == ARRAY ? *(u32 *)key : place_of(m, *(u64 *)key);

	return place < (m->kind == ARRAY ? m->max : m->nr) ? m->elements + place * m->size : NULL;
}

long bpf_map_update_elem(void *map, const void *key, const void *value, __u64 flags)
{
	struct fake_map *m = map_of(map);
	u32 place;

	let_happen(m);
	place = place_of(m, *(u64 *)key);
	if (place < m->nr && flags == BPF_NOEXIST)
		return -EEXIST;
	if (place == m->max)
		return -E2BIG;
	m->nr += place == m->nr;
	m->keys[place] = *(u64 *)key;
	memcpy(m->elements + place * m->size, value, sizeof(u32));
	return 0;
}

long bpf_map_delete_elem(void *map, const void *key)
{
	struct fake_map *m = map_of(map);
	u32 place;

	let_happen(m);
	place = place_of(m, *(u64 *)key);
	if (place == m->nr)
		return -ENOENT;
	m->nr--;
	m->keys[place] = m->keys[m->nr];
	memcpy(m->elements + place * m->size, m->elements + m->nr * m->size, m->size);
	return 0;
}

long bpf_map_push_elem(void *map, const void *value, __u64 flags)
{
	struct fake_map *m = map_of(map);

	let_happen(m);
	if (m->nr == m->max || flags)
		return -E2BIG;
	memcpy(m->elements + m->nr++ * m->size, value, sizeof(u32));
	return 0;
}

long bpf_map_pop_elem(void *map, void *value)
{
	struct fake_map *m = map_of(map);

	let_happen(m);
	if (!m->nr)
		return -ENOENT;
	memcpy(value, m->elements, sizeof(u32));
	memmove(m->elements, m->elements + m->size, --m->nr * m->size);
	return 0;
}

long bpf_loop(__u32 nr, void *function, void *context, __u64 flags)
{
	long (*step)(u32 i, void *context) = function;
	u32 i;

	for (i = 0; i < nr && !flags; i++)
		if (step(i, context))
			return i + 1;
	return i;
}

long bpf_probe_read_kernel(void *to, __u32 size, const void *from)
{
	if ((u64)from < 4096)
		return -EFAULT;
	memcpy(to, from, size);
	return 0;
}

__u64 bpf_ktime_get_ns(void)
{
	return fake_now;
}

__u64 bpf_get_current_task(void)
{
	return (u64)&current->task;
}

__u64 bpf_get_current_pid_tgid(void)
{
	return (u64)current->task.tgid << 32 | current->task.tgid;
}

__u32 bpf_get_smp_processor_id(void)
{
	return current->cpu;
}

/* Of a reader of the tables: its clock is the same. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	(void)clock;
	t->tv_sec = fake_now / 1000000000;
	t->tv_nsec = fake_now % 1000000000;
	return 0;
}

static void resize(void *map, u32 max)
{
	struct fake_map *m = map_of(map);

	free(m->elements);
	free(m->keys);
	m->max = max;
	m->nr = 0;
	m->elements = calloc(max, m->size);
	m->keys = calloc(max, sizeof(*m->keys));
	if (!m->elements || !m->keys)
		abort();
}

/* From where on there is room: see collector_room(). */
static u32 first_vm, first_cell;

static void clear_memory(void)
{
	memset(vcpus, 0, sizeof(vcpus));
	memset(vms + first_vm, 0, (all.vms.next - first_vm) * sizeof(*vms));
	memset(cells + first_cell, 0, (all.cells.next - first_cell) * sizeof(*cells));
	memset(cells, 0, 2 * sizeof(*cells));
	memset(&all, 0, sizeof(all));
	first_vm = 1;
	first_cell = 2;
}

/* As collector.c makes it. */
void collector_new(__u32 history)
{
	settings = (struct settings){ .history = history, .end_seen = 1 };
	collector_clock(1 << CYCLES_SHIFT);
	resize(&cpus, CPUS);
	resize(&vcpu_index, MAX_VCPUS);
	resize(&runner_index, MAX_VCPUS);
	resize(&vm_index, MAX_VMS);
	resize(&free_vms, MAX_VMS);
	resize(&dead_vms, MAX_VMS);
	resize(&free_cells, MAX_CELLS);
	clear_memory();
	cells[0].key = KEY_NONE;
	cells[1].key = KEY_OTHER;
	cells[1].min = ~0ULL;
	vcpus[0].open = 1;
	vcpus[0].other = 1;
	all.attached = 1;
	all.vms.next = first_vm;
	all.cells.next = first_cell;
	all.next_id = 1;
}

void collector_room(__u32 nr_vms, __u32 nr_vcpus, __u32 nr_cells)
{
	u32 i;

	first_vm = MAX_VMS - nr_vms;
	first_cell = MAX_CELLS - nr_cells;
	all.vms = (struct pool){ .next = first_vm, .used = first_vm - 1 };
	all.cells = (struct pool){ .next = first_cell, .used = first_cell - 2 };
	all.used_vcpus = MAX_VCPUS - nr_vcpus - 1;
	for (i = 0; i < all.used_vcpus; i++)
		vcpus[1 + i].used = 1;
}

void collector_clock(__u64 cycles_per_ns)
{
	static u64 filled_for;
	u32 ns;

	settings.cycles_per_ns = cycles_per_ns;
	if (filled_for == cycles_per_ns)
		return;
	filled_for = cycles_per_ns;
	for (ns = 0; ns < BUCKET_END; ns++)
		bucket_of[ns] = tally_bucket(cycles_of_ns(ns, cycles_per_ns));
}

static void *index_map(enum fake_index index)
{
	return index == FAKE_VM_INDEX ? (void *)&vm_index : (void *)&vcpu_index;
}

void collector_limit(enum fake_index index, __u32 max)
{
	resize(index_map(index), max);
}

void collector_meanwhile(enum fake_index index, void (*happens)(void))
{
	map_of(index_map(index))->meanwhile = happens;
}

void collector_at_each_write(void (*happens)(void))
{
	at_each_write = happens;
}

void collector_tables(struct tables *tables)
{
	static struct programs__bss memory;
	u32 i;

	memory.all = all;
	for (i = 1; i < MAX_VMS; i++)
		memory.vms[i].id = 0;
	memcpy(memory.vms + first_vm, vms + first_vm, (all.vms.next - first_vm) * sizeof(*vms));
	memcpy(memory.cells, cells, 2 * sizeof(*cells));
	memcpy(memory.cells + first_cell, cells + first_cell,
	       (all.cells.next - first_cell) * sizeof(*cells));
	for (i = 0; i < MAX_VCPUS; i++)
		if (!i || vcpus[i].vm)
			memory.vcpus[i] = vcpus[i];
	tables->settings = (struct settings *)&settings;
	tables->memory = &memory;
}

struct totals_of_all *collector_all(void)
{
	return &all;
}

struct cell *collector_cell(__u32 index)
{
	return &cells[index];
}

struct vcpu *collector_vcpu(__u32 index)
{
	return &vcpus[index];
}

struct vm *collector_vm(__u32 index)
{
	return &vms[index];
}

__u64 collector_exits(__u32 index)
{
	return tally_exits(&vcpus[index]);
}

__u32 collector_find(const struct fake_vcpu *f)
{
	return find_vcpu((u64)f);
}

__u32 collector_at_home(const struct fake_vcpu *f)
{
	return find_vcpu((u64)f) == home_of((u64)f);
}

__u32 collector_find_vm(__u64 vm)
{
	u32 *index = bpf_map_lookup_elem(&vm_index, &vm);

	return index ? *index : 0;
}

void fake_time(__u64 now)
{
	fake_now = now;
}

void fake_kernel(__u32 newer)
{
	fake_newer = newer;
}

struct fake_vcpu *fake_vcpu(__u64 vm, __u32 id)
{
	struct fake_vcpu *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->kvm.kvm = (struct kvm *)vm;
	f->kvm.vcpu_id = id;
	f->kvm.run = &f->run;
	f->kvm.pid = (struct pid *)&f->task;
	f->svm.vmcb = f->svm.vmcb01.ptr = (struct vmcb *)f->vmcb[0];
	f->vmx.loaded_vmcs = &f->vmx.vmcs01;
	f->task.group_leader = &f->task;
	f->task.thread_pid = f->kvm.pid;
	f->task.tgid = 1000 + vm;
	f->cpu = (vm * 4 + id) % (CPUS / 2);
	return f;
}

void fake_free(struct fake_vcpu *f)
{
	free(f);
}

void fake_exit(struct fake_vcpu *f, const struct fake_reason *reason)
{
	u64 exit[2] = { reason->code, reason->info };

	f->word.arch.regs_avail = 0;
	f->bitmap.arch.regs_avail[0] = 0;
	f->svm.vmcb = (struct vmcb *)f->vmcb[reason->l2];
	f->vmx.loaded_vmcs = &f->vmx.vmcs01 + reason->l2;
	memcpy(f->vmcb[reason->l2] + VMCB_EXITCODE, exit, sizeof(exit));
	/* What this kernel does not have is not to be read. */
	f->flat.exit_reason.full = fake_newer ? ~0U : reason->code;
	f->flat.exit_qualification = fake_newer ? ~0UL : reason->info;
	f->flat.exit_intr_info = fake_newer ? ~0U : reason->intr_info;
	f->vt.vt.exit_reason.full = fake_newer ? reason->code : ~0U;
	f->vt.vt.exit_qualification = fake_newer ? reason->info : ~0UL;
	f->vt.vt.exit_intr_info = fake_newer ? reason->intr_info : ~0U;
}

/* The one that the reason's detail is in; a reader of the other one finds nothing. */
void fake_kvm_reads(struct fake_vcpu *f)
{
	u32 code = fake_newer ? f->vt.vt.exit_reason.full : f->flat.exit_reason.full;
	u32 info_1 = fake_newer ? VCPU_REG_EXIT_INFO_1 : VCPU_EXREG_EXIT_INFO_1;
	u32 info_2 = fake_newer ? VCPU_REG_EXIT_INFO_2 : VCPU_EXREG_EXIT_INFO_2;
	u32 avail = 1U << (code == VMX_EXCEPTION_NMI ? info_2 : info_1);

	f->word.arch.regs_avail = fake_newer ? 0 : avail;
	f->bitmap.arch.regs_avail[0] = fake_newer ? avail : 0;
}

void fake_counter(struct fake_vcpu *f, __u64 exits)
{
	f->kvm.stat.exits = exits;
}

void fake_run_ends(struct fake_vcpu *f, __u32 failed, __u32 code)
{
	f->run.exit_reason = failed ? KVM_EXIT_FAIL_ENTRY : 2;
	f->run.fail_entry.hardware_entry_failure_reason = code;
}

void event_exit(struct fake_vcpu *f, __u32 isa)
{
	current = f;
	if (fake_newer)
		exit_btf(&(struct kvm_exit_args){ &f->kvm, isa });
	else
		exit_raw((u64)f, isa);
}

/* The trace event's record, with its fields where settings.classic has them. */
struct fake_record {
	u64 common;
	u32 exit_reason;
	u32 isa;
	u64 info1;
	u32 intr_info;
	u32 vcpu_id;
};

void collector_classic(void)
{
	settings.classic.exit_reason = offsetof(struct fake_record, exit_reason);
	settings.classic.isa = offsetof(struct fake_record, isa);
	settings.classic.info1 = offsetof(struct fake_record, info1);
	settings.classic.intr_info = offsetof(struct fake_record, intr_info);
	settings.classic.vcpu_id = offsetof(struct fake_record, vcpu_id);
}

void event_exit_classic(struct fake_vcpu *f, __u32 isa)
{
	struct fake_record record = {
		.exit_reason = fake_newer ? f->vt.vt.exit_reason.full : f->flat.exit_reason.full,
		.isa = isa, .vcpu_id = f->kvm.vcpu_id,
	};

	current = f;
	exit_classic(&record);
}

void event_entry(struct fake_vcpu *f)
{
	current = f;
	if (fake_newer)
		entry_btf(&(struct kvm_exit_args){ &f->kvm, 0 });
	else
		entry_raw((u64)f);
}

void event_fpu(struct fake_vcpu *f, int load)
{
	current = f;
	f->task.preempt_notifiers.first = &f->kvm.preempt_notifier.link;
	fpu(load);
}

void event_userspace_exit(struct fake_vcpu *f)
{
	current = f;
	userspace_exit(NULL);
	f->task.preempt_notifiers.first = NULL;
}

void event_out(struct fake_vcpu *f)
{
	static struct task_struct idle;

	current = f;
	sched_switch(false, &f->task, &idle);
}

/* On another CPU than before. */
void event_in(struct fake_vcpu *f)
{
	static struct task_struct idle;

	current = f;
	f->cpu ^= CPUS / 2;
	f->task.preempt_notifiers.first = &f->kvm.preempt_notifier.link;
	sched_switch(false, &idle, &f->task);
}

/* By a thread that has no vCPU. */
void event_destroy(__u64 vm)
{
	static struct fake_vcpu nobody;

	current = &nobody;
	nobody.cpu = CPUS - 1;
	destroy(vm);
}

__u32 collector_bucket(__u64 cycles)
{
	return tally_bucket(cycles);
}

void collector_close(struct cell *cell, __u64 ns)
{
	tally_close(cell, ns);
}
