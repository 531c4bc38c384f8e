/*
 * utf8.c - strict UTF-8 by table 3-7 of the Unicode standard: the second byte
 * alone decides about overlong forms, surrogates and the end of the code space.
 */
#include "tokenizer/utf8.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Bytes that a sequence starting with `lead` has; 0: nothing starts with it. */
static int length_after(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2)
        return 0; // a continuation, or the overlong C0 and C1
    if (lead < 0xE0)
        return 2;
    if (lead < 0xF0)
        return 3;
    return lead < 0xF5 ? 4 : 0;
}

static bool second_fits(unsigned char lead, unsigned char second)
{
    unsigned char from = 0x80, to = 0xBF;
    if (lead == 0xE0)
        from = 0xA0; // below: overlong
    else if (lead == 0xED)
        to = 0x9F; // above: surrogates
    else if (lead == 0xF0)
        from = 0x90; // below: overlong
    else if (lead == 0xF4)
        to = 0x8F; // above: past U+10FFFF
    return second >= from && second <= to;
}

int utf8_sequence(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    int length = length_after(at[0]);
    if (length <= 1)
        return length == 1 ? 1 : -1;
    if (len < 2 || !second_fits(at[0], at[1]))
        return -1;
    for (int i = 2; i < length; i++)
        if ((size_t)i >= len || (at[i] & 0xC0) != 0x80)
            return -i;
    return length;
}

static const char *what_is_wrong(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    if (at[0] < 0xC0)
        return "a continuation byte without a start";
    if (at[0] < 0xC2)
        return "an overlong form";
    if (at[0] >= 0xF5)
        return "a byte that no character has";
    if (len < 2)
        return "the text ends within a character";
    if ((at[1] & 0xC0) != 0x80)
        return "a character is cut short";
    if (!second_fits(at[0], at[1])) {
        if (at[0] == 0xED)
            return "a surrogate";
        return at[0] == 0xF4 ? "a code point above U+10FFFF" : "an overlong form";
    }
    return (size_t)-utf8_sequence(text, len) >= len ? "the text ends within a character"
                                                    : "a character is cut short";
}

/* Bytes of plain ASCII at the start, eight at a time: most text is mostly that. */
static size_t ascii_prefix(const char *text, size_t len)
{
    size_t at = 0;
    uint64_t eight;
    for (; at + sizeof eight <= len; at += sizeof eight) {
        memcpy(&eight, text + at, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < len && (unsigned char)text[at] < 0x80)
        at++;
    return at;
}

enum status utf8_check(const char *text, size_t len, struct error *err)
{
    for (size_t at = 0; at < len;) {
        at += ascii_prefix(text + at, len - at);
        if (at == len)
            break;
        int bytes = utf8_sequence(text + at, len - at);
        if (bytes < 0)
            return error_set(err, STATUS_BAD_INPUT, "invalid UTF-8 at byte %zu: %s", at,
                             what_is_wrong(text + at, len - at));
        at += (size_t)bytes;
    }
    return STATUS_OK;
}

int32_t utf8_next(const char *text, size_t len, int *bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    assert(len > 0);
    (void)len;
    *bytes = length_after(at[0]);
    switch (*bytes) {
    case 1:
        return at[0];
    case 2:
        return (at[0] & 0x1F) << 6 | (at[1] & 0x3F);
    case 3:
        return (at[0] & 0x0F) << 12 | (at[1] & 0x3F) << 6 | (at[2] & 0x3F);
    default:
        return (at[0] & 0x07) << 18 | (at[1] & 0x3F) << 12 | (at[2] & 0x3F) << 6 | (at[3] & 0x3F);
    }
}

int utf8_put(int32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

size_t utf8_length(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}
