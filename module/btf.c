// SPDX-License-Identifier: GPL-2.0-only
/* What the running kernel says a tracepoint's probe, or a function, is called with. */
#define pr_fmt(fmt) "kvmstat: " fmt

#include <linux/btf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/vmalloc.h>

#include "btf.h"
#include "compat.h"

/* Deeper nesting of types than any probe's argument has. */
#define BTF_DEPTH_MAX	16

static const struct btf_header *header(const struct btf_image *img)
{
	return img->data;
}

static const char *types_begin(const struct btf_image *img)
{
	return img->data + header(img)->hdr_len + header(img)->type_off;
}

static const char *types_end(const struct btf_image *img)
{
	return types_begin(img) + header(img)->type_len;
}

static bool image_valid(const struct btf_image *img)
{
	const struct btf_header *h = header(img);
	u64 types, strings;

	if (img->size < BTF_HEADER_MIN || h->magic != BTF_MAGIC || h->hdr_len < BTF_HEADER_MIN)
		return false;
	types = (u64)h->hdr_len + h->type_off + h->type_len;
	strings = (u64)h->hdr_len + h->str_off + h->str_len;
	if (types > img->size || strings > img->size || !h->str_len)
		return false;
	return ((const char *)img->data)[strings - 1] == '\0';
}

/* Bytes after the common part of a type (include/uapi/linux/btf.h). */
static size_t extra_size(const struct btf_type *t)
{
	u32 n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64:
		return n * sizeof(struct btf_enum64);
	default:
		return 0;
	}
}

/* The type at 'at', or NULL at the end or where the data is cut short. */
static const struct btf_type *type_at(const struct btf_image *img, const char *at)
{
	const struct btf_type *t = (const void *)at;

	if (at + sizeof(*t) > types_end(img))
		return NULL;
	return at + sizeof(*t) + extra_size(t) > types_end(img) ? NULL : t;
}

static const struct btf_type *next_type(const struct btf_image *img, const struct btf_type *t)
{
	return type_at(img, (const char *)(t + 1) + extra_size(t));
}

#define for_each_type(t, img) \
	for (t = type_at(img, types_begin(img)); t; t = next_type(img, t))

static u32 count_types(const struct btf_image *img)
{
	const struct btf_type *t;
	u32 n = 0;

	for_each_type(t, img)
		n++;
	return n;
}

static const struct btf_image *image_of(const struct btf_files *btf, u32 id)
{
	return btf->split.data && id >= btf->split.first_id ? &btf->split : &btf->base;
}

static const struct btf_type *type_by_id(const struct btf_files *btf, u32 id)
{
	const struct btf_image *img = image_of(btf, id);
	const struct btf_type *t;
	u32 at = img->first_id;

	for_each_type(t, img)
		if (at++ == id)
			return t;
	return NULL;
}

static const char *string_at(const struct btf_files *btf, u32 offset)
{
	const struct btf_image *img = &btf->base;

	if (btf->split.data && offset >= btf->split.first_string)
		img = &btf->split;
	offset -= img->first_string;
	if (offset >= header(img)->str_len)
		return "?";
	return (const char *)img->data + header(img)->hdr_len + header(img)->str_off + offset;
}

/* Text being written; what does not fit is cut off. */
struct text {
	char *at;
	size_t room;		/* without the NUL */
};

static void put(struct text *text, const char *s)
{
	size_t n = min(strlen(s), text->room);

	memcpy(text->at, s, n);
	text->at += n;
	*text->at = '\0';
	text->room -= n;
}

static void print_type(const struct btf_files *btf, u32 id, struct text *out, int depth)
{
	const struct btf_type *t = id ? type_by_id(btf, id) : NULL;
	const char *name = t ? string_at(btf, t->name_off) : id ? "?" : "void";

	if (!t || depth > BTF_DEPTH_MAX) {
		put(out, name);
		return;
	}
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
		print_type(btf, t->type, out, depth + 1);
		put(out, out->at[-1] == '*' ? "*" : " *");
		return;
	case BTF_KIND_CONST:
		put(out, "const ");
		fallthrough;
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		print_type(btf, t->type, out, depth + 1);
		return;
	case BTF_KIND_STRUCT:
		put(out, "struct ");
		break;
	case BTF_KIND_FWD:
		put(out, BTF_INFO_KFLAG(t->info) ? "union " : "struct ");
		break;
	case BTF_KIND_UNION:
		put(out, "union ");
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		put(out, "enum ");
		break;
	}
	put(out, name);
}

/* In the module's own part, or in all there is. */
static const struct btf_type *find_type(const struct btf_files *btf, u32 kind, const char *name)
{
	const struct btf_image *img = btf->split.data ? &btf->split : &btf->base;
	const struct btf_type *t;

	for_each_type(t, img)
		if (BTF_INFO_KIND(t->info) == kind && !strcmp(string_at(btf, t->name_off), name))
			return t;
	return NULL;
}

/* 't' is the prototype itself, or else there is none. */
static int print_prototype(const struct btf_files *btf, const struct btf_type *t,
			   char *out, size_t size)
{
	struct text text = { out, size - 1 };
	const struct btf_param *param;
	u32 i;

	if (!t || BTF_INFO_KIND(t->info) != BTF_KIND_FUNC_PROTO)
		return -ENOENT;
	print_type(btf, t->type, &text, 0);
	put(&text, " (");
	param = (const struct btf_param *)(t + 1);
	for (i = 0; i < BTF_INFO_VLEN(t->info); i++) {
		if (i)
			put(&text, ", ");
		print_type(btf, param[i].type, &text, 0);
	}
	put(&text, ")");
	return 0;
}

int btf_probe_prototype(const struct btf_files *btf, const char *tracepoint,
			char *out, size_t size)
{
	const struct btf_type *t;
	char name[64];

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	t = find_type(btf, BTF_KIND_TYPEDEF, name);
	if (t)
		t = type_by_id(btf, t->type);
	if (t && BTF_INFO_KIND(t->info) == BTF_KIND_PTR)
		t = type_by_id(btf, t->type);
	return print_prototype(btf, t, out, size);
}

int btf_function_prototype(const struct btf_files *btf, const char *function,
			   char *out, size_t size)
{
	const struct btf_type *t = find_type(btf, BTF_KIND_FUNC, function);

	return print_prototype(btf, t ? type_by_id(btf, t->type) : NULL, out, size);
}

/*
 * kernel_read_file() would not do: it wants to know which kind of security
 * relevant file this is, and IPE (6.12) warns when told none of those it knows.
 */
static struct file *open_initns(const char *path)
{
	struct file *file;
	struct path root;

	task_lock(&init_task);
	get_fs_root(init_task.fs, &root);
	task_unlock(&init_task);
	file = file_open_root(&root, path, O_RDONLY, 0);
	path_put(&root);
	return file;
}

static int read_whole(struct btf_image *img, struct file *file)
{
	loff_t size = i_size_read(file_inode(file)), pos = 0;
	ssize_t n;

	if (size <= 0 || size > INT_MAX)
		return -EFBIG;
	img->size = size;
	img->data = vmalloc(img->size);
	if (!img->data)
		return -ENOMEM;
	do {
		n = kernel_read(file, img->data + pos, size - pos, &pos);
	} while (n > 0 && pos < size);
	return n < 0 ? n : pos < size ? -EIO : 0;
}

static int read_path(struct btf_image *img, const char *path)
{
	struct file *file = open_initns(path);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = read_whole(img, file);
	fput(file);
	return err;
}

static int read_image(struct btf_image *img, const char *module)
{
	char path[sizeof("/sys/kernel/btf/") + MODULE_NAME_LEN];
	int err;

	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module);
	err = read_path(img, path);
	if (err) {
		pr_err("cannot read %s (error %d), so the probes cannot be checked against this kernel\n",
		       path, err);
		if (err == -ENOENT)
			pr_err("mount sysfs, or use a kernel with CONFIG_DEBUG_INFO_BTF_MODULES, or load with check_prototypes=0 at your own risk\n");
		return err;
	}
	if (!image_valid(img)) {
		pr_err("%s is not valid BTF\n", path);
		return -EINVAL;
	}
	return 0;
}

int btf_open(struct btf_files *btf, const char *module)
{
	int err;

	memset(btf, 0, sizeof(*btf));
	err = read_image(&btf->base, "vmlinux");
	btf->base.first_id = 1;		/* id 0 is void */
	if (!err && strcmp(module, "vmlinux")) {
		err = read_image(&btf->split, module);
		if (!err) {
			btf->split.first_id = count_types(&btf->base) + 1;
			btf->split.first_string = header(&btf->base)->str_len;
		}
	}
	if (err)
		btf_close(btf);
	return err;
}

void btf_close(struct btf_files *btf)
{
	vfree(btf->split.data);
	vfree(btf->base.data);
	memset(btf, 0, sizeof(*btf));
}
