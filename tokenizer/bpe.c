/*
 * bpe.c - merges by a heap of candidate pairs, so that time is n log n.
 *
 * Symbols are a linked list over one flat text, so a pair's concatenation is a
 * range of it. A merge leaves the candidates of its neighbours in the heap; one
 * is stale when its left symbol is gone or no longer makes the same bytes with
 * what is to its right.
 */
#include "tokenizer/bpe.h"

#include <assert.h>
#include <string.h>
#include "tokenizer/utf8.h"

struct candidate {
    float score;
    int32_t left;   // symbol
    int32_t id;     // piece that the pair makes
    uint32_t bytes; // of the pair together
};

struct heap {
    struct candidate *items;
    size_t count, capacity;
};

static bool comes_before(const struct candidate *a, const struct candidate *b)
{
    if (a->score > b->score || a->score < b->score)
        return a->score > b->score;
    return a->left < b->left;
}

static void heap_push(struct heap *heap, struct candidate item)
{
    assert(heap->count < heap->capacity);
    size_t at = heap->count++;
    while (at > 0 && comes_before(&item, &heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = item;
}

static struct candidate heap_pop(struct heap *heap)
{
    struct candidate top = heap->items[0];
    struct candidate last = heap->items[--heap->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && comes_before(&heap->items[child + 1], &heap->items[child]))
            child++;
        if (!comes_before(&heap->items[child], &last))
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = last;
    return top;
}

/* The id of a normal piece with this text, or -1. */
static int32_t find_normal(const struct vocabulary *v, const char *text, size_t len)
{
    int32_t id = vocabulary_find(v, text, len);
    return id >= 0 && vocabulary_piece(v, id)->kind == PIECE_NORMAL ? id : -1;
}

static void append_symbol(struct segmentation *seg, uint32_t *used, const char *text, int bytes,
                          int32_t id, const struct character *from)
{
    memcpy(seg->text + *used, text, (size_t)bytes);
    seg->symbols[seg->count] = (struct symbol){
        .at = *used,
        .bytes = (uint32_t)bytes,
        .id = id,
        .previous = (int32_t)seg->count - 1,
        .next = (int32_t)seg->count + 1,
        .from = from->from,
        .to = from->to,
    };
    seg->count++;
    *used += (uint32_t)bytes;
}

/* One symbol a character, and the "▁" in front. */
static void start_symbols(const struct vocabulary *v, const struct character *chars, size_t count,
                          struct segmentation *seg)
{
    int32_t space = find_normal(v, SPACE_MARK_TEXT, SPACE_MARK_BYTES);
    struct character front = { ' ', chars[0].from, chars[0].from };
    uint32_t used = 0;
    seg->count = 0;
    if (space >= 0)
        append_symbol(seg, &used, SPACE_MARK_TEXT, SPACE_MARK_BYTES, space, &front);
    for (size_t i = 0; i < count; i++) {
        char utf8[4];
        int bytes = utf8_put(chars[i].c, utf8);
        if (chars[i].c == ' ' && space >= 0)
            append_symbol(seg, &used, SPACE_MARK_TEXT, SPACE_MARK_BYTES, space, &chars[i]);
        else if (chars[i].c == ' ' || chars[i].c == SPACE_MARK)
            append_symbol(seg, &used, utf8, bytes, -1, &chars[i]);
        else
            append_symbol(seg, &used, utf8, bytes, find_normal(v, utf8, (size_t)bytes), &chars[i]);
    }
    seg->symbols[seg->count - 1].next = -1;
}

/* Puts the pair that starts at symbol `left` into the heap if it makes a piece. */
static void consider(const struct vocabulary *v, const struct segmentation *seg, struct heap *heap,
                     int32_t left)
{
    if (left < 0 || seg->symbols[left].id < 0)
        return;
    const struct symbol *a = &seg->symbols[left];
    if (a->next < 0 || seg->symbols[a->next].id < 0)
        return;
    uint32_t bytes = a->bytes + seg->symbols[a->next].bytes;
    int32_t id = find_normal(v, seg->text + a->at, bytes);
    if (id >= 0)
        heap_push(heap, (struct candidate){ vocabulary_piece(v, id)->score, left, id, bytes });
}

static bool is_stale(const struct segmentation *seg, const struct candidate *pair)
{
    const struct symbol *a = &seg->symbols[pair->left];
    return a->bytes == 0 || a->next < 0 || a->bytes + seg->symbols[a->next].bytes != pair->bytes;
}

static void merge(const struct segmentation *seg, const struct candidate *pair)
{
    struct symbol *a = &seg->symbols[pair->left], *b = &seg->symbols[a->next];
    a->bytes = pair->bytes;
    a->id = pair->id;
    a->to = b->to;
    a->next = b->next;
    if (b->next >= 0)
        seg->symbols[b->next].previous = pair->left;
    b->bytes = 0; // gone
}

static void merge_all(const struct vocabulary *v, struct segmentation *seg, struct heap *heap)
{
    for (size_t i = 0; i + 1 < seg->count; i++)
        consider(v, seg, heap, (int32_t)i);
    while (heap->count) {
        struct candidate best = heap_pop(heap);
        if (is_stale(seg, &best))
            continue;
        merge(seg, &best);
        consider(v, seg, heap, seg->symbols[best.left].previous);
        consider(v, seg, heap, best.left);
    }
}

bool bpe_segment(const struct vocabulary *v, const struct character *chars, size_t count,
                 struct arena *scratch, struct segmentation *out)
{
    *out = (struct segmentation){ 0 };
    if (count == 0)
        return true;
    out->text = arena_array(scratch, char, 4 * (count + 1));
    out->symbols = arena_array(scratch, struct symbol, count + 1);
    struct arena_mark mark = arena_mark(scratch);
    // Each merge takes one candidate out and puts at most two in: never more than two a symbol.
    struct heap heap = { .capacity = 2 * (count + 1) };
    heap.items = arena_array(scratch, struct candidate, heap.capacity);
    if (!out->text || !out->symbols || !heap.items)
        return false;
    start_symbols(v, chars, count, out);
    merge_all(v, out, &heap);
    arena_rewind(scratch, mark);
    return true;
}
