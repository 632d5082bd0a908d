// SPDX-License-Identifier: GPL-2.0-only
/* /dev/kvmstat: the ioctls of uapi/kvmstat.h. */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "snapshot.h"

static long info(void __user *arg)
{
	struct kvmstat_info info;
	int err = snapshot_get_info(&info);

	if (err)
		return err;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/*
 * What 'take' copies, to userspace. The buffer is written before 'size', so a size
 * of success is never false.
 */
static long copy(struct kvmstat_snapshot_arg __user *arg, void *(*take)(size_t *size))
{
	struct kvmstat_snapshot_arg in;
	long ret = 0;
	size_t size;
	void *s;
	u64 out;

	if (copy_from_user(&in, arg, sizeof(in)))
		return -EFAULT;
	if (in.flags)
		return -EINVAL;
	s = take(&size);
	if (IS_ERR(s))
		return PTR_ERR(s);
	out = size;
	if (in.size < size)
		ret = -ENOSPC;
	else if (copy_to_user(u64_to_user_ptr(in.buffer), s, size))
		ret = -EFAULT;
	if (ret != -EFAULT && copy_to_user(&arg->size, &out, sizeof(out)))
		ret = -EFAULT;
	kvfree(s);
	return ret;
}

static long kvmstat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVMSTAT_IOC_INFO:
		return info((void __user *)arg);
	case KVMSTAT_IOC_SNAPSHOT:
		return copy((void __user *)arg, snapshot_take);
	case KVMSTAT_IOC_SPACES:
		return copy((void __user *)arg, spaces_take);
	case KVMSTAT_IOC_RESET:
		return file->f_mode & FMODE_WRITE ? snapshot_reset() : -EPERM;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = kvmstat_ioctl,
	.compat_ioctl = compat_ptr_ioctl,	/* the structs are the same in 32 bits */
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kvmstat",
	.fops = &fops,
	.mode = 0600,
};

int chardev_init(void)
{
	return misc_register(&device);
}

void chardev_exit(void)
{
	misc_deregister(&device);
}
