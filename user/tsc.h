/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TSC's frequency in kHz, measured in so many ms. */
#ifndef KVMSTAT_TSC_H
#define KVMSTAT_TSC_H

double tsc_khz(unsigned int ms);

#endif
