/*
 * glossary.c - terms in lower case in order, looked up by what the text has at a word's beginning.
 */
#include "server/documents/glossary.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "server/documents/grow.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

/* Lower case may be longer than the term. */
#define KEY_BYTES_MAX (3 * GLOSSARY_BYTES_MAX)

struct key { // words in lower case with a space between them
    char bytes[KEY_BYTES_MAX];
    size_t len;
};

struct entry {
    struct glossary_term term;
    const char *key;
    size_t key_len;
    bool has_capitals;
};

struct glossary {
    struct arena *arena;
    struct entry *entries[2]; // (count) by side, in order of their keys
    int count, capacity;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the glossary needs more memory than there is for it: use fewer terms");
}

enum status glossary_new(struct glossary **out, struct arena *arena, struct error *err)
{
    struct glossary *g = arena_array(arena, struct glossary, 1);
    *out = NULL;
    if (!g)
        return no_memory(err);
    *g = (struct glossary){ .arena = arena };
    *out = g;
    return STATUS_OK;
}

/* ---- keys ---- */

static int32_t character_at(const char *text, size_t len, size_t at, int *bytes)
{
    return utf8_next(text + at, len - at, bytes);
}

static bool is_of_word(int32_t c)
{
    return character_is_letter(c) || character_is_mark(c) || (c >= '0' && c <= '9') || c == '_';
}

static bool add_to_key(struct key *key, int32_t c)
{
    char bytes[4];
    const int count = utf8_put(character_lower(c), bytes);
    if (key->len + (size_t)count > KEY_BYTES_MAX)
        return false;
    memcpy(key->bytes + key->len, bytes, (size_t)count);
    key->len += (size_t)count;
    return true;
}

/* White space at either end is left out, any other is one space. */
static bool make_key(const char *text, size_t len, struct key *key, bool *has_capitals)
{
    bool after_space = false;
    int bytes;
    key->len = 0;
    *has_capitals = false;
    for (size_t at = 0; at < len; at += (size_t)bytes) {
        const int32_t c = character_at(text, len, at, &bytes);
        if (character_is_space(c)) {
            after_space = true;
            continue;
        }
        if (after_space && key->len > 0 && !add_to_key(key, ' '))
            return false;
        if (!add_to_key(key, c))
            return false;
        after_space = false;
        *has_capitals |= character_lower(c) != c;
    }
    return true;
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* Of the same key those with capitals come first. */
static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    const int order = compare_bytes(a->key, a->key_len, b->key, b->key_len);
    if (order)
        return order;
    if (a->has_capitals != b->has_capitals)
        return a->has_capitals ? -1 : 1;
    return compare_bytes(a->term.term, a->term.len, b->term.term, b->term.len);
}

/* ---- making one ---- */

static int words_of(const struct key *key)
{
    int words = 1;
    for (size_t i = 0; i < key->len; i++)
        words += key->bytes[i] == ' ';
    return words;
}

static enum status check_term(const char *term, size_t len, const char *translation,
                              size_t translation_len, struct error *err)
{
    const int shown = len < 60 ? (int)len : 60;
    if (utf8_check(term, len, NULL) != STATUS_OK ||
        utf8_check(translation, translation_len, NULL) != STATUS_OK)
        return error_set(err, STATUS_BAD_INPUT, "a term of the glossary is not valid UTF-8");
    if (len > GLOSSARY_BYTES_MAX || translation_len > GLOSSARY_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "the glossary's term \"%.*s\" or its translation has more than %d bytes",
                         shown, term, GLOSSARY_BYTES_MAX);
    if (memchr(translation, '\n', translation_len) || memchr(term, '\n', len))
        return error_set(err, STATUS_BAD_INPUT, "the glossary's term \"%.*s\" has a line end",
                         shown, term);
    return STATUS_OK;
}

static enum status make_entry(struct glossary *g, const char *term, size_t len, struct entry *out,
                              struct error *err)
{
    struct key key;
    const int shown = len < 60 ? (int)len : 60;
    if (!make_key(term, len, &key, &out->has_capitals) || key.len == 0 ||
        words_of(&key) > GLOSSARY_WORDS_MAX)
        return error_set(err, STATUS_BAD_INPUT,
                         "the glossary's term \"%.*s\" must have 1 to %d words", shown, term,
                         GLOSSARY_WORDS_MAX);
    out->key = arena_copy(g->arena, key.bytes, key.len);
    out->key_len = key.len;
    return out->key ? STATUS_OK : no_memory(err);
}

enum status glossary_add(struct glossary *g, const char *term, size_t len, const char *translation,
                         size_t translation_len, struct error *err)
{
    struct entry entry = { 0 };
    enum status status = check_term(term, len, translation, translation_len, err);
    if (status == STATUS_OK && g->count == GLOSSARY_TERMS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "the glossary has more than %d terms",
                         GLOSSARY_TERMS_MAX);
    if (status == STATUS_OK)
        status = make_entry(g, term, len, &entry, err);
    if (status != STATUS_OK)
        return status;
    entry.term =
        (struct glossary_term){ .term = arena_copy(g->arena, term, len),
                                .len = len,
                                .translation = arena_copy(g->arena, translation, translation_len),
                                .translation_len = translation_len };
    if (!entry.term.term || !entry.term.translation ||
        !GROW(g->arena, g->entries[GLOSSARY_TERMS], g->count, g->capacity))
        return no_memory(err);
    g->entries[GLOSSARY_TERMS][g->count++] = entry;
    return STATUS_OK;
}

/* Each translation as a term that is its own translation. */
static enum status add_translations(struct glossary *g, struct error *err)
{
    struct entry *list = arena_array(g->arena, struct entry, g->count);
    enum status status = list ? STATUS_OK : no_memory(err);
    for (int i = 0; status == STATUS_OK && i < g->count; i++) {
        struct glossary_term term = g->entries[GLOSSARY_TERMS][i].term;
        list[i] = (struct entry){ 0 };
        if (make_entry(g, term.translation, term.translation_len, &list[i], NULL) != STATUS_OK)
            list[i].key = ""; // never found: empty, or of too many words
        term.term = term.translation;
        term.len = term.translation_len;
        list[i].term = term;
    }
    g->entries[GLOSSARY_TRANSLATIONS] = list;
    return status;
}

enum status glossary_ready(struct glossary *g, struct error *err)
{
    if (g->count == 0)
        return STATUS_OK;
    enum status status = add_translations(g, err);
    if (status != STATUS_OK)
        return status;
    struct entry *terms = g->entries[GLOSSARY_TERMS];
    qsort(terms, (size_t)g->count, sizeof *terms, compare);
    qsort(g->entries[GLOSSARY_TRANSLATIONS], (size_t)g->count, sizeof *terms, compare);
    for (int i = 1; i < g->count; i++)
        if (compare(&terms[i - 1], &terms[i]) == 0)
            return error_set(err, STATUS_BAD_INPUT, "the glossary has \"%.*s\" twice",
                             (int)(terms[i].term.len < 60 ? terms[i].term.len : 60),
                             terms[i].term.term);
    return STATUS_OK;
}

static enum status add_line(struct glossary *g, const struct line *line, struct error *err)
{
    size_t len = line->len;
    if (len > 0 && line->text[len - 1] == '\r')
        len--;
    if (len == 0 || line->text[0] == '#')
        return STATUS_OK;
    const char *tab = memchr(line->text, '\t', len);
    if (!tab)
        return error_set(err, STATUS_BAD_INPUT, "there is no tab between term and translation");
    const size_t at = (size_t)(tab - line->text);
    return glossary_add(g, line->text, at, tab + 1, len - at - 1, err);
}

enum status glossary_load(struct glossary **out, const char *path, struct arena *arena,
                          struct error *err)
{
    struct line_reader *in;
    struct glossary *g = NULL;
    struct line line = { 0 };
    *out = NULL;
    enum status status = line_reader_open(&in, path, err);
    if (status == STATUS_OK)
        status = glossary_new(&g, arena, err);
    while (status == STATUS_OK) {
        status = line_reader_next(in, &line, err);
        if (status != STATUS_OK || !line.text)
            break;
        status = add_line(g, &line, err);
        if (status != STATUS_OK)
            error_while(err, "%s: line %ld: ", path, line.number);
    }
    line_reader_close(in);
    if (status == STATUS_OK)
        status = glossary_ready(g, err);
    if (status == STATUS_OK)
        *out = g;
    return status;
}

/* ---- looking up ---- */

static const struct entry *first_of(const struct glossary *g, enum glossary_side side,
                                    const struct key *key)
{
    const struct entry *list = g->entries[side];
    int low = 0, high = g->count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (compare_bytes(list[middle].key, list[middle].key_len, key->bytes, key->len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->count &&
                   compare_bytes(list[low].key, list[low].key_len, key->bytes, key->len) == 0
               ? &list[low]
               : NULL;
}

/* The same words, however they are spaced. */
static bool is_written_so(const char *text, size_t len, const struct glossary_term *term)
{
    size_t a = 0, b = 0;
    int a_bytes, b_bytes;
    while (a < len && b < term->len) {
        const int32_t x = character_at(text, len, a, &a_bytes);
        const int32_t y = character_at(term->term, term->len, b, &b_bytes);
        if (character_is_space(x) && character_is_space(y)) {
            while (a < len && character_is_space(character_at(text, len, a, &a_bytes)))
                a += (size_t)a_bytes;
            while (b < term->len &&
                   character_is_space(character_at(term->term, term->len, b, &b_bytes)))
                b += (size_t)b_bytes;
            continue;
        }
        if (x != y)
            return false;
        a += (size_t)a_bytes;
        b += (size_t)b_bytes;
    }
    return true; // their keys are the same
}

static bool choose(const struct glossary *g, enum glossary_side side, const struct key *key,
                   const char *text, size_t len, struct glossary_term *found)
{
    const struct entry *end = g->entries[side] + g->count;
    for (const struct entry *e = first_of(g, side, key);
         e && e < end && compare_bytes(e->key, e->key_len, key->bytes, key->len) == 0; e++)
        if (!e->has_capitals || is_written_so(text, len, &e->term)) {
            *found = e->term;
            return true;
        }
    return false;
}

static bool is_inside_word(const char *text, size_t len, size_t at)
{
    size_t from = at;
    int bytes;
    if (at == 0 || at == len || !is_of_word(character_at(text, len, at, &bytes)))
        return false;
    do
        from--;
    while (from > 0 && ((unsigned char)text[from] & 0xC0) == 0x80);
    return is_of_word(character_at(text, len, from, &bytes));
}

size_t glossary_at(const struct glossary *g, enum glossary_side side, const char *text, size_t len,
                   size_t at, struct glossary_term *found)
{
    struct key key = { .len = 0 };
    size_t longest = 0, end = at;
    int words = 1, bytes;
    if (g->count == 0 || is_inside_word(text, len, at))
        return 0;
    while (end < len && text[end] != '\n') {
        const int32_t c = character_at(text, len, end, &bytes);
        const bool is_space = character_is_space(c);
        const bool after_space = key.len > 0 && key.bytes[key.len - 1] == ' ';
        if (is_space && (after_space || key.len == 0)) {
            if (key.len == 0)
                return 0;
        } else if (!add_to_key(&key, is_space ? ' ' : c)) {
            break;
        }
        end += (size_t)bytes;
        words += is_space && !after_space;
        if (words > GLOSSARY_WORDS_MAX)
            break;
        if (!is_space && !is_inside_word(text, len, end) &&
            choose(g, side, &key, text + at, end - at, found))
            longest = end - at;
    }
    return longest;
}
