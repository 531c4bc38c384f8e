/*
 * normalise.c - NFC and NFKC by utf8proc's tables, keeping each character's place.
 *
 *     text  "e" "´" " " " "        bytes 0 | 1 2 | 3 | 4
 *     decomposed, reordered        e [0,1)  ´ [1,3)  space [3,4)  space [4,5)
 *     composed                     é [0,3)           space [3,4)  space [4,5)
 *     spans made monotone, spaces collapsed and trimmed
 *
 * utf8proc's own normaliser would lose the places, and sorts long runs of
 * combining marks in quadratic time.
 */
#include "tokenizer/normalise.h"

#include <assert.h>
#include <string.h>
#include <utf8proc.h>
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

#define DECOMPOSITION_MAX 64  // the longest today has 18 characters
#define FIRST_COMBINING 0x300 // below, nothing reorders and nothing joins what is before it
#define CLASSES 256

static utf8proc_option_t decompose_options(struct vocabulary_options options)
{
    int flags = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
    if (options.form == FORM_NFKC)
        flags |= UTF8PROC_COMPAT;
    if (options.casefold)
        flags |= UTF8PROC_CASEFOLD;
    return (utf8proc_option_t)flags;
}

/* Writes what `c` decomposes to and returns how many: 0 for a control character. */
static int decompose(int32_t c, utf8proc_option_t options, utf8proc_int32_t out[DECOMPOSITION_MAX])
{
    if (character_is_space(c)) {
        out[0] = ' ';
        return 1;
    }
    if (c < 0x80 && !(options & UTF8PROC_CASEFOLD)) {
        out[0] = c;
        return c >= 0x20 && c != 0x7F;
    }
    if (utf8proc_category(c) == UTF8PROC_CATEGORY_CC)
        return 0;
    utf8proc_ssize_t count = utf8proc_decompose_char(c, out, DECOMPOSITION_MAX, options, NULL);
    assert(count >= 0 && count <= DECOMPOSITION_MAX);
    return (int)count;
}

static size_t utf8_bytes(int32_t c)
{
    if (c == ' ')
        return 3; // it will be written as "▁"
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

struct normalised_bound normalise_bound(const char *text, size_t len,
                                        struct vocabulary_options options)
{
    struct normalised_bound bound = { 0, 0 };
    utf8proc_option_t flags = decompose_options(options);
    utf8proc_int32_t parts[DECOMPOSITION_MAX];
    int bytes;
    for (size_t at = 0; at < len; at += (size_t)bytes) {
        int count = decompose(utf8_next(text + at, len - at, &bytes), flags, parts);
        for (int i = 0; i < count; i++)
            bound.bytes += utf8_bytes(parts[i]);
        bound.characters += (size_t)count;
    }
    return bound;
}

static int combining_class(int32_t c)
{
    return c < FIRST_COMBINING ? 0 : utf8proc_get_property(c)->combining_class;
}

/* Sorts a run of marks by class, equal ones in their order. */
static bool sort_marks(struct character *run, size_t count, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct character *sorted = arena_array(scratch, struct character, count);
    size_t start[CLASSES + 1] = { 0 };
    if (!sorted)
        return false;
    for (size_t i = 0; i < count; i++)
        start[combining_class(run[i].c) + 1]++;
    for (int i = 0; i < CLASSES; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < count; i++)
        sorted[start[combining_class(run[i].c)]++] = run[i];
    memcpy(run, sorted, count * sizeof *run);
    arena_rewind(scratch, mark);
    return true;
}

/* Canonical order: within each run of marks the classes ascend. */
static bool reorder(struct character *chars, size_t count, struct arena *scratch)
{
    for (size_t i = 0; i < count;) {
        size_t first = i;
        int before = 0;
        bool sorted = true;
        for (; i < count; i++) {
            int class = combining_class(chars[i].c);
            if (class == 0)
                break;
            sorted = sorted && class >= before;
            before = class;
        }
        if (!sorted && !sort_marks(chars + first, i - first, scratch))
            return false;
        if (i == first)
            i++;
    }
    return true;
}

/* Whether c can be the second of a pair that composes: marks, the vowels and finals of Hangul,
 * and in Unicode 16 the vowel signs of Kirat Rai, which are letters. */
static bool may_join(int32_t c)
{
    if (c < FIRST_COMBINING)
        return false;
    if ((c >= 0x1160 && c <= 0x11FF) || (c >= 0x16D40 && c <= 0x16D7F))
        return true;
    utf8proc_category_t category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC;
}

/* The one character that a and b compose to, or -1. */
static int32_t composition(int32_t a, int32_t b)
{
    utf8proc_int32_t pair[3] = { a, b, 0 };
    utf8proc_ssize_t count =
        utf8proc_normalize_utf32(pair, 2, (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    return count == 1 ? pair[0] : -1;
}

/* Canonical composition in place; returns the new count. A character joins the last starter
 * unless something between them has its own class or a higher one. */
static size_t compose(struct character *chars, size_t count)
{
    struct character *starter = NULL;
    int class_between = -1; // of the last character behind the starter; -1: none
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct character this = chars[i];
        int class = combining_class(this.c);
        if (starter && class_between < class && may_join(this.c)) {
            int32_t joined = composition(starter->c, this.c);
            if (joined >= 0) {
                starter->c = joined;
                starter->from = this.from < starter->from ? this.from : starter->from;
                starter->to = this.to > starter->to ? this.to : starter->to;
                continue;
            }
        }
        chars[kept] = this;
        class_between = class;
        if (class == 0) {
            starter = &chars[kept];
            class_between = -1;
        }
        kept++;
    }
    return kept;
}

/* Marks that changed places would make spans jump back: widen them until none does. */
static void make_monotone(struct character *chars, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (chars[i].to < chars[i - 1].to)
            chars[i].to = chars[i - 1].to;
    for (size_t i = count; i-- > 1;)
        if (chars[i - 1].from > chars[i].from)
            chars[i - 1].from = chars[i].from;
}

static size_t collapse_spaces(struct character *chars, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (chars[i].c != ' ')
            chars[kept++] = chars[i];
        else if (kept && chars[kept - 1].c == ' ')
            chars[kept - 1].to = chars[i].to;
        else if (kept)
            chars[kept++] = chars[i];
    }
    return kept && chars[kept - 1].c == ' ' ? kept - 1 : kept;
}

bool normalise(const char *text, size_t len, struct vocabulary_options options,
               struct character *chars, struct arena *scratch, size_t *count)
{
    utf8proc_option_t flags = decompose_options(options);
    utf8proc_int32_t parts[DECOMPOSITION_MAX];
    bool has_combining = false;
    size_t made = 0;
    int bytes;
    for (size_t at = 0; at < len; at += (size_t)bytes) {
        int part_count = decompose(utf8_next(text + at, len - at, &bytes), flags, parts);
        for (int i = 0; i < part_count; i++) {
            chars[made++] =
                (struct character){ parts[i], (uint32_t)at, (uint32_t)(at + (size_t)bytes) };
            has_combining = has_combining || parts[i] >= FIRST_COMBINING;
        }
    }
    if (has_combining) {
        if (!reorder(chars, made, scratch))
            return false;
        made = compose(chars, made);
        make_monotone(chars, made);
    }
    *count = collapse_spaces(chars, made);
    return true;
}
