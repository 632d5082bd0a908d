// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes apart what init.c sends over one port: frames of a channel's number,
 * a length (2 bytes, low one first) and so many bytes, from standard input
 * into the files whose names are the arguments, channel 0 first.
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	FILE *out[16];
	int channel, low, high, i;

	for (i = 0; i < argc - 1 && i < 16; i++) {
		out[i] = fopen(argv[i + 1], "wb");
		if (!out[i]) {
			perror(argv[i + 1]);
			return 1;
		}
		setbuf(out[i], NULL);
	}
	while ((channel = getchar()) != EOF) {
		unsigned char data[65536];
		size_t size;

		low = getchar();
		high = getchar();
		size = high == EOF ? 0 : low | high << 8;
		if (channel >= argc - 1 || !size || fread(data, 1, size, stdin) != size) {
			fprintf(stderr, "lab: the machine's output is garbled or cut short\n");
			return 1;
		}
		if (fwrite(data, 1, size, out[channel]) != size) {
			perror(argv[channel + 1]);
			return 1;
		}
	}
	return 0;
}
