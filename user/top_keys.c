// SPDX-License-Identifier: GPL-2.0-or-later
/* What keys do to the state of kvmstat-report top. */
#include <string.h>

#include <curses.h>

#include "top_keys.h"

#define ESCAPE		27
#define DELETE		127

static bool is_backspace(int key)
{
	return key == KEY_BACKSPACE || key == DELETE || key == '\b';
}

static bool is_enter(int key)
{
	return key == KEY_ENTER || key == '\n' || key == '\r';
}

static void end_filter(struct top_state *state, const struct top_rows *rows)
{
	state->mode = TOP_MODE_ROWS;
	/* Who looked for something wants to be there, not at the sum. */
	if (state->filter[state->level][0] && !top_selected(state, rows) && rows->nr > 1)
		top_select(state, rows, 1);
}

static void filter_key(struct top_state *state, const struct top_rows *rows, int key)
{
	char *filter = state->filter[state->level];
	size_t length = strlen(filter);

	if (key == ESCAPE) {
		filter[0] = '\0';
		state->mode = TOP_MODE_ROWS;
	} else if (is_enter(key)) {
		end_filter(state, rows);
	} else if (is_backspace(key)) {
		filter[length ? length - 1 : 0] = '\0';
	} else if (key >= ' ' && key <= '~' && length + 1 < TOP_FILTER_MAX) {
		filter[length] = key;
		filter[length + 1] = '\0';
	}
}

static void sort_by(struct top_state *state, enum top_column column)
{
	state->sort = column;
	state->reverse = false;
}

static void sort_next(struct top_state *state, bool split)
{
	enum top_column column = top_sort(state, split);

	do
		column = (column + 1) % NR_TOP_COLUMNS;
	while (!top_has(state, column, split));
	sort_by(state, column);
}

static void sort_by_letter(struct top_state *state, int key, bool split)
{
	enum top_column column;

	for (column = 0; column < NR_TOP_COLUMNS; column++)
		if (key == top_column_letter(column) && top_has(state, column, split))
			sort_by(state, column);
}

static void move_by(struct top_state *state, const struct top_rows *rows, long by)
{
	long index = (long)top_selected(state, rows) + by;

	if (index < 0)
		index = 0;
	if (index >= (long)rows->nr)
		index = rows->nr - 1;
	top_select(state, rows, index);
}

/* False where it is none of these. */
static bool movement(struct top_state *state, const struct top_rows *rows, int key)
{
	const long page = state->height ? state->height : 1;

	switch (key) {
	case KEY_UP:
	case 'k':
		move_by(state, rows, -1);
		return true;
	case KEY_DOWN:
	case 'j':
		move_by(state, rows, 1);
		return true;
	case KEY_PPAGE:
		move_by(state, rows, -page);
		return true;
	case KEY_NPAGE:
		move_by(state, rows, page);
		return true;
	case KEY_HOME:
		move_by(state, rows, -(long)rows->nr);
		return true;
	case KEY_END:
		move_by(state, rows, rows->nr);
		return true;
	default:
		return false;
	}
}

static void command(struct top_state *state, const struct top_rows *rows, int key)
{
	switch (key) {
	case KEY_RIGHT:
		top_down(state, rows);
		break;
	case KEY_LEFT:
		top_up(state);
		break;
	case 's':
		sort_next(state, rows->now.split);
		break;
	case 'r':
		state->reverse = !state->reverse;
		break;
	case '/':
		state->mode = TOP_MODE_FILTER;
		break;
	case ESCAPE:
		state->filter[state->level][0] = '\0';
		break;
	case 'p':
	case ' ':
		state->paused = !state->paused;
		break;
	case 'h':
		state->histogram = !state->histogram;
		break;
	case '?':
		state->mode = TOP_MODE_HELP;
		break;
	default:
		sort_by_letter(state, key, rows->now.split);
	}
}

static void rows_key(struct top_state *state, const struct top_rows *rows, int key)
{
	if (is_enter(key))
		key = KEY_RIGHT;
	if (is_backspace(key))
		key = KEY_LEFT;
	if (!movement(state, rows, key))
		command(state, rows, key);
}

bool top_key(struct top_state *state, const struct top_rows *rows, int key)
{
	if (key == ERR || key == KEY_RESIZE)
		return true;
	switch (state->mode) {
	case TOP_MODE_FILTER:
		filter_key(state, rows, key);
		return true;
	case TOP_MODE_HELP:
		state->mode = TOP_MODE_ROWS;
		return true;
	case TOP_MODE_ROWS:
		break;
	}
	if (key == 'q')
		return false;
	rows_key(state, rows, key);
	return true;
}
