/*
 * tokenizer.h - text to piece ids, with the bytes each piece came from, and back.
 *
 *     struct tokens tokens;
 *     status = tokenizer_encode(vocabulary, text, len, &arena, &tokens, &err);
 *     ... tokens.ids[i] stands for bytes [spans[i].from, spans[i].to) of text
 *     struct detokenised out;
 *     status = tokenizer_decode(vocabulary, ids, count, &arena, &out, &err);
 *
 * Encoding: strict UTF-8 check, normalisation (NFC or NFKC, optional case
 * folding), control characters dropped, white space collapsed and trimmed,
 * spaces written as "▁" and one put in front; then byte-fallback BPE: starting
 * from characters, the adjacent pair whose concatenation is the piece with the
 * highest score is merged, again and again, leftmost first among equals; a
 * character that is no piece becomes its bytes. There is no unknown word. A "▁"
 * in the text itself becomes bytes too, and so comes back as what it was.
 *
 * Functions are pure: any number of threads may share a vocabulary. Results
 * live in the arena; scratch is rewound. Time is n log n in the text's length.
 */
#ifndef TOKENIZER_TOKENIZER_H
#define TOKENIZER_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "tokenizer/vocabulary.h"

#define TOKENIZER_TEXT_BYTES_MAX (64 << 20) // of one text; STATUS_TOO_LARGE above

struct span {
    uint32_t from, to; // bytes [from,to)
};

struct tokens {
    int32_t *ids;       // (count) no <s>, no </s>
    struct span *spans; // (count) in the original text; monotone, may be empty for the "▁"
                        // put in front; pieces of one split character share its span
    int count;
};

/* STATUS_BAD_INPUT names the byte offset of invalid UTF-8; STATUS_NO_MEMORY: arena full. */
MUST_CHECK enum status tokenizer_encode(const struct vocabulary *v, const char *text, size_t len,
                                        struct arena *arena, struct tokens *out, struct error *err);

struct detokenised {
    char *text; // valid UTF-8, NUL-terminated
    size_t len;
    struct span *spans; // (count) bytes of `text` each id made; control ids make none
};

/* What encoding took from the text: the "▁" in front is left out, others are spaces. Byte pieces
 * that do not add up to valid UTF-8 become U+FFFD, those of a control character nothing. Ids out
 * of range: STATUS_BAD_INPUT. */
MUST_CHECK enum status tokenizer_decode(const struct vocabulary *v, const int32_t *ids, int count,
                                        struct arena *arena, struct detokenised *out,
                                        struct error *err);
#endif
