/* print_text.c - control characters of others, made visible. */
#include "server/cmd/print_text.h"

#include <stdio.h>
#include <string.h>

#define DELETE 0x7F
#define FIRST_OF_C1 0xC2 // first byte of U+0080 to U+009F, which some terminals obey
#define REPLACEMENT "\xEF\xBF\xBD"

static int is_c1(const char *text)
{
    const unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];
    return first == FIRST_OF_C1 && second >= 0x80 && second < 0xA0;
}

static void print(const char *text, const char *as_they_are)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (is_c1(text)) {
            fputs(REPLACEMENT, stdout);
            text++;
        } else if (strchr(as_they_are, c)) {
            putchar(c);
        } else if (strchr("\n\r\t", c)) {
            putchar(' ');
        } else if (c < ' ' || c == DELETE) {
            printf("\xE2\x90%c", c == DELETE ? 0xA1 : 0x80 + c); // U+2400 and on
        } else {
            putchar(c);
        }
    }
}

void print_text(const char *text)
{
    print(text, "\n\t");
}

void print_text_line(const char *text)
{
    print(text, "");
}

void print_text_escaped(const char *text)
{
    static const char letters[] = "\t\n\r\\", names[] = "tnr\\";
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        const char *letter = strchr(letters, c);
        if (is_c1(text))
            printf("\\u%04x", (unsigned)(unsigned char)*++text);
        else if (letter)
            printf("\\%c", names[letter - letters]);
        else if (c < ' ' || c == DELETE)
            printf("\\x%02x", (unsigned)c);
        else
            putchar(c);
    }
}
