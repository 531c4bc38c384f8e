/*
 * merges.c - pair counts kept up to date merge by merge.
 *
 *     words      7x [▁ b o o k]  3x [▁ b o x]          ids of units, shrinking in place
 *     units      "▁" "b" ... and each text that two neighbours make: count, where it occurs
 *     heap       units by count; an entry is believed only if the count still stands
 *
 * A merge touches only the words that have the pair, and in them only the
 * pairs beside it, so all merges together cost about as much as the corpus'
 * different words have characters.
 */
#include "tokenizer/merges.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "tokenizer/bpe.h"
#include "tokenizer/utf8.h"

#define COUNT_MIN 2 // a pair that occurs once teaches nothing

struct unit {  // a character, a piece, or what a pair of neighbours would make
    size_t at; // of its text in `texts`
    int len;
    int characters;
    bool is_piece;
    bool is_touched;     // its count grew since the heap last heard of it
    int64_t count;       // of neighbours in all words that make this text together
    int32_t occurrences; // newest of a linked list; -1: none
};

struct occurrence {
    int32_t word; // may be out of date: the word is looked at again
    int32_t next;
};

struct word {
    int64_t count;
    size_t at; // of its first id in `ids`
    int len;
};

struct entry {
    int64_t priority;
    int32_t unit;
};

/* A growing array: `items` has room for `capacity`, `count` are in use. */
#define ARRAY_OF(type)                                                                             \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

struct merges {
    ARRAY_OF(char) texts;
    ARRAY_OF(struct unit) units;
    ARRAY_OF(struct occurrence) occurrences;
    ARRAY_OF(struct word) words;
    ARRAY_OF(int32_t) ids;
    ARRAY_OF(struct entry) heap;
    ARRAY_OF(int32_t) touched;
    struct map *by_text; // unit of a text
    int character_count; // the first units
};

/* `items` is the address of a pointer of any type, so it is copied, not dereferenced. */
static bool make_room(void *items, size_t wanted, size_t *capacity, size_t item_bytes)
{
    void *block;
    if (wanted <= *capacity)
        return true;
    wanted = *capacity * 2 > wanted ? *capacity * 2 : wanted + 64;
    if (wanted > INT32_MAX)
        return false; // units and occurrences are counted by int32_t
    memcpy(&block, items, sizeof block);
    block = memory_resize(block, wanted, item_bytes);
    if (!block)
        return false;
    memcpy(items, &block, sizeof block);
    *capacity = wanted;
    return true;
}
#define MAKE_ROOM(array, more)                                                                     \
    make_room(&(array).items, (array).count + (more), &(array).capacity, sizeof *(array).items)

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "no memory to learn pieces: learn from a smaller part of the corpus");
}

/* ---- the heap ---- */

static const char *unit_text(const struct merges *m, int32_t unit)
{
    return m->texts.items + m->units.items[unit].at;
}

static int compare_texts(const struct merges *m, int32_t a, int32_t b)
{
    int len_a = m->units.items[a].len, len_b = m->units.items[b].len;
    int order = memcmp(unit_text(m, a), unit_text(m, b), (size_t)(len_a < len_b ? len_a : len_b));
    return order ? order : len_a - len_b;
}

static bool comes_before(const struct merges *m, const struct entry *a, const struct entry *b)
{
    if (a->priority != b->priority)
        return a->priority > b->priority;
    return compare_texts(m, a->unit, b->unit) < 0;
}

static bool heap_push(struct merges *m, struct entry entry)
{
    if (!MAKE_ROOM(m->heap, 1))
        return false;
    struct entry *items = m->heap.items;
    size_t at = m->heap.count++;
    while (at > 0 && comes_before(m, &entry, &items[(at - 1) / 2])) {
        items[at] = items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    items[at] = entry;
    return true;
}

static struct entry heap_pop(struct merges *m)
{
    struct entry *items = m->heap.items;
    struct entry top = items[0], last = items[--m->heap.count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= m->heap.count)
            break;
        if (child + 1 < m->heap.count && comes_before(m, &items[child + 1], &items[child]))
            child++;
        if (!comes_before(m, &items[child], &last))
            break;
        items[at] = items[child];
        at = child;
    }
    items[at] = last;
    return top;
}

/* What is a piece already goes first, as it does in encoding. */
static int64_t priority(const struct unit *unit)
{
    return unit->is_piece && unit->count > 0 ? INT64_MAX : unit->count;
}

/* ---- units and their counts ---- */

/* The unit of a text, made if it is new; -1: no memory. */
static int32_t find_or_add_unit(struct merges *m, const char *text, int len, int characters)
{
    int64_t *unit = map_insert(m->by_text, text, (size_t)len, -1);
    if (!unit || *unit >= 0)
        return unit ? (int32_t)*unit : -1;
    if (!MAKE_ROOM(m->units, 1) || !MAKE_ROOM(m->texts, (size_t)len))
        return -1;
    memcpy(m->texts.items + m->texts.count, text, (size_t)len);
    m->units.items[m->units.count] = (struct unit){
        .at = m->texts.count,
        .len = len,
        .characters = characters,
        .occurrences = -1,
    };
    m->texts.count += (size_t)len;
    *unit = (int64_t)m->units.count++;
    return (int32_t)*unit;
}

static bool add_occurrence(struct merges *m, int32_t unit, int32_t word)
{
    int32_t newest = m->units.items[unit].occurrences;
    if (newest >= 0 && m->occurrences.items[newest].word == word)
        return true;
    if (!MAKE_ROOM(m->occurrences, 1))
        return false;
    m->occurrences.items[m->occurrences.count] = (struct occurrence){ word, newest };
    m->units.items[unit].occurrences = (int32_t)m->occurrences.count++;
    return true;
}

static bool touch(struct merges *m, int32_t unit)
{
    if (m->units.items[unit].is_touched)
        return true;
    if (!MAKE_ROOM(m->touched, 1))
        return false;
    m->units.items[unit].is_touched = true;
    m->touched.items[m->touched.count++] = unit;
    return true;
}

/* Neighbours a, b came about in (sign 1) or went from (sign -1) a word. False: no memory. */
static bool count_pair(struct merges *m, int32_t a, int32_t b, int32_t word, int sign)
{
    char text[4 * MERGED_CHARACTERS_MAX];
    if (a < 0 || b < 0)
        return true; // a character that is bytes
    const struct unit *left = &m->units.items[a], *right = &m->units.items[b];
    int len = left->len + right->len, characters = left->characters + right->characters;
    if (characters > MERGED_CHARACTERS_MAX)
        return true;
    memcpy(text, unit_text(m, a), (size_t)left->len);
    memcpy(text + left->len, unit_text(m, b), (size_t)right->len);
    int32_t unit = find_or_add_unit(m, text, len, characters);
    if (unit < 0)
        return false;
    m->units.items[unit].count += sign * m->words.items[word].count;
    return sign < 0 || (add_occurrence(m, unit, word) && touch(m, unit));
}

static bool tell_heap(struct merges *m)
{
    for (size_t i = 0; i < m->touched.count; i++) {
        int32_t unit = m->touched.items[i];
        m->units.items[unit].is_touched = false;
        int64_t p = priority(&m->units.items[unit]);
        if (p >= COUNT_MIN && !heap_push(m, (struct entry){ p, unit }))
            return false;
    }
    m->touched.count = 0;
    return true;
}

/* ---- characters ---- */

/* Counts a word's characters in their units. */
static bool count_characters(struct merges *m, const struct map_entry *word)
{
    int bytes;
    for (size_t at = 0; at < word->len; at += (size_t)bytes) {
        utf8_next(word->key + at, word->len - at, &bytes);
        int32_t unit = find_or_add_unit(m, word->key + at, bytes, 1);
        if (unit < 0)
            return false;
        m->units.items[unit].count += word->value;
    }
    return true;
}

struct frequency {
    struct unit unit;
    char text[4];
};

static int by_falling_count(const void *a, const void *b)
{
    const struct frequency *x = a, *y = b;
    if (x->unit.count != y->unit.count)
        return x->unit.count > y->unit.count ? -1 : 1;
    return memcmp(x->text, y->text, 4);
}

static bool is_space_mark(const struct frequency *f)
{
    return f->unit.len == SPACE_MARK_BYTES && !memcmp(f->text, SPACE_MARK_TEXT, SPACE_MARK_BYTES);
}

/* Units anew: the characters that cover enough of the text, the most frequent first. */
static bool keep_frequent(struct merges *m, struct frequency *all, size_t count, double coverage)
{
    double total = 0, covered = 0;
    for (size_t i = 0; i < count; i++)
        total += (double)all[i].unit.count;
    map_free(m->by_text);
    m->by_text = map_new();
    if (!m->by_text)
        return false;
    m->units.count = m->texts.count = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_kept = covered < coverage * total || is_space_mark(&all[i]);
        covered += (double)all[i].unit.count;
        if (is_kept && find_or_add_unit(m, all[i].text, all[i].unit.len, 1) < 0)
            return false;
    }
    m->character_count = (int)m->units.count;
    return true;
}

static bool choose_characters(struct merges *m, const struct map *words, double coverage)
{
    struct map_entry word;
    for (size_t at = 0; map_next(words, &at, &word);)
        if (!count_characters(m, &word))
            return false;
    size_t count = m->units.count;
    struct frequency *all = memory_zeroed(count, sizeof *all);
    if (!all)
        return false;
    for (size_t i = 0; i < count; i++) {
        all[i].unit = m->units.items[i];
        memcpy(all[i].text, unit_text(m, (int32_t)i), (size_t)all[i].unit.len);
    }
    qsort(all, count, sizeof *all, by_falling_count);
    bool ok = keep_frequent(m, all, count, coverage);
    memory_free(all);
    return ok;
}

/* ---- words ---- */

static bool add_word(struct merges *m, const struct map_entry *entry)
{
    int bytes;
    if (!MAKE_ROOM(m->words, 1) || !MAKE_ROOM(m->ids, entry->len))
        return false;
    struct word word = { .count = entry->value, .at = m->ids.count };
    for (size_t at = 0; at < entry->len; at += (size_t)bytes) {
        utf8_next(entry->key + at, entry->len - at, &bytes);
        const int64_t *unit = map_find(m->by_text, entry->key + at, (size_t)bytes);
        m->ids.items[m->ids.count++] = unit ? (int32_t)*unit : -1;
        word.len++;
    }
    m->words.items[m->words.count++] = word;
    return true;
}

static bool add_words(struct merges *m, const struct map *words)
{
    struct map_entry entry;
    for (size_t at = 0; map_next(words, &at, &entry);)
        if (!add_word(m, &entry))
            return false;
    for (size_t w = 0; w < m->words.count; w++) {
        const struct word *word = &m->words.items[w];
        for (int i = 0; i + 1 < word->len; i++) {
            const int32_t *ids = m->ids.items + word->at + i;
            if (!count_pair(m, ids[0], ids[1], (int32_t)w, 1))
                return false;
        }
    }
    return tell_heap(m);
}

enum status merges_new(struct merges **out, const struct map *words, double coverage,
                       struct error *err)
{
    enum status status = STATUS_OK;
    *out = NULL;
    struct merges *m = memory_zeroed(1, sizeof *m);
    if (!m)
        return no_memory(err);
    m->by_text = map_new();
    if (!m->by_text || !choose_characters(m, words, coverage) || !add_words(m, words)) {
        status = no_memory(err);
        goto done;
    }
    *out = m;
    m = NULL; // the caller owns it now
done:
    merges_free(m);
    return status;
}

void merges_free(struct merges *m)
{
    if (!m)
        return;
    map_free(m->by_text);
    memory_free(m->texts.items);
    memory_free(m->units.items);
    memory_free(m->occurrences.items);
    memory_free(m->words.items);
    memory_free(m->ids.items);
    memory_free(m->heap.items);
    memory_free(m->touched.items);
    memory_free(m);
}

static struct merged merged_text(const struct merges *m, int32_t unit)
{
    return (struct merged){ unit_text(m, unit), (size_t)m->units.items[unit].len };
}

int merges_character_count(const struct merges *m)
{
    return m->character_count;
}

struct merged merges_character(const struct merges *m, int index)
{
    return merged_text(m, index);
}

/* ---- merging ---- */

static bool makes(const struct merges *m, int32_t a, int32_t b, int32_t unit)
{
    if (a < 0 || b < 0)
        return false;
    size_t len_a = (size_t)m->units.items[a].len, len_b = (size_t)m->units.items[b].len;
    const char *text = unit_text(m, unit);
    return len_a + len_b == (size_t)m->units.items[unit].len &&
           !memcmp(text, unit_text(m, a), len_a) && !memcmp(text + len_a, unit_text(m, b), len_b);
}

/* Merges the unit's pairs in one word from left to right, and counts what that changes. */
static bool merge_in_word(struct merges *m, int32_t unit, int32_t w)
{
    int32_t *ids = m->ids.items + m->words.items[w].at;
    int len = m->words.items[w].len, kept = 0;
    for (int i = 0; i < len; i++) {
        if (i + 1 == len || !makes(m, ids[i], ids[i + 1], unit)) {
            ids[kept++] = ids[i];
            continue;
        }
        int32_t a = ids[i], b = ids[i + 1];
        int32_t before = kept ? ids[kept - 1] : -1, after = i + 2 < len ? ids[i + 2] : -1;
        if (!count_pair(m, before, a, w, -1) || !count_pair(m, a, b, w, -1) ||
            !count_pair(m, b, after, w, -1) || !count_pair(m, before, unit, w, 1) ||
            !count_pair(m, unit, after, w, 1))
            return false;
        ids[kept++] = unit;
        i++;
    }
    m->words.items[w].len = kept;
    return true;
}

static bool merge(struct merges *m, int32_t unit)
{
    int32_t at = m->units.items[unit].occurrences;
    m->units.items[unit].occurrences = -1;
    while (at >= 0) {
        struct occurrence o = m->occurrences.items[at];
        if (!merge_in_word(m, unit, o.word))
            return false;
        at = o.next;
    }
    return tell_heap(m);
}

/* The unit to merge next, -1: none. Entries with an old count go back with the new one. */
static enum status best_unit(struct merges *m, int32_t *unit, struct error *err)
{
    *unit = -1;
    while (m->heap.count) {
        struct entry entry = heap_pop(m);
        int64_t now = priority(&m->units.items[entry.unit]);
        if (now == entry.priority) {
            *unit = entry.unit;
            break;
        }
        // A count that grew has a newer entry above this one.
        if (now < entry.priority && now >= COUNT_MIN &&
            !heap_push(m, (struct entry){ now, entry.unit }))
            return no_memory(err);
    }
    return STATUS_OK;
}

enum status merges_next(struct merges *m, struct merged *piece, struct error *err)
{
    *piece = (struct merged){ NULL, 0 };
    for (;;) {
        int32_t unit;
        enum status status = best_unit(m, &unit, err);
        if (status != STATUS_OK || unit < 0)
            return status;
        bool is_new = !m->units.items[unit].is_piece;
        m->units.items[unit].is_piece = true;
        if (!merge(m, unit))
            return no_memory(err);
        if (is_new) {
            *piece = merged_text(m, unit);
            return STATUS_OK;
        }
    }
}
