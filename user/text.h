/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and names as people read them. */
#ifndef KVMSTAT_TEXT_H
#define KVMSTAT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_CELL 48

/*
 * Copies at most size - 1 bytes; all but printable ASCII becomes '?', so that
 * a command name can neither break a table or JSON nor drive a terminal.
 */
void text_clean(char *to, const char *from, size_t size);

/* A line, broken between words so that it fits; all of it indented. */
void text_wrap(FILE *out, int indent, const char *text);

/* Each writes to buf and returns it. */
char *text_count(char buf[TEXT_CELL], uint64_t n);
/* 4 digits and a unit: "12.3k", "4.56G". */
char *text_scaled(char buf[TEXT_CELL], double n);
/* For tables: "615ns", "2.31ms", "0"; cycles where the TSC's frequency is not known. */
char *text_time(char buf[TEXT_CELL], double cycles, uint64_t tsc_khz);
/* For sentences: "2.31 ms". */
char *text_ns(char buf[TEXT_CELL], double ns);
/* "12.3%", "-" of nothing. */
char *text_share(char buf[TEXT_CELL], double part, double whole);
/* The same of what is no count: "0.25", "47.1", "1530", "12.3k". */
char *text_real(char buf[TEXT_CELL], double n);
/* "4.55x", "new", "gone", "-". */
char *text_ratio(char buf[TEXT_CELL], double before, double after);

#endif
