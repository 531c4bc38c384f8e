/*
 * pieces.h - a small vocabulary out of a list of texts: the control and byte
 * pieces, then the texts as normal pieces with scores -0, -1, -2, ...
 */
#ifndef TESTS_TOKENIZER_PIECES_H
#define TESTS_TOKENIZER_PIECES_H

#include <stdio.h>
#include <string.h>
#include "tokenizer/vocabulary.h"

#define FIXED_PIECES 260

/* pieces has room for FIXED_PIECES + count; returns that. The texts are borrowed. */
static inline int make_pieces(struct piece *pieces, const char *const *texts, int count)
{
    static const char *const control[] = { "<pad>", "<unk>", "<s>", "</s>" };
    static char names[256][8];
    memset(pieces, 0, sizeof *pieces * (size_t)(FIXED_PIECES + count));
    for (int i = 0; i < 4; i++) {
        pieces[i].text = control[i];
        pieces[i].kind = i == ID_UNK ? PIECE_UNKNOWN : PIECE_CONTROL;
    }
    for (int i = 0; i < 256; i++) {
        snprintf(names[i], sizeof names[i], "<0x%02X>", (unsigned)i);
        pieces[4 + i].text = names[i];
        pieces[4 + i].kind = PIECE_BYTE;
        pieces[4 + i].byte = (uint8_t)i;
    }
    for (int i = 0; i < count; i++) {
        pieces[FIXED_PIECES + i].text = texts[i];
        pieces[FIXED_PIECES + i].score = (float)-i;
    }
    for (int i = 0; i < FIXED_PIECES + count; i++)
        pieces[i].len = (int)strlen(pieces[i].text);
    return FIXED_PIECES + count;
}

#endif
