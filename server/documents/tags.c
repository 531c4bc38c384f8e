/*
 * tags.c - marks to a tree of pairs, pairs to words, words to bytes.
 */
#include "server/documents/tags.h"

#include <stdlib.h>
#include <string.h>

#define NONE (-1)
#define ROOT 0

struct pair {              // or a point, or half a pair
    int open, close;       // marks, or NONE
    struct span plain;     // what it surrounded
    enum range_ends ends;  // where it must reach to
    struct range words;    // of the target
    struct span bytes;     // of the target
    int first, last, next; // children, and what comes behind it
};

struct place { // of a child, to be sorted
    struct span bytes;
    int pair;
};

struct placer {
    const struct document *document;
    struct span plain; // of the sentence
    struct target *target;
    const char *text;   // of the hypothesis
    struct pair *pairs; // (count)
    int count;
    int *open; // (depth) pairs that have begun
    int depth;
    struct place
        *places; // (count) scratch: children of the pair being written and of those it is in
    int place_count;
    struct tags *tags;
};

/* ---- the tree ---- */

static void add_child(struct placer *p, int parent, int child)
{
    struct pair *of = &p->pairs[parent];
    if (of->last == NONE)
        of->first = child;
    else
        p->pairs[of->last].next = child;
    of->last = child;
}

static int new_pair(struct placer *p, int open, int close, struct span plain)
{
    p->pairs[p->count] = (struct pair){
        .open = open, .close = close, .plain = plain, .first = NONE, .last = NONE, .next = NONE
    };
    return p->count++;
}

/* What closes an element of the sentence before has all before it inside. */
static void add_half_close(struct placer *p, int mark)
{
    struct pair *root = &p->pairs[ROOT];
    const int first = root->first, last = root->last;
    const int pair =
        new_pair(p, NONE, mark, (struct span){ p->plain.from, p->document->html.marks[mark].at });
    p->pairs[pair].ends = RANGE_AT_START;
    p->pairs[pair].first = first;
    p->pairs[pair].last = last;
    root->first = root->last = NONE;
    add_child(p, ROOT, pair);
}

static void add_open(struct placer *p, int mark, bool is_half)
{
    const struct mark *marks = p->document->html.marks;
    const uint32_t to = is_half ? p->plain.to : marks[marks[mark].partner].at;
    const int pair = new_pair(p, mark, is_half ? NONE : marks[mark].partner,
                              (struct span){ marks[mark].at, to });
    if (is_half)
        p->pairs[pair].ends = RANGE_AT_END;
    add_child(p, p->open[p->depth - 1], pair);
    p->open[p->depth++] = pair;
}

static void add_point(struct placer *p, int mark)
{
    const uint32_t at = p->document->html.marks[mark].at;
    add_child(p, p->open[p->depth - 1], new_pair(p, mark, NONE, (struct span){ at, at }));
}

/* The partner of a mark is in the sentence, in another one, or nowhere. */
static int partner_of(const struct placer *p, const struct mark *mark, struct range range)
{
    const struct mark *marks = p->document->html.marks;
    if (mark->kind == MARK_POINT || mark->partner == MARK_ALONE)
        return MARK_ALONE;
    if (mark->partner == MARK_ELSEWHERE || mark->partner < range.from || mark->partner >= range.to)
        return MARK_ELSEWHERE;
    return marks[mark->partner].kind == MARK_HELD ? MARK_ALONE : mark->partner;
}

static void build(struct placer *p, struct range range)
{
    const struct mark *marks = p->document->html.marks;
    p->open[p->depth++] = new_pair(p, NONE, NONE, p->plain);
    for (int i = range.from; i < range.to; i++) {
        if (marks[i].kind == MARK_HELD)
            continue;
        const int partner = partner_of(p, &marks[i], range);
        const int top = p->open[p->depth - 1];
        if (marks[i].kind == MARK_OPEN && partner != MARK_ALONE)
            add_open(p, i, partner == MARK_ELSEWHERE);
        else if (partner >= 0 && p->pairs[top].close == i)
            p->depth--;
        else if (partner == MARK_ELSEWHERE && top == ROOT)
            add_half_close(p, i);
        else
            add_point(p, i);
    }
}

/* ---- pairs to words ---- */

static bool is_same_word(const struct placer *p, struct span plain, struct span bytes)
{
    return plain.to - plain.from == bytes.to - bytes.from &&
           memcmp(p->document->plain + plain.from, p->text + bytes.from, plain.to - plain.from) ==
               0;
}

/* A pair or a point inside a word that is the same in both languages stays where it is in it. */
static bool place_inside_word(struct placer *p, struct pair *pair, struct range within)
{
    const struct range source = target_source_words(p->target, pair->plain);
    if (source.to - source.from != 1 || within.from == within.to || pair->ends != RANGE_FREE)
        return false;
    const struct span word = p->target->source[source.from];
    if (pair->plain.from <= word.from && pair->plain.to >= word.to)
        return false;
    const int t = target_most_at(p->target, source.from, within);
    const struct span bytes = p->target->words[t].span;
    if (p->target->words[t].is_replaced || !is_same_word(p, word, bytes))
        return false;
    const uint32_t from = pair->plain.from > word.from ? pair->plain.from : word.from;
    const uint32_t to = pair->plain.to < word.to ? pair->plain.to : word.to;
    pair->words = (struct range){ t, t };
    pair->bytes = (struct span){ bytes.from + (from - word.from), bytes.from + (to - word.from) };
    return true;
}

/* In bytes that are the same as those of the parent, or none. */
static uint32_t place_in(struct span bytes, struct span parent, uint32_t at)
{
    const uint32_t offset = at > parent.from ? at - parent.from : 0;
    return offset < bytes.to - bytes.from ? bytes.from + offset : bytes.to;
}

static void place_pair(struct placer *p, struct pair *pair, struct range within, struct span bytes,
                       int parent)
{
    const bool is_point = pair->plain.from == pair->plain.to && pair->ends == RANGE_FREE;
    const struct range source = target_source_words(p->target, pair->plain);
    pair->words = (struct range){ within.from, within.from };
    if (within.from == within.to) {
        pair->bytes.from = place_in(bytes, p->pairs[parent].plain, pair->plain.from);
        pair->bytes.to = place_in(bytes, p->pairs[parent].plain, pair->plain.to);
        return;
    }
    if (place_inside_word(p, pair, within))
        return;
    if (!is_point)
        pair->words = target_looking_at(p->target, source, within, pair->ends, parent);
    if (pair->words.from < pair->words.to) {
        pair->bytes = target_bytes(p->target, pair->words);
        for (int t = pair->words.from; t < pair->words.to; t++)
            p->target->words[t].taken_by = parent;
    } else if (pair->ends == RANGE_FREE) {
        const uint32_t at = target_place(p->target, pair->plain.from, within);
        pair->bytes = (struct span){ at, at };
    } else {
        const uint32_t at = pair->ends == RANGE_AT_START ? bytes.from : bytes.to;
        pair->bytes = (struct span){ at, at };
    }
}

/* Children first, so that none takes another's words; then what is in each. */
static void place_children(struct placer *p, int parent)
{
    const struct range within = p->pairs[parent].words;
    const struct span bytes = p->pairs[parent].bytes;
    for (int i = p->pairs[parent].first; i != NONE; i = p->pairs[i].next)
        place_pair(p, &p->pairs[i], within, bytes, parent);
    for (int i = p->pairs[parent].first; i != NONE; i = p->pairs[i].next)
        if (p->pairs[i].first != NONE)
            place_children(p, i);
}

/* ---- words to bytes ---- */

/* In order, whatever happens: so that none is lost and pairs stay within pairs. */
static void add_tag(struct placer *p, uint32_t at, int mark)
{
    struct tags *tags = p->tags;
    if (mark == NONE)
        return;
    if (tags->count > 0 && at < tags->list[tags->count - 1].at)
        at = tags->list[tags->count - 1].at;
    tags->list[tags->count++] = (struct tag){ .at = at, .mark = mark };
}

/* What is empty comes before what begins there. */
static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->bytes.from != b->bytes.from)
        return a->bytes.from < b->bytes.from ? -1 : 1;
    const bool a_is_empty = a->bytes.to == a->bytes.from, b_is_empty = b->bytes.to == b->bytes.from;
    if (a_is_empty != b_is_empty)
        return a_is_empty ? -1 : 1;
    return (a->pair > b->pair) - (a->pair < b->pair);
}

static void write_pair(struct placer *p, int number)
{
    const struct pair *pair = &p->pairs[number];
    struct place *places = p->places + p->place_count;
    int count = 0;
    add_tag(p, pair->bytes.from, pair->open);
    for (int i = pair->first; i != NONE; i = p->pairs[i].next)
        places[count++] = (struct place){ .bytes = p->pairs[i].bytes, .pair = i };
    if (count > 1)
        qsort(places, (size_t)count, sizeof *places, compare_places);
    p->place_count += count;
    for (int i = 0; i < count; i++)
        write_pair(p, places[i].pair);
    p->place_count -= count;
    add_tag(p, pair->bytes.to, pair->close);
}

bool tags_place(struct tags *tags, const struct document *document, struct range marks,
                struct span plain, struct target *target, const char *text, struct arena *arena)
{
    const int count = marks.to - marks.from;
    struct placer p = { .document = document,
                        .plain = plain,
                        .target = target,
                        .text = text,
                        .pairs = arena_array(arena, struct pair, count + 1),
                        .open = arena_array(arena, int, count + 1),
                        .places = arena_array(arena, struct place, count + 1),
                        .tags = tags };
    *tags = (struct tags){ .list = arena_array(arena, struct tag, count + 1) };
    if (!p.pairs || !p.open || !p.places || !tags->list)
        return false;
    build(&p, marks);
    p.pairs[ROOT].words = (struct range){ 0, target->T };
    p.pairs[ROOT].bytes = (struct span){ 0, target->len };
    place_children(&p, ROOT);
    write_pair(&p, ROOT);
    return true;
}
