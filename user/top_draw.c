// SPDX-License-Identifier: GPL-2.0-or-later
/* Draws the screen of kvmstat-report top: head, place, rows, histogram, help line. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curses.h>

#include "head.h"
#include "text.h"
#include "top_draw.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

#define BELOW_THIS_NO_HEAD	12	/* lines */
#define TREND_MIN		6
#define COMMAND_MIN		15
#define NAME_MIN		4
#define RED			COLOR_PAIR(1)

static bool utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* Text of one byte a cell; where there is no room for all of it up to 'end', '>' says so. */
static void put(int y, int x, int end, const char *text)
{
	int room = (end < COLS ? end : COLS) - x;
	bool fits = (int)strlen(text) <= room;

	if (y < 0 || y >= LINES || room <= 0)
		return;
	mvaddnstr(y, x, text, fits ? room : room - 1);
	if (!fits)
		mvaddch(y, x + room - 1, '>');
}

static void put_attr(int y, int x, int end, int attr, const char *text)
{
	attron(attr);
	put(y, x, end, text);
	attroff(attr);
}

/*
 * ---- columns: as wide as their numbers can be, so that nothing jumps about; and
 * whole or not there at all, for a number that is cut is another one ----
 */

enum cell { CELL_NAME, CELL_PID, CELL_COMMAND, CELL_VALUE, CELL_TREND };

static const struct screen_column {
	enum cell cell;
	enum top_column value;
	const char *title;
	unsigned char width;
	unsigned char drop;	/* the higher, the sooner, where there is no room; 0: never */
} screen_columns[] = {
	{ CELL_NAME, TOP_NAME, NULL, NAME_MIN, 0 },
	{ CELL_PID, TOP_NAME, "PID", 7, 8 },
	{ CELL_COMMAND, TOP_NAME, "COMMAND", COMMAND_MIN, 3 },
	{ CELL_VALUE, TOP_EXITS, "EXITS", 8, 2 },
	{ CELL_VALUE, TOP_RATE, "RATE/s", 6, 1 },
	{ CELL_VALUE, TOP_GUEST, "GUEST", 6, 5 },
	{ CELL_VALUE, TOP_KERNEL, "KERNEL", 6, 4 },
	{ CELL_VALUE, TOP_USER, "USER", 6, 10 },
	{ CELL_VALUE, TOP_OFFCPU, "OFFCPU", 6, 11 },
	{ CELL_VALUE, TOP_MEAN, "MEAN", 6, 7 },
	{ CELL_VALUE, TOP_P99, "P99", 6, 9 },
	{ CELL_VALUE, TOP_MAX, "MAX", 7, 12 },
	{ CELL_TREND, TOP_RATE, "TREND", TREND_MIN, 6 },
};

/* Left edge and width of each; width 0: not shown. */
struct layout {
	int left[NR(screen_columns)];
	int width[NR(screen_columns)];
};

static const char *title_of(const struct screen_column *column, const struct top_state *state,
			    const struct run *run)
{
	if (column->value == TOP_KERNEL && !run->split)
		return "TIME";
	if (column->title)
		return column->title;
	if (state->level == TOP_REASONS)
		return state->by == BY_CLASS ? "CLASS" : "REASON";
	return state->level == TOP_VMS ? "VM" : "VCPU";
}

static int name_width(const struct top_state *state, const struct top_screen *screen)
{
	const struct top_rows *rows = screen->rows;
	size_t width = strlen(title_of(&screen_columns[0], state, screen->now)), i;

	for (i = 0; i < rows->nr; i++)
		if (strlen(rows->list[i].name) > width)
			width = strlen(rows->list[i].name);
	return width < NAME_MIN ? NAME_MIN : width;
}

static int command_width(const struct top_rows *rows)
{
	size_t width = COMMAND_MIN, i;

	for (i = 0; i < rows->nr; i++)
		if (rows->list[i].vm && strlen(top_vm_name(rows->list[i].vm)) > width)
			width = strlen(top_vm_name(rows->list[i].vm));
	return width;
}

static bool is_there(const struct screen_column *column, const struct top_state *state,
		     const struct top_screen *screen)
{
	switch (column->cell) {
	case CELL_PID:
	case CELL_COMMAND:
		return state->level != TOP_REASONS;
	case CELL_TREND:
		return screen->live;
	default:
		return top_has(state, column->value, screen->now->split);
	}
}

static int total_width(const struct layout *layout)
{
	int total = -1;
	size_t i;

	for (i = 0; i < NR(screen_columns); i++)
		total += layout->width[i] ? layout->width[i] + 1 : 0;
	return total;
}

/* The column to drop next, or NULL. */
static int *most_dispensable(struct layout *layout)
{
	unsigned char drop = 0;
	int *found = NULL;
	size_t i;

	for (i = 0; i < NR(screen_columns); i++) {
		if (!layout->width[i] || screen_columns[i].drop <= drop)
			continue;
		drop = screen_columns[i].drop;
		found = &layout->width[i];
	}
	return found;
}

static void set_widths(struct layout *layout, const struct top_state *state,
		       const struct top_screen *screen)
{
	size_t i;

	for (i = 0; i < NR(screen_columns); i++) {
		const struct screen_column *column = &screen_columns[i];

		if (!is_there(column, state, screen))
			layout->width[i] = 0;
		else if (column->cell == CELL_NAME)
			layout->width[i] = name_width(state, screen);
		else if (column->cell == CELL_COMMAND)
			layout->width[i] = command_width(screen->rows);
		else
			layout->width[i] = column->width;
	}
}

/* Long names of VMs are cut, and say so, before a column is left out for them. */
static void cut_commands(struct layout *layout)
{
	int over = total_width(layout) - COLS;
	size_t i;

	for (i = 0; i < NR(screen_columns) && over > 0; i++) {
		int *width = &layout->width[i];

		if (screen_columns[i].cell == CELL_COMMAND && *width)
			*width = *width - over > COMMAND_MIN ? *width - over : COMMAND_MIN;
	}
}

/* What is left over is the trend's. */
static void lay_out(struct layout *layout, const struct top_state *state,
		    const struct top_screen *screen)
{
	int *dropped, *last = &layout->width[NR(screen_columns) - 1], x = 0;
	size_t i;

	set_widths(layout, state, screen);
	cut_commands(layout);
	while (total_width(layout) > COLS && (dropped = most_dispensable(layout)))
		*dropped = 0;
	if (*last)
		*last += COLS - total_width(layout);
	if (*last > TREND_MAX)
		*last = TREND_MAX;
	for (i = 0; i < NR(screen_columns); i++) {
		layout->left[i] = x;
		x += layout->width[i] ? layout->width[i] + 1 : 0;
	}
}

static bool is_left(const struct screen_column *column)
{
	return column->cell == CELL_NAME || column->cell == CELL_COMMAND ||
	       column->cell == CELL_TREND;
}

static void put_cell(int y, const struct layout *layout, size_t i, int attr, const char *text)
{
	int width = layout->width[i], length = strlen(text), left = layout->left[i];

	if (!is_left(&screen_columns[i]) && length < width)
		left += width - length;
	put_attr(y, left, layout->left[i] + width, attr, text);
}

/* The one that is sorted by is marked. */
static void draw_titles(int y, const struct layout *layout, const struct top_state *state,
			const struct run *run)
{
	const enum top_column sort = top_sort(state, run->split);
	size_t i;

	for (i = 0; i < NR(screen_columns); i++) {
		const struct screen_column *column = &screen_columns[i];
		bool sorted = column->value == sort &&
			      (column->cell == CELL_VALUE || column->cell == CELL_NAME);

		if (layout->width[i])
			put_cell(y, layout, i, sorted ? A_BOLD | A_UNDERLINE : A_BOLD,
				 title_of(column, state, run));
	}
}

/* ---- rows ---- */

/* As wide as EXITS, at most. */
static const char *exits_text(char buf[TEXT_CELL], uint64_t exits)
{
	return exits < 100000000 ? text_count(buf, exits) : text_scaled(buf, exits);
}

static const char *value_text(char buf[TEXT_CELL], const struct top_row *row,
			      enum top_column column, uint64_t tsc_khz)
{
	double value = row->value[column];
	char time[TEXT_CELL];

	if (isnan(value))
		return "-";
	switch (column) {
	case TOP_EXITS:
		return exits_text(buf, row->exits);
	case TOP_RATE:
		return value > 0 && value < 0.5 ? "<1" : text_scaled(buf, value);
	case TOP_MEAN:
	case TOP_P99:
		return text_time(buf, value, tsc_khz);
	case TOP_MAX:
		snprintf(buf, TEXT_CELL, "%s%.40s", row->bounds ? "<" : "",
			 text_time(time, value, tsc_khz));
		return buf;
	default:
		return text_share(buf, value, 1);
	}
}

static const char *pid_text(char buf[TEXT_CELL], const struct vm *vm)
{
	if (!vm || vm->retired)
		return "";
	return vm->alive ? text_count(buf, vm->pid) : "gone";
}

/* Of the row's own highest rate; the newest is on the right. */
static void draw_trend(int y, int left, int width, const struct top_screen *screen,
		       const struct part *part)
{
	static const char * const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char * const ascii[] = { "_", ".", ":", "-", "=", "+", "*", "#" };
	const char * const *steps = utf8() ? blocks : ascii;
	double rates[TREND_MAX], most = 0;
	size_t nr = history_trend(screen->history, part, rates, width), i;

	for (i = 0; i < nr; i++)
		most = fmax(most, rates[i]);
	for (i = 0; i < nr; i++)
		mvaddstr(y, left + width - nr + i, steps[trend_height(rates[i], most, NR(blocks) - 1)]);
}

static void draw_cell(int y, const struct layout *layout, size_t i, const struct top_row *row,
		      const struct top_screen *screen)
{
	const struct screen_column *column = &screen_columns[i];
	const struct vm *vm = row->vm;
	char buf[TEXT_CELL];

	switch (column->cell) {
	case CELL_NAME:
		put_cell(y, layout, i, A_NORMAL, row->name);
		break;
	case CELL_PID:
		put_cell(y, layout, i, A_NORMAL, pid_text(buf, vm));
		break;
	case CELL_COMMAND:
		put_cell(y, layout, i, A_NORMAL, vm ? top_vm_name(vm) : "");
		break;
	case CELL_VALUE:
		put_cell(y, layout, i, A_NORMAL,
			 value_text(buf, row, column->value, screen->now->tsc_khz));
		break;
	case CELL_TREND:
		draw_trend(y, layout->left[i], layout->width[i], screen, &row->part);
		break;
	}
}

static void draw_row(int y, const struct layout *layout, const struct top_row *row,
		     const struct top_screen *screen, bool selected)
{
	size_t i;

	if (y >= LINES)
		return;
	if (row->vm && !row->vm->alive)
		attron(A_DIM);
	for (i = 0; i < NR(screen_columns); i++)
		if (layout->width[i])
			draw_cell(y, layout, i, row, screen);
	attroff(A_DIM);
	if (selected)
		mvchgat(y, 0, -1, A_REVERSE, 0, NULL);
}

static void draw_nothing(int y, const struct top_state *state)
{
	static const char * const none[] = {
		[TOP_VMS] = "(no VM is known)",
		[TOP_VCPUS] = "(no vCPU is known)",
		[TOP_REASONS] = "(no exit was counted)",
	};

	put(y, 0, COLS, *state->filter[state->level] ?
	    "(nothing has that in its name, pid or command: Esc clears it)" : none[state->level]);
}

/* The sum, and as many of the others as there is room for. */
static void draw_rows(int y, int height, struct top_state *state, const struct top_screen *screen)
{
	const struct top_rows *rows = screen->rows;
	size_t selected, i;
	struct layout layout;

	if (height < 2)
		return;
	state->height = height - 2;
	top_scroll(state, rows);
	selected = top_selected(state, rows);
	lay_out(&layout, state, screen);
	draw_titles(y, &layout, state, screen->now);
	draw_row(y + 1, &layout, &rows->list[0], screen, !selected);
	for (i = 0; i < state->height && 1 + state->first + i < rows->nr; i++)
		draw_row(y + 2 + i, &layout, &rows->list[1 + state->first + i], screen,
			 selected == 1 + state->first + i);
	if (rows->nr == 1 && state->height)
		draw_nothing(y + 2, state);
}

/* ---- the histogram of the selected row ---- */

/* "cpuid: kernel time of 1000 exits, mean 1.00us, …": as many of these as there is room for. */
static void draw_histogram_title(int y, const struct top_row *row, const struct histogram *h,
				 uint64_t tsc_khz)
{
	const struct { const char *name; double cycles; } figures[] = {
		{ "mean", histogram_mean(h) },
		{ "p50", histogram_percentile(h, 0.50) },
		{ "p99", histogram_percentile(h, 0.99) },
		{ h->bounds ? "max <" : "max", h->max },
	};
	char text[200], figure[80], time[TEXT_CELL];
	size_t i;

	if (!h->ended) {
		snprintf(text, sizeof(text), "%s: of no exit is known what it took", row->name);
		put_attr(y, 0, COLS, A_BOLD, text);
		return;
	}
	snprintf(text, sizeof(text), "%s: kernel time of %" PRIu64 " exits", row->name, h->ended);
	for (i = 0; i < NR(figures); i++) {
		snprintf(figure, sizeof(figure), ", %s %s", figures[i].name,
			 text_time(time, figures[i].cycles, tsc_khz));
		if (strlen(text) + strlen(figure) > (size_t)COLS)
			break;
		strcat(text, figure);
	}
	put_attr(y, 0, COLS, A_BOLD, text);
}

/* " 1.02us..      900 ########"; what is not 0 has a mark at least. */
static void draw_bar(int y, const struct top_bar *bar, uint64_t most, uint64_t tsc_khz)
{
	char text[2 * TEXT_CELL + 8], time[TEXT_CELL], exits[TEXT_CELL];
	int room, length, i;

	snprintf(text, sizeof(text), "%8s.. %8s ", text_time(time, bar->lower, tsc_khz),
		 exits_text(exits, bar->exits));
	put(y, 0, COLS, text);
	room = COLS - (int)strlen(text);
	length = trend_height(bar->exits, most, room > 0 ? room : 0);
	for (i = 0; i < length; i++)
		mvaddstr(y, strlen(text) + i, utf8() ? "█" : "#");
}

static void draw_histogram(int y, int height, const struct top_state *state,
			   const struct top_screen *screen)
{
	const struct top_row *row = &screen->rows->list[top_selected(state, screen->rows)];
	const uint64_t tsc_khz = screen->now->tsc_khz;
	struct top_bar bars[KVMSTAT_HISTOGRAM_BUCKETS];
	struct histogram h;
	uint64_t most = 0;
	size_t nr, i;

	top_histogram(&h, screen->now, &row->part);
	draw_histogram_title(y, row, &h, tsc_khz);
	nr = top_bars(bars, height - 1 < (int)NR(bars) ? height - 1 : (int)NR(bars), &h);
	for (i = 0; i < nr; i++)
		most = bars[i].exits > most ? bars[i].exits : most;
	for (i = 0; i < nr; i++)
		draw_bar(y + 1 + i, &bars[i], most, tsc_khz);
}

/* ---- head, place, last lines ---- */

/* Lines of print_…(), from line y on. The line after them. */
static int put_lines(int y, char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) && *line)
		put(y++, 0, COLS, line);
	return y;
}

static int draw_head(int y, const struct top_screen *screen)
{
	struct run head = *screen->now;
	char *text = NULL;
	size_t size;
	FILE *out;

	if (LINES < BELOW_THIS_NO_HEAD)
		return y;
	head.window = screen->window->window;
	head.window_ns = screen->window->window_ns;
	out = open_memstream(&text, &size);
	if (!out)
		return y;
	print_head(out, &head);
	fclose(out);
	y = put_lines(y, text);
	free(text);
	return y;
}

static const struct vm *find_vm(const struct run *run, uint64_t id)
{
	size_t i;

	for (i = 0; i < run->nr_vms; i++)
		if (run->vms[i].id == id)
			return &run->vms[i];
	return NULL;
}

/* "VM 3 (pid 88, qemu-system-x86), vCPU 0: reasons" */
static void describe_place(char *buf, size_t size, const struct top_state *state,
			   const struct run *now)
{
	static const char * const what[] = {
		[TOP_VMS] = "VMs", [TOP_VCPUS] = "vCPUs", [TOP_REASONS] = "reasons",
	};
	const struct part *in = &state->in[state->level];
	const struct vm *vm = in->one_vm ? find_vm(now, in->vm) : NULL;
	char of[100] = "all VMs", vcpu[40] = "";

	if (in->one_vm && !in->vm)
		snprintf(of, sizeof(of), "earlier VMs");
	else if (vm)
		snprintf(of, sizeof(of), "VM %" PRIu64 " (pid %u, %s%s)", in->vm, vm->pid, top_vm_name(vm),
			 vm->alive ? "" : ", gone");
	else if (in->one_vm)
		snprintf(of, sizeof(of), "VM %" PRIu64 " (of which nothing is kept any more)", in->vm);
	if (in->one_vcpu)
		snprintf(vcpu, sizeof(vcpu), ", vCPU %u", in->vcpu);
	snprintf(buf, size, "%s%s: %s by %s%s", of, vcpu, what[state->level],
		 top_column_name(top_sort(state, now->split)), state->reverse ? ", reversed" : "");
}

static int draw_place(int y, const struct top_state *state, const struct run *now)
{
	const char *filter = state->filter[state->level];
	char text[240], place[200];

	describe_place(place, sizeof(place), state, now);
	snprintf(text, sizeof(text), "%s%s%s%s%s", state->paused ? "PAUSED; " : "", place,
		 *filter ? "; only \"" : "", filter, *filter ? "\"" : "");
	put_attr(y, 0, COLS, A_BOLD, text);
	return y + 1;
}

/* As many as fit, whole. */
static void draw_help_line(int y)
{
	static const char * const keys[] = {
		"q quit", "? help", "Enter in", "Bksp out", "s sort", "/ filter", "p pause",
		"h histogram", "r reverse",
	};
	int x = 0;
	size_t i;

	for (i = 0; i < NR(keys); i++) {
		int length = strlen(keys[i]);

		if (x + length > COLS)
			break;
		put(y, x, COLS, keys[i]);
		x += length + 2;
	}
	mvchgat(y, 0, -1, A_REVERSE, 0, NULL);
}

static void draw_last_line(int y, const struct top_state *state)
{
	char text[80];

	if (state->mode != TOP_MODE_FILTER) {
		draw_help_line(y);
		return;
	}
	snprintf(text, sizeof(text), "Filter: %s_", state->filter[state->level]);
	put(y, 0, COLS, text);
	put(y, 44, COLS, "Enter keeps it, Esc clears it");
}

/* What is wrong, else what is to be known. The line where it begins. */
static int draw_notes(int end, const struct top_screen *screen)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (*screen->note) {
		put_attr(end - 1, 0, COLS, RED | A_BOLD, screen->note);
		return end - 1;
	}
	if (!screen->now->totals.untraced && !screen->now->totals.lost)
		return end;
	out = open_memstream(&text, &size);
	if (!out)
		return end;
	print_doubts(out, screen->now, "");
	fclose(out);
	end -= screen->now->totals.untraced && screen->now->totals.lost ? 2 : 1;
	put_lines(end, text);
	free(text);
	return end;
}

static void draw_help(void)
{
	static const char * const lines[] = {
		"kvmstat-report top: VM exits as they happen",
		"",
		"Up Down j k      the row; PgUp PgDn Home End, too",
		"Enter, Right     into it: from VM to vCPU to reason",
		"Backspace, Left  out again",
		"s                sort by the next column; or by one:",
		"                 N name  E exits  R rate  G guest  K kernel  U user",
		"                 O offcpu  M mean  P p99  X max",
		"r                the other way round",
		"/                only rows with this in their names or pid; Esc: all",
		"p, space         pause: the screen stands still, counting goes on",
		"h                histogram of the row: KVM's time for single exits",
		"q, Ctrl-C        quit",
		"",
		"EXITS and the histogram are since counting began, or was reset; all else is",
		"of the time that the head tells. GUEST KERNEL USER OFFCPU are shares of the",
		"vCPUs' time. TREND is RATE in the last intervals, each row's against its own",
		"highest, the newest on the right. The first row is the sum.",
		"",
		"Any key goes back.",
	};
	size_t i;

	for (i = 0; i < NR(lines); i++)
		put(i, 0, COLS, lines[i]);
}

/* Half of the lines, if titles, sum and the selected row have room besides. */
static int histogram_height(const struct top_state *state, int lines)
{
	int height = lines - lines / 2 < 3 ? lines - 3 : lines / 2;

	return state->histogram && height > 1 ? height : 0;
}

static void draw_main(struct top_state *state, const struct top_screen *screen)
{
	int y = draw_place(draw_head(0, screen), state, screen->now);
	int end = draw_notes(LINES - 1, screen);
	int panel = histogram_height(state, end - y);

	draw_rows(y, end - y - panel, state, screen);
	if (panel)
		draw_histogram(end - panel, panel, state, screen);
	draw_last_line(LINES - 1, state);
}

/* Of a single column ncurses 6.4 looks at the one left of it: there is none. */
void top_draw(struct top_state *state, const struct top_screen *screen)
{
	erase();
	if (COLS > 1 && state->mode == TOP_MODE_HELP)
		draw_help();
	else if (COLS > 1)
		draw_main(state, screen);
	refresh();
}
