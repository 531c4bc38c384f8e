/*
 * units.c - cutting a sentence into words or characters, and counting n-grams.
 */
#include "server/quality/units.h"

#include <string.h>
#include "base/memory.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

void units_init(struct units *u)
{
    *u = (struct units){ 0 };
    bytes_init(&u->text, UNITS_BYTES_MAX);
}

void units_release(struct units *u)
{
    bytes_release(&u->text);
    memory_free(u->starts);
    *u = (struct units){ 0 };
}

static void units_clear(struct units *u, uint32_t gap)
{
    bytes_reset(&u->text);
    u->count = 0;
    u->gap = gap;
}

static bool room_for_one_more(struct units *u)
{
    if (u->count + 2 <= u->capacity)
        return true;
    int capacity = u->capacity ? 2 * u->capacity : 64;
    uint32_t *starts = memory_resize(u->starts, (size_t)capacity, sizeof *starts);
    if (!starts)
        return false;
    u->starts = starts;
    u->capacity = capacity;
    return true;
}

/* Append one unit; false: no memory. */
static bool units_add(struct units *u, const char *text, size_t len)
{
    if (!room_for_one_more(u) || (u->count > 0 && u->gap && !bytes_append_char(&u->text, ' ')) ||
        !bytes_append(&u->text, text, len))
        return false;
    if (u->count == 0)
        u->starts[0] = 0;
    u->count++;
    u->starts[u->count] = (uint32_t)u->text.len + u->gap;
    return true;
}

/* The next stretch without white space at or behind *at; false at the end of the text. */
static bool next_word(const char *text, size_t len, size_t *at, size_t *from)
{
    int bytes = 0;
    while (*at < len && character_is_space(utf8_next(text + *at, len - *at, &bytes)))
        *at += (size_t)bytes;
    *from = *at;
    while (*at < len && !character_is_space(utf8_next(text + *at, len - *at, &bytes)))
        *at += (size_t)bytes;
    return *at > *from;
}

bool units_of_words(struct units *u, const char *text, size_t len)
{
    units_clear(u, 1);
    for (size_t at = 0, from; next_word(text, len, &at, &from);)
        if (!units_add(u, text + from, at - from))
            return false;
    return true;
}

bool units_of_characters(struct units *u, const char *text, size_t len)
{
    int bytes;
    units_clear(u, 0);
    for (size_t at = 0; at < len; at += (size_t)bytes)
        if (!character_is_space(utf8_next(text + at, len - at, &bytes)) &&
            !units_add(u, text + at, (size_t)bytes))
            return false;
    return true;
}

static bool is_ascii_punctuation(char c)
{
    return c > ' ' && c < 0x7F &&
           !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
}

static bool add_bare_word(struct units *u, const char *word, size_t len)
{
    int first;
    utf8_next(word, len, &first);
    if ((size_t)first == len)
        return units_add(u, word, len);
    if (is_ascii_punctuation(word[len - 1]))
        return units_add(u, word, len - 1) && units_add(u, word + len - 1, 1);
    if (is_ascii_punctuation(word[0]))
        return units_add(u, word, 1) && units_add(u, word + 1, len - 1);
    return units_add(u, word, len);
}

bool units_of_bare_words(struct units *u, const char *text, size_t len)
{
    units_clear(u, 1);
    for (size_t at = 0, from; next_word(text, len, &at, &from);)
        if (!add_bare_word(u, text + from, at - from))
            return false;
    return true;
}
