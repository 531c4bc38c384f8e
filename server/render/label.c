/*
 * label.c - what can be shown of a text, and about how wide it is.
 */
#include "server/render/label.h"

#include <stdint.h>
#include <string.h>

#include "tokenizer/display.h"
#include "tokenizer/utf8.h"

#define REPLACEMENT 0xFFFD
#define PICTURES 0x2400 // of the control characters 0..31
#define PICTURE_OF_DELETE 0x2421
#define PICTURE_OF_NEWLINE 0x2424
#define LEFT_OUT (-1)
#define ELLIPSIS "…"
#define NOTHING "·"
#define EMOJI_FROM 0x1F000

static bool turns_direction(int32_t c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

static bool is_no_character(int32_t c)
{
    return (c >= 0x80 && c < 0xA0) || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

static int32_t shown(int32_t c)
{
    if (c < 0x20)
        return PICTURES + c;
    if (c == 0x7F)
        return PICTURE_OF_DELETE;
    if (c == 0x2028 || c == 0x2029)
        return PICTURE_OF_NEWLINE;
    if (turns_direction(c))
        return LEFT_OUT;
    return is_no_character(c) ? REPLACEMENT : c;
}

/* The code point at text, REPLACEMENT for bytes that are none, and how many bytes it is. */
static int32_t take(const char *text, size_t len, int *bytes)
{
    const int sequence = utf8_sequence(text, len);
    *bytes = sequence > 0 ? sequence : -sequence;
    return sequence > 0 ? utf8_next(text, len, bytes) : REPLACEMENT;
}

static bool append_character(struct bytes *out, int32_t c)
{
    char utf8[4];
    return bytes_append(out, utf8, (size_t)utf8_put(c, utf8));
}

/* At most so many bytes of what can be shown, whole characters; false in *whole if that is not all.
 */
static size_t make_visible(const char *text, char *visible, size_t room, bool *whole)
{
    const size_t len = strlen(text);
    size_t used = 0;
    int bytes;
    for (size_t at = 0; at < len; at += (size_t)bytes) {
        const int32_t c = shown(take(text + at, len - at, &bytes));
        if (c == LEFT_OUT)
            continue;
        if (used + 4 > room) {
            *whole = false;
            return used;
        }
        used += (size_t)utf8_put(c, visible + used);
    }
    *whole = true;
    return used;
}

bool label_append(struct bytes *out, const char *text, int columns_max)
{
    char visible[LABEL_BYTES_MAX];
    bool whole;
    const size_t len = make_visible(text, visible, sizeof visible, &whole);
    size_t fits = 0, fits_cut = 0; // bytes that fit, also with an ellipsis behind them
    int used = 0, columns;
    while (fits < len) {
        const size_t cluster = cluster_next(visible + fits, len - fits, &columns);
        if (used + columns > columns_max)
            break;
        used += columns;
        fits += cluster;
        if (used < columns_max)
            fits_cut = fits;
    }
    if (len == 0)
        return bytes_append_text(out, NOTHING);
    if (fits == len && whole)
        return bytes_append(out, visible, len);
    return bytes_append(out, visible, fits_cut) && bytes_append_text(out, ELLIPSIS);
}

bool label_append_valid(struct bytes *out, const char *text)
{
    const size_t len = strlen(text);
    int bytes;
    for (size_t at = 0; at < len; at += (size_t)bytes)
        if (!append_character(out, take(text + at, len - at, &bytes)))
            return false;
    return true;
}

static double ems_of(int32_t c, int columns)
{
    if (columns == 0)
        return 0;
    if (columns > 1)
        return c >= EMOJI_FROM ? 1.3 : 1.05;
    if (c < 0x80 && strchr("iljtfrI.,:;'!|()[]-/ ", c))
        return 0.4;
    if ((c < 0x80 && strchr("mwMW@%", c)) || (c >= 0x0900 && c < 0x0E00))
        return 0.95; // also letters of India, which are wide
    return c < 'a' && c > '9' ? 0.72 : 0.61;
}

double label_ems(const char *label)
{
    const size_t len = strlen(label);
    double sum = 0;
    int bytes, columns;
    for (size_t at = 0; at < len;) {
        const int32_t c = utf8_next(label + at, len - at, &bytes);
        at += cluster_next(label + at, len - at, &columns);
        sum += ems_of(c, columns);
    }
    return sum;
}
