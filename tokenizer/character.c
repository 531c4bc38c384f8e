/*
 * character.c - kinds of characters and lower case, from utf8proc's tables.
 */
#include "tokenizer/character.h"

#include <utf8proc.h>
#include "tokenizer/utf8.h"

#define CAPITAL_SIGMA 0x03A3
#define FINAL_SIGMA 0x03C2
#define CAPITAL_I_WITH_DOT 0x0130

struct range {
    int32_t from, to; // both included
};

static bool is_in(const struct range *ranges, size_t count, int32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}
#define IS_IN(ranges, c) is_in((ranges), sizeof(ranges) / sizeof((ranges)[0]), (c))

bool character_is_space(int32_t c)
{
    static const struct range spaces[] = {
        { 0x0085, 0x0085 }, { 0x00A0, 0x00A0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200A },
        { 0x2028, 0x2029 }, { 0x202F, 0x202F }, { 0x205F, 0x205F }, { 0x3000, 0x3000 },
    };
    if (c < 0x80)
        return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
    return IS_IN(spaces, c);
}

bool character_is_letter(int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return true;
    default:
        return false;
    }
}

bool character_is_punctuation(int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        return true;
    default:
        return false;
    }
}

bool character_is_mark(int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
        return true;
    default:
        return false;
    }
}

int32_t character_lower(int32_t c)
{
    return utf8proc_tolower(c);
}

int32_t character_upper(int32_t c)
{
    return utf8proc_toupper(c);
}

bool text_has_letters(const char *text, size_t len)
{
    int bytes;
    for (size_t at = 0; at < len; at += (size_t)bytes)
        if (character_is_letter(utf8_next(text + at, len - at, &bytes)))
            return true;
    return false;
}

/* Unicode's property Cased: the letters with case, and what looks like them. */
static bool is_cased(int32_t c)
{
    static const struct range others[] = {
        { 0x00AA, 0x00AA },   { 0x00BA, 0x00BA },   { 0x2160, 0x217F },   { 0x24B6, 0x24E9 },
        { 0x1F130, 0x1F149 }, { 0x1F150, 0x1F169 }, { 0x1F170, 0x1F189 },
    };
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
        return true;
    default:
        return IS_IN(others, c);
    }
}

/* Unicode's property Case_Ignorable: marks, and punctuation that may stand inside a word. */
static bool is_case_ignorable(int32_t c)
{
    static const struct range inside_words[] = {
        { 0x0027, 0x0027 }, { 0x002E, 0x002E }, { 0x003A, 0x003A }, { 0x00B7, 0x00B7 },
        { 0x0387, 0x0387 }, { 0x055F, 0x055F }, { 0x05F4, 0x05F4 }, { 0x2018, 0x2019 },
        { 0x2024, 0x2024 }, { 0x2027, 0x2027 }, { 0xFE13, 0xFE13 }, { 0xFE52, 0xFE52 },
        { 0xFE55, 0xFE55 }, { 0xFF07, 0xFF07 }, { 0xFF0E, 0xFF0E }, { 0xFF1A, 0xFF1A },
    };
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
        return true;
    default:
        return IS_IN(inside_words, c);
    }
}

/* Whether the word goes on behind `text`: a cased letter follows, past what case ignores. */
static bool word_goes_on(const char *text, size_t len)
{
    int bytes;
    for (size_t at = 0; at < len; at += (size_t)bytes) {
        int32_t c = utf8_next(text + at, len - at, &bytes);
        if (!is_case_ignorable(c))
            return is_cased(c);
    }
    return false;
}

static bool append_character(struct bytes *out, int32_t c)
{
    utf8proc_uint8_t encoded[4];
    utf8proc_ssize_t bytes = utf8proc_encode_char(c, encoded);
    return bytes_append(out, (const char *)encoded, (size_t)bytes);
}

bool text_lower(const char *text, size_t len, struct bytes *out)
{
    bool in_word = false; // a cased letter came before, past what case ignores
    int bytes;
    for (size_t at = 0; at < len; at += (size_t)bytes) {
        int32_t c = utf8_next(text + at, len - at, &bytes);
        int32_t lower = utf8proc_tolower(c);
        size_t next = at + (size_t)bytes;
        if (c == CAPITAL_SIGMA && in_word && !word_goes_on(text + next, len - next))
            lower = FINAL_SIGMA;
        if (c == CAPITAL_I_WITH_DOT ? !bytes_append_text(out, "i\xCC\x87")
                                    : !append_character(out, lower))
            return false;
        if (!is_case_ignorable(c))
            in_word = is_cased(c);
    }
    return true;
}
