/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of kvmstat-report; each returns its exit status. */
#ifndef KVMSTAT_COMMANDS_H
#define KVMSTAT_COMMANDS_H

#include "options.h"

int cmd_show(const struct options *options);
int cmd_top(const struct options *options);
int cmd_stat(const struct options *options);
int cmd_paging(const struct options *options);
int cmd_diff(const struct options *options);
int cmd_spaces(const struct options *options);
int cmd_reasons(const struct options *options);
int cmd_caps(const struct options *options);
int cmd_textfile(const struct options *options);
int cmd_bpf(const struct options *options);
int cmd_reset(const struct options *options);

#endif
