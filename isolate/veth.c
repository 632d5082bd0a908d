// SPDX-License-Identifier: GPL-2.0-or-later
/* A veth pair between host and jail, by rtnetlink(7). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../user/message.h"
#include "veth.h"

#define INSIDE "eth0"

struct request {
	struct nlmsghdr header;
	char body[512];
};

static void *append(struct request *request, size_t size)
{
	void *at = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);

	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + size;
	return at;
}

static void *begin(struct request *request, uint16_t type, uint16_t flags, size_t size)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = NLMSG_HDRLEN;
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return append(request, size);
}

static struct rtattr *attribute(struct request *request, uint16_t type, const void *data,
				size_t size)
{
	struct rtattr *attr = append(request, RTA_LENGTH(size));

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attr), data, size);
	return attr;
}

/* All that was appended since is within the attribute. */
static void nest(struct request *request, struct rtattr *attr)
{
	attr->rta_len = (char *)request + request->header.nlmsg_len - (char *)attr;
}

/* 0, or the errno of the kernel's answer. */
static int ask(const struct request *request)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char more[1024];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int why = 0;

	if (fd < 0)
		return errno;
	if (send(fd, request, request->header.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		why = errno;
	else if (answer.header.nlmsg_type == NLMSG_ERROR)
		why = -answer.error.error;
	close(fd);
	return why;
}

static int create_pair(const char *outside, pid_t inside)
{
	uint32_t pid = inside;
	struct rtattr *info, *data, *peer;
	struct request request;

	begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	attribute(&request, IFLA_IFNAME, outside, strlen(outside) + 1);
	info = attribute(&request, IFLA_LINKINFO, NULL, 0);
	attribute(&request, IFLA_INFO_KIND, "veth", strlen("veth"));
	data = attribute(&request, IFLA_INFO_DATA, NULL, 0);
	peer = attribute(&request, VETH_INFO_PEER, NULL, 0);
	memset(append(&request, sizeof(struct ifinfomsg)), 0, sizeof(struct ifinfomsg));
	attribute(&request, IFLA_IFNAME, INSIDE, sizeof(INSIDE));
	attribute(&request, IFLA_NET_NS_PID, &pid, sizeof(pid));
	nest(&request, peer);
	nest(&request, data);
	nest(&request, info);
	return ask(&request);
}

/* A kernel without IPv6, or with it switched off: a pair without addresses. */
static int unless_no_ipv6(int why)
{
	return why == EOPNOTSUPP || why == EAFNOSUPPORT || why == EACCES ? 0 : why;
}

/* Else the kernel adds one of its own making to the address that we give. */
static int make_no_address(int index)
{
	const uint8_t none = IN6_ADDR_GEN_MODE_NONE;
	struct rtattr *families, *family;
	struct request request;
	struct ifinfomsg *link = begin(&request, RTM_NEWLINK, 0, sizeof(*link));

	link->ifi_index = index;
	families = attribute(&request, IFLA_AF_SPEC, NULL, 0);
	family = attribute(&request, AF_INET6, NULL, 0);
	attribute(&request, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	nest(&request, family);
	nest(&request, families);
	return unless_no_ipv6(ask(&request));
}

static int set_up(int index)
{
	struct request request;
	struct ifinfomsg *link = begin(&request, RTM_NEWLINK, 0, sizeof(*link));

	link->ifi_index = index;
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	return ask(&request);
}

/* Nobody else is on the link, so the address is ours without asking (NODAD). */
static int add_address(int index, const char *text)
{
	struct request request;
	struct ifaddrmsg *to = begin(&request, RTM_NEWADDR, NLM_F_CREATE, sizeof(*to));
	struct in6_addr address;

	to->ifa_family = AF_INET6;
	to->ifa_prefixlen = 64;
	to->ifa_flags = IFA_F_NODAD;
	to->ifa_index = index;
	inet_pton(AF_INET6, text, &address);
	attribute(&request, IFA_LOCAL, &address, sizeof(address));
	return unless_no_ipv6(ask(&request));
}

static int connect_end(int index, const char *address)
{
	int why = make_no_address(index);

	if (!why)
		why = set_up(index);
	return why ? why : add_address(index, address);
}

static int switch_off(const char *name, const char *setting)
{
	char path[128];
	int fd, why = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", name, setting);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	if (write(fd, "0", 1) < 0)
		why = errno;
	close(fd);
	return why;
}

/* The jail is no router: what it announces must not lead the host's traffic into it. */
static int ignore_router(const char *name)
{
	int why = switch_off(name, "accept_ra");

	return why ? why : switch_off(name, "accept_redirects");
}

static int connect_outside(pid_t inside)
{
	char name[IF_NAMESIZE];
	int why;

	snprintf(name, sizeof(name), "isolate%d", inside);
	why = create_pair(name, inside);
	if (!why)
		why = ignore_router(name);
	return why ? why : connect_end(if_nametoindex(name), "fe80::1");
}

/* The warden's pid is the namespace's name as long as the warden waits for us. */
void veth_begin(struct veth *veth)
{
	pid_t warden = getpid();
	int ends[2];
	char byte;

	veth->helper = -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	veth->go = ends[1];
	veth->helper = fork();
	if (!veth->helper) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 1 ? connect_outside(warden) : 0);
	}
	close(ends[0]);
}

int veth_connect(struct veth *veth)
{
	int status = 0, why = EAGAIN;
	int index;

	if (veth->helper > 0) {
		if (write(veth->go, "", 1) == 1 &&
		    waitpid(veth->helper, &status, 0) == veth->helper && WIFEXITED(status))
			why = WEXITSTATUS(status);
		close(veth->go);
	}
	if (why == EPERM)
		return 0;
	index = if_nametoindex(INSIDE);
	if (!why)
		why = connect_end(index, "fe80::2");
	if (!why)
		return index;
	/* In root's jail there is no right to settings. */
	if (why != EROFS)
		warning("no veth pair to the host, the program has loopback alone: %s: --no-veth goes without",
			strerror(why));
	veth_remove(index);
	return 0;
}

void veth_remove(int index)
{
	struct request request;
	struct ifinfomsg *link = begin(&request, RTM_DELLINK, 0, sizeof(*link));

	link->ifi_index = index;
	if (index)
		ask(&request);
}
