/*
 * shortlist.c - rows of pieces: out of a file, into one, and together as a sentence's list.
 */
#include "model/shortlist.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

#define OFFSETS "shortlist.offsets"
#define PIECES "shortlist.pieces"
#define MARK_BITS 64
#define LAST_NEVER_WRITTEN 2 // <pad> <unk> <s>

struct shortlist *shortlist_new(int vocabulary, int64_t pieces_max)
{
    struct shortlist *s = memory_zeroed(1, sizeof *s);
    if (!s)
        return NULL;
    s->vocabulary = vocabulary;
    s->offsets = memory_zeroed((size_t)vocabulary + 1, sizeof *s->offsets);
    s->pieces = memory_zeroed((size_t)pieces_max, sizeof *s->pieces);
    if (s->offsets && s->pieces)
        return s;
    shortlist_free(s);
    return NULL;
}

void shortlist_free(struct shortlist *shortlist)
{
    if (!shortlist)
        return;
    memory_free(shortlist->offsets);
    memory_free(shortlist->pieces);
    memory_free(shortlist);
}

/* ---- the file ---- */

bool shortlist_owns(const char *tensor)
{
    return strcmp(tensor, OFFSETS) == 0 || strcmp(tensor, PIECES) == 0;
}

static enum status check_offsets(const struct shortlist *s, int count, struct error *err)
{
    const int32_t *offsets = s->offsets;
    bool fit = offsets[0] == 0 && offsets[s->vocabulary] == count;
    for (int i = 0; i < s->vocabulary; i++) {
        const int64_t len = (int64_t)offsets[i + 1] - offsets[i];
        fit = fit && len >= 0 && len <= SHORTLIST_ROW_MAX;
    }
    return fit ? STATUS_OK
               : error_set(err, STATUS_BAD_FILE,
                           "the tensor " OFFSETS " does not cut " PIECES
                           " into rows: learn the shortlist again");
}

static enum status check_pieces(const struct shortlist *s, struct error *err)
{
    const int32_t count = s->offsets[s->vocabulary];
    for (int32_t i = 0; i < count; i++)
        if (s->pieces[i] <= LAST_NEVER_WRITTEN || s->pieces[i] >= s->vocabulary)
            return error_set(err, STATUS_BAD_FILE,
                             "the tensor " PIECES " has %d, which is no piece that can be "
                             "written: learn the shortlist again",
                             (int)s->pieces[i]);
    for (int32_t i = s->offsets[SHORTLIST_ALWAYS]; i < s->offsets[SHORTLIST_ALWAYS + 1]; i++)
        if (s->pieces[i] == SHORTLIST_ALWAYS)
            return STATUS_OK;
    return error_set(err, STATUS_BAD_FILE,
                     "the shortlist has no </s> among what it always allows: learn it again");
}

enum status shortlist_read(struct shortlist **out, const struct tensor_file *file, int vocabulary,
                           struct error *err)
{
    struct tensor_info offsets, pieces;
    const bool has_offsets = tensor_file_find(file, OFFSETS, &offsets);
    *out = NULL;
    if (tensor_file_find(file, PIECES, &pieces) != has_offsets)
        return error_set(err, STATUS_BAD_FILE,
                         "a shortlist needs both " OFFSETS " and " PIECES ": learn it again");
    if (!has_offsets)
        return STATUS_OK;
    struct shortlist *s = shortlist_new(vocabulary, pieces.rows);
    if (!s)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the shortlist");
    enum status status = tensor_file_integers(file, OFFSETS, vocabulary + 1, s->offsets, err);
    if (status == STATUS_OK)
        status = tensor_file_integers(file, PIECES, pieces.rows, s->pieces, err);
    if (status == STATUS_OK)
        status = check_offsets(s, pieces.rows, err);
    if (status == STATUS_OK)
        status = check_pieces(s, err);
    if (status != STATUS_OK) {
        shortlist_free(s);
        return status;
    }
    *out = s;
    return STATUS_OK;
}

enum status shortlist_write(const struct shortlist *shortlist, struct tensor_writer *w,
                            struct error *err)
{
    const int V = shortlist->vocabulary;
    enum status status =
        tensor_writer_bytes(w, OFFSETS, V + 1, 1, DTYPE_I32, shortlist->offsets, err);
    if (status == STATUS_OK)
        status = tensor_writer_bytes(w, PIECES, shortlist->offsets[V], 1, DTYPE_I32,
                                     shortlist->pieces, err);
    return status;
}

/* ---- a sentence's list ---- */

static void mark(uint64_t *marks, int32_t piece)
{
    marks[piece / MARK_BITS] |= (uint64_t)1 << piece % MARK_BITS;
}

static void mark_row(const struct shortlist *s, int32_t row, int most, uint64_t *marks)
{
    const int32_t *from = s->pieces + s->offsets[row];
    const int32_t len = s->offsets[row + 1] - s->offsets[row];
    for (int i = 0; i < len && i < most; i++)
        mark(marks, from[i]);
}

static bool has(const struct shortlist *s, int32_t row, int32_t piece)
{
    for (int32_t i = s->offsets[row]; i < s->offsets[row + 1]; i++)
        if (s->pieces[i] == piece)
            return true;
    return false;
}

static void mark_all(const struct shortlist *s, const int32_t *ids, int len, int per_piece,
                     uint64_t *marks)
{
    bool together = false;
    mark_row(s, SHORTLIST_ALWAYS, SHORTLIST_WHOLE, marks);
    for (int i = 0; i < len; i++) {
        assert(ids[i] >= 0 && ids[i] < s->vocabulary);
        if (ids[i] <= LAST_NEVER_WRITTEN)
            continue;
        mark(marks, ids[i]);
        mark_row(s, ids[i], per_piece, marks);
        together = together || has(s, SHORTLIST_TOGETHER, ids[i]);
    }
    if (together)
        mark_row(s, SHORTLIST_TOGETHER, SHORTLIST_WHOLE, marks);
}

static int list_marked(const uint64_t *marks, size_t words, int32_t *list)
{
    int count = 0;
    for (size_t w = 0; w < words; w++)
        for (uint64_t left = marks[w]; left != 0; left &= left - 1)
            list[count++] = (int32_t)(w * MARK_BITS) + __builtin_ctzll(left);
    return count;
}

const int32_t *shortlist_choose(const struct shortlist *shortlist, const int32_t *ids, int len,
                                int per_piece, struct arena *arena, int *count)
{
    const size_t words = ((size_t)shortlist->vocabulary + MARK_BITS - 1) / MARK_BITS;
    uint64_t *marks = arena_array(arena, uint64_t, words);
    int marked = 0;
    if (!marks)
        return NULL;
    memset(marks, 0, words * sizeof *marks);
    mark_all(shortlist, ids, len, per_piece, marks);
    for (size_t w = 0; w < words; w++)
        marked += __builtin_popcountll(marks[w]);
    int32_t *list = arena_array(arena, int32_t, marked);
    if (list)
        *count = list_marked(marks, words, list);
    return list;
}
