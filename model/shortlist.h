/*
 * shortlist.h - which target pieces a sentence may use, from its source pieces.
 *
 *     const struct shortlist *shortlist = model_shortlist(model);    // NULL: its file has none
 *     int count;
 *     const int32_t *allowed =
 *         shortlist_choose(shortlist, ids, len, SHORTLIST_WHOLE, &arena, &count);
 *
 * Every piece has a row: the target pieces that go with it as a source piece,
 * the best first. Two rows are not of source pieces. That of </s>, with which
 * every source ends, is what any sentence may use, </s> among it. That of
 * <unk> is a set of which a sentence may use all as soon as it has one: the
 * pieces for bytes. A piece of the source may always be used itself.
 *
 * In a model file: I32 vectors shortlist.offsets (V+1) and shortlist.pieces;
 * row i is pieces[offsets[i]..offsets[i+1]). A shortlist never changes.
 */
#ifndef MODEL_SHORTLIST_H
#define MODEL_SHORTLIST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "model/file.h"

#define SHORTLIST_ROW_MAX 4096
#define SHORTLIST_WHOLE INT_MAX // rows as they are

enum { SHORTLIST_TOGETHER = 1, SHORTLIST_ALWAYS = 3 }; // rows that are not of source pieces

struct shortlist {
    int vocabulary;   // V
    int32_t *offsets; // (V+1) from 0, never falling
    int32_t *pieces;  // (offsets[V])
};

/* Rows empty, with room for so many pieces. NULL: no memory. */
struct shortlist *shortlist_new(int vocabulary, int64_t pieces_max);
void shortlist_free(struct shortlist *shortlist); // NULL is fine

bool shortlist_owns(const char *tensor); // whether a tensor of this name is a shortlist's

/* *out is NULL if the file has none. STATUS_BAD_FILE says what is wrong with it. */
MUST_CHECK enum status shortlist_read(struct shortlist **out, const struct tensor_file *file,
                                      int vocabulary, struct error *err);
/* Borrowed until the writer commits. */
MUST_CHECK enum status shortlist_write(const struct shortlist *shortlist, struct tensor_writer *w,
                                       struct error *err);

/* The pieces, rising, that a source of pieces and </s> may use, with at most the first `per_piece`
 * of each source piece's row. NULL: the arena is full. */
const int32_t *shortlist_choose(const struct shortlist *shortlist, const int32_t *ids, int len,
                                int per_piece, struct arena *arena, int *count);

#endif
