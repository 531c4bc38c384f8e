/* percent.c - "%41" is an A. */
#include "server/http/percent.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool percent_read(const char *at, const char *end, char *byte)
{
    if (end - at < PERCENT_BYTES || at[0] != '%')
        return false;
    const int high = hex_digit(at[1]), low = hex_digit(at[2]);
    if (high < 0 || low < 0)
        return false;
    *byte = (char)(high * 16 + low);
    return true;
}
