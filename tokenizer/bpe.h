/*
 * bpe.h - characters to pieces: byte-fallback BPE ranked by piece score.
 *
 * The rule: one "▁" is put in front and each space is "▁"; starting from
 * characters, the adjacent pair whose concatenation is the normal piece with
 * the highest score is merged, again and again, leftmost first among equals.
 * A character that is no normal piece becomes its bytes and never merges; so
 * does a "▁" that stood in the text itself, which is how it comes back as what
 * it was. Text such as "<s>" or "<0x41>" is made of characters like any other:
 * control and byte pieces are not normal, so no merge leads to them.
 *
 * A vocabulary without a piece "▁" writes a space as byte 0x20 and puts
 * nothing in front.
 */
#ifndef TOKENIZER_BPE_H
#define TOKENIZER_BPE_H

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "tokenizer/normalise.h"
#include "tokenizer/vocabulary.h"

#define SPACE_MARK 0x2581 // ▁
#define SPACE_MARK_TEXT "\xE2\x96\x81"
#define SPACE_MARK_BYTES 3

struct symbol {             // a run of characters that is one piece, or one character as bytes
    uint32_t at, bytes;     // of the flat text
    int32_t id;             // of the piece; -1: bytes
    int32_t previous, next; // symbols beside it; -1: none
    uint32_t from, to;      // in the original text
};

struct segmentation {
    char *text;             // UTF-8 of all symbols, spaces as "▁"
    struct symbol *symbols; // symbol 0 is the first; follow `next`
    size_t count;           // of symbols before any merge; 0: no text
};

/* Everything lies in the scratch arena. False: it is full. */
MUST_CHECK bool bpe_segment(const struct vocabulary *v, const struct character *chars, size_t count,
                            struct arena *scratch, struct segmentation *out);
#endif
