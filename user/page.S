/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a page of --html is made of, as text that ends with a NUL. */
	.section .rodata

	.macro	text name file
	.globl	\name
\name:
	.ifnb	\file
	.incbin	"\file"
	.endif
	.byte	0
	.endm

	text	page_style "user/page/report.css"
	text	page_program "user/page/report.js"
	text	page_charts_licence "user/page/charts_licence.txt"
#ifdef CHART_JS
	text	page_charts CHART_JS
#else
	text	page_charts
#endif

	.section .note.GNU-stack, "", @progbits
