// SPDX-License-Identifier: GPL-2.0-or-later
/* What this kernel, and whoever runs this, have for the BPF collector. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "../user/message.h"
#include "../user/sysfs.h"
#include "host.h"

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return ~0ULL;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

/* CAP_SYS_ADMIN stands for both of the others. */
static bool have(int capability)
{
	return capabilities() >> capability & 1;
}

static const char *missing_capabilities(void)
{
	bool bpf = have(CAP_BPF) || have(CAP_SYS_ADMIN);
	bool perfmon = have(CAP_PERFMON) || have(CAP_SYS_ADMIN);

	if (bpf && perfmon)
		return NULL;
	if (bpf)
		return "CAP_PERFMON";
	return perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
}

static int check_rights(void)
{
	const char *missing = missing_capabilities();

	if (!missing)
		return 0;
	error("BPF: no rights: %s missing: run with sudo, or as root: setcap cap_bpf,cap_perfmon+ep on this program",
	      missing);
	return -1;
}

static bool locked_down(void)
{
	char mode[80];

	return sysfs_read(mode, sizeof(mode), "/sys/kernel/security/lockdown") &&
	       strstr(mode, "[confidentiality]");
}

/* Before what the kernel has is tried: that cannot tell why it failed. */
static int check_call(void)
{
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(__u32), sizeof(__u32), 1, NULL);

	if (map >= 0) {
		close(map);
		return 0;
	}
	host_explain_load(map, "bpf(2)");
	return -1;
}

static int check_kernel(void)
{
	if (locked_down()) {
		error("BPF: this kernel is locked down (\"confidentiality\"), programs may not read its memory: boot it with lockdown=integrity");
		return -1;
	}
	if (!sysfs_exists(VMLINUX_BTF)) {
		error("BPF: no " VMLINUX_BTF ": this kernel was built without CONFIG_DEBUG_INFO_BTF: use the module");
		return -1;
	}
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL) == 0) {
		error("BPF: this kernel has no programs for tracepoints: it was built without CONFIG_BPF_EVENTS: use the module");
		return -1;
	}
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, NULL) == 0) {
		error("BPF: this kernel is older than 5.17, and has no bpf_loop(): use the module");
		return -1;
	}
	return 0;
}

static bool has_type(const struct btf *btf, const char *name, int kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

static const char *vendor_in(const struct btf *btf)
{
	if (has_type(btf, "vcpu_svm", BTF_KIND_STRUCT))
		return "kvm_amd";
	return has_type(btf, "vcpu_vmx", BTF_KIND_STRUCT) ? "kvm_intel" : NULL;
}

static const char *vendor_module(void)
{
	if (sysfs_exists("/sys/kernel/btf/kvm_amd"))
		return "kvm_amd";
	return sysfs_exists("/sys/kernel/btf/kvm_intel") ? "kvm_intel" : NULL;
}

static int look_for_kvm(struct host *host)
{
	struct btf *btf = btf__parse_raw(VMLINUX_BTF);

	if (!btf) {
		error("BPF: " VMLINUX_BTF " cannot be read: %s", strerror(errno));
		return -1;
	}
	host->kvm_built_in = has_type(btf, "btf_trace_kvm_exit", BTF_KIND_TYPEDEF);
	host->vendor = vendor_in(btf);
	host->vendor_built_in = host->vendor;
	btf__free(btf);
	if (!host->vendor)
		host->vendor = vendor_module();
	if (!host->kvm_built_in && !sysfs_exists("/sys/module/kvm")) {
		error("BPF: KVM is not loaded: load it first (modprobe kvm_amd, or kvm_intel)");
		return -1;
	}
	if (!host->kvm_built_in && !sysfs_exists("/sys/module/kvm_amd") && !sysfs_exists("/sys/module/kvm_intel")) {
		error("BPF: KVM's vendor module is not loaded: load it first (modprobe kvm_amd, or kvm_intel)");
		return -1;
	}
	host->kvm_btf = host->kvm_built_in || sysfs_exists("/sys/kernel/btf/kvm");
	return 0;
}

int host_look(struct host *host)
{
	memset(host, 0, sizeof(*host));
	if (check_rights() < 0 || check_call() < 0 || check_kernel() < 0 || look_for_kvm(host) < 0)
		return -1;
	host->kprobes = sysfs_exists("/sys/bus/event_source/devices/kprobe/type");
	host->module_btf = have(CAP_SYS_ADMIN);
	return 0;
}

void host_explain_load(int err, const char *libbpf_said)
{
	if (err == -EPERM)
		error("BPF: the programs may not be loaded (%s): on a kernel before 5.11 raise the limit for locked memory (ulimit -l unlimited); else something forbids bpf(2): a container, a security module",
		      strerror(-err));
	else if (err == -ENOMEM || err == -E2BIG)
		error("BPF: no memory for the maps: %s", strerror(-err));
	else
		error("BPF: the programs do not load: %s: %s", strerror(-err),
		      *libbpf_said ? libbpf_said : "use the module, and report this");
}
