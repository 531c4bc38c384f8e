/*
 * vocabulary.h - the pieces a model knows, their ids and their scores.
 *
 *     struct vocabulary *v;
 *     if (vocabulary_load_tsv(&v, "en-fr.vocab.tsv", &err) != STATUS_OK) ...
 *     int32_t id = vocabulary_find(v, "▁the", 6);       // -1: no such piece
 *     const struct piece *piece = vocabulary_piece(v, id);
 *     vocabulary_free(v);
 *
 * Ids 0..3 are <pad> <unk> <s> </s>; then the 256 byte pieces <0x00>..<0xFF>,
 * then normal pieces. A vocabulary never changes after it was made: share it
 * between threads.
 */
#ifndef TOKENIZER_VOCABULARY_H
#define TOKENIZER_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/status.h"

enum { ID_PAD = 0, ID_UNK = 1, ID_BOS = 2, ID_EOS = 3 };
#define VOCABULARY_PIECES_MAX 1000000
#define PIECE_BYTES_MAX 256

enum piece_kind { PIECE_NORMAL, PIECE_BYTE, PIECE_CONTROL, PIECE_UNKNOWN };

enum text_form { // how text is normalised before it is cut into pieces
    FORM_NFC,
    FORM_NFKC,
};

struct vocabulary_options { // part of the vocabulary: text must always be treated the same way
    enum text_form form;
    bool casefold;
};

struct piece {
    const char *text; // UTF-8, NUL-terminated, "▁" for a space; byte pieces are "<0x41>"
    int len;          // bytes of text
    float score;      // the pair with the highest score is merged first
    enum piece_kind kind;
    uint8_t byte; // of a PIECE_BYTE
};

struct vocabulary;

/* Copies `count` pieces, ids in their order. STATUS_BAD_INPUT names the piece that is wrong:
 * the first four must be the control pieces above, all 256 bytes present once, texts unique,
 * valid UTF-8 and at most PIECE_BYTES_MAX, scores finite. */
MUST_CHECK enum status vocabulary_new(struct vocabulary **out, const struct piece *pieces,
                                      int count, struct vocabulary_options options,
                                      struct error *err);
void vocabulary_free(struct vocabulary *v); // NULL is fine

int vocabulary_size(const struct vocabulary *v);
struct vocabulary_options vocabulary_options(const struct vocabulary *v);
const struct piece *vocabulary_piece(const struct vocabulary *v, int32_t id); // id in range
int32_t vocabulary_find(const struct vocabulary *v, const char *text, size_t len);
int32_t vocabulary_byte(const struct vocabulary *v, uint8_t byte);

/* The file format: lines "id<TAB>piece<TAB>score<TAB>kind", kind one of normal byte control
 * unknown. The reader also takes a first line "#verso-vocabulary<TAB>nfkc<TAB>casefold|cased",
 * which the writer writes; without it: NFKC, cased. */
MUST_CHECK enum status vocabulary_load_tsv(struct vocabulary **out, const char *path,
                                           struct error *err);
MUST_CHECK enum status vocabulary_save_tsv(const struct vocabulary *v, const char *path,
                                           struct error *err);
/* The same text from and to memory: it is what a model file's metadata holds. */
MUST_CHECK enum status vocabulary_parse_tsv(struct vocabulary **out, const char *text, size_t len,
                                            struct error *err);
MUST_CHECK enum status vocabulary_write_tsv(const struct vocabulary *v, struct bytes *out,
                                            struct error *err);
#endif
