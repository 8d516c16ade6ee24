/* Counts the lines, words and bytes of its standard input, over and over as often as asked, and prints the sums. */

#include <stdio.h>
#include <stdlib.h>

static unsigned char text[1 << 20];

int main(int argc, char **argv) {
    unsigned long long lines = 0, words = 0, bytes = 0;
    size_t length = fread(text, 1, sizeof text, stdin);
    long copies = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    for (long copy = 0; copy < copies; copy++) {
        int in_word = 0;
        for (size_t at = 0; at < length; at++) {
            unsigned char letter = text[at];
            int is_blank = letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
            lines += letter == '\n';
            words += in_word && is_blank;
            in_word = !is_blank;
        }
        words += in_word;
        bytes += length;
    }
    printf("%llu lines, %llu words, %llu bytes\n", lines, words, bytes);
    return ferror(stdin) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
