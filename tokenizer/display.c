/*
 * display.c - clusters, columns and directions, from utf8proc's tables.
 */
#include "tokenizer/display.h"

#include <limits.h>
#include <utf8proc.h>
#include "tokenizer/utf8.h"

#define EMOJI_SELECTOR 0xFE0F // the character before it is drawn as an emoji
#define COLUMNS_WIDE 2

size_t cluster_next(const char *text, size_t len, int *columns)
{
    utf8proc_int32_t state = 0;
    int bytes;
    int32_t before = utf8_next(text, len, &bytes);
    size_t at = (size_t)bytes;
    *columns = utf8proc_charwidth(before);
    while (at < len) {
        const int32_t c = utf8_next(text + at, len - at, &bytes);
        if (utf8proc_grapheme_break_stateful(before, c, &state))
            break;
        *columns = c == EMOJI_SELECTOR ? COLUMNS_WIDE : *columns + utf8proc_charwidth(c);
        if (*columns > COLUMNS_WIDE)
            *columns = COLUMNS_WIDE;
        before = c;
        at += (size_t)bytes;
    }
    return at;
}

int text_columns(const char *text, size_t len)
{
    int sum = 0, columns;
    for (size_t at = 0; at < len && sum < INT_MAX - COLUMNS_WIDE; sum += columns)
        at += cluster_next(text + at, len - at, &columns);
    return sum;
}

bool text_is_right_to_left(const char *text, size_t len, bool *found)
{
    int bytes;
    *found = true;
    for (size_t at = 0; at < len; at += (size_t)bytes)
        switch (utf8proc_get_property(utf8_next(text + at, len - at, &bytes))->bidi_class) {
        case UTF8PROC_BIDI_CLASS_L:
            return false;
        case UTF8PROC_BIDI_CLASS_R:
        case UTF8PROC_BIDI_CLASS_AL:
            return true;
        default:
            break;
        }
    *found = false;
    return false;
}
