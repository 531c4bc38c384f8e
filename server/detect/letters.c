/*
 * letters.c - a text's words without what stands between them.
 */
#include "server/detect/letters.h"

#include <stdbool.h>

#include "tokenizer/character.h"
#include "tokenizer/normalise.h"
#include "tokenizer/utf8.h"

#define APOSTROPHE '\''
#define RIGHT_QUOTE 0x2019 // what typesetters write for it

/* At most LETTERS_BYTES_MAX, cut between characters. */
static size_t bytes_to_read(const char *text, size_t len)
{
    size_t at = 0;
    int bytes;
    if (len <= LETTERS_BYTES_MAX)
        return len;
    while (utf8_next(text + at, len - at, &bytes), at + (size_t)bytes <= LETTERS_BYTES_MAX)
        at += (size_t)bytes;
    return at;
}

/* Whether the word is an address: its parts are of no language, or of English. */
static bool is_address(const struct character *word, size_t len)
{
    static const char www[] = "www.";
    size_t same = 0;
    while (same < sizeof www - 1 && same < len && character_lower(word[same].c) == www[same])
        same++;
    if (same == sizeof www - 1)
        return true;
    for (size_t i = 0; i < len; i++)
        if (word[i].c == '@' ||
            (i + 2 < len && word[i].c == ':' && word[i + 1].c == '/' && word[i + 2].c == '/'))
            return true;
    return false;
}

static bool is_apostrophe(const struct character *word, size_t len, size_t i)
{
    return (word[i].c == APOSTROPHE || word[i].c == RIGHT_QUOTE) && i > 0 && i + 1 < len &&
           character_is_letter(word[i - 1].c) && character_is_letter(word[i + 1].c);
}

static void add_space(int32_t *list, struct letters *out)
{
    if (out->count > 0 && list[out->count - 1] != ' ')
        list[out->count++] = ' ';
}

/* Marks that joined no letter go without a trace; anything else parts words. */
static void add_word(const struct character *word, size_t len, int32_t *list, struct letters *out)
{
    add_space(list, out);
    for (size_t i = 0; i < len; i++) {
        if (character_is_letter(word[i].c)) {
            list[out->count++] = character_lower(word[i].c);
            out->letter_count++;
        } else if (is_apostrophe(word, len, i)) {
            list[out->count++] = APOSTROPHE;
        } else if (!character_is_mark(word[i].c)) {
            add_space(list, out);
        }
    }
}

enum status letters_of(const char *text, size_t len, struct arena *arena, struct letters *out,
                       struct error *err)
{
    const struct vocabulary_options form = { .form = FORM_NFKC };
    size_t count;
    len = bytes_to_read(text, len);
    const struct normalised_bound bound = normalise_bound(text, len, form);
    int32_t *list = arena_array(arena, int32_t, bound.characters + 1);
    const struct arena_mark mark = arena_mark(arena);
    struct character *chars = arena_array(arena, struct character, bound.characters);
    if (!list || !chars || !normalise(text, len, form, chars, arena, &count))
        return error_set(err, STATUS_NO_MEMORY, "the letters of a text do not fit");
    struct letters letters = { .list = list };
    for (size_t from = 0, to; from < count; from = to + 1) {
        for (to = from; to < count && chars[to].c != ' '; to++)
            ;
        if (!is_address(chars + from, to - from))
            add_word(chars + from, to - from, list, &letters);
    }
    if (letters.count > 0 && list[letters.count - 1] == ' ')
        letters.count--;
    arena_rewind(arena, mark);
    *out = letters;
    return STATUS_OK;
}

int letters_window_end(const struct letters *letters, int from)
{
    const int most = from + LETTERS_WINDOW;
    if (letters->count <= most)
        return letters->count;
    for (int at = most; at > from; at--)
        if (letters->list[at] == ' ')
            return at;
    return most;
}
