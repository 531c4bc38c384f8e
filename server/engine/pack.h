/*
 * pack.h - an answer as compact bytes to be kept, and back.
 *
 *     struct packed_answer packed;
 *     status = answer_pack(vocabulary, text, &answer, &arena, &packed, &err);
 *     ... packed.hypotheses, packed.links: each goes into a row of a table ...
 *     status = answer_unpack(vocabulary, text, len, packed.hypotheses, packed.hypothesis_count,
 *                            &arena, &answer, &err);
 *
 * What comes back is the answer as it was: texts, pieces, spans, scores,
 * log-probabilities, and what word_links says of words and warnings. Only the
 * weights are rounded, to within 1/255, and each row still sums to 1.
 *
 * The bytes, where a number is a varint (7 bits a byte, lowest first; the top
 * bit says that more follow) and a float is four bytes, little-endian:
 *
 *     source      from, length of the sentence in the text; 1 if it is split; n; n pieces;
 *                 n spans, each length * 4 + g: it begins g bytes behind the one before it,
 *                 or, if g is 3, so many as the next number says, (k << 1) ^ (k >> 63)
 *     target      T; T pieces; and where the text is not what they spell (it has markup): its
 *                 length, the text, T spans in it
 *     alignment   T; S; form; float of the log-probability, floats of those of the rows;
 *                 rows * S weights, row by row
 *
 * form is 8 * finished + the bytes of a weight: finished hypotheses have T + 1
 * rows, others T. With 1 byte 255 is a weight of 1, with 2 it is 65535, and the
 * weights are codes, bit behind bit from the lowest of the first byte: for n + 1
 * as many zeros as there are bits behind its first, a one, and those bits, lowest
 * first (Exp-Golomb). With 4 each is a float. It is 1 unless that would change
 * a link or a warning.
 */
#ifndef SERVER_ENGINE_PACK_H
#define SERVER_ENGINE_PACK_H

#include "server/engine/engine.h"

#define LINK_WEIGHT_MIN 0.2f    // of the source word's share of attention; weaker ones are no links
#define LINK_WORD_BYTES_MAX 100 // longer words are in no link
#define LEFT_OUT (-1)           // in place of a target word

struct blob {
    const char *data; // NULL: there is none
    size_t len;
};

struct packed_hypothesis { // in order of sentence, number
    int sentence, number;  // number 0 is the best
    float score;
    struct blob source; // of number 0
    struct blob target;
    struct blob alignment;
};

struct packed_link { // of the best hypothesis
    int sentence;
    int source_number, target_number; // words of the sentence; or LEFT_OUT
    struct blob source, target;       // the words, borrowed from the texts; or empty
    int percent; // weight of the link; of a word that was left out, its coverage
};

struct packed_answer {
    struct packed_hypothesis *hypotheses; // (hypothesis_count)
    int hypothesis_count;
    struct packed_link *links; // (link_count)
    int link_count;
};

/* `text` is what was translated. STATUS_NO_MEMORY: the arena is full. */
MUST_CHECK enum status answer_pack(const struct vocabulary *vocabulary, const char *text,
                                   const struct engine_answer *answer, struct arena *arena,
                                   struct packed_answer *out, struct error *err);

/* STATUS_BAD_FILE: these are not the bytes of an answer to this text with this vocabulary. */
MUST_CHECK enum status answer_unpack(const struct vocabulary *vocabulary, const char *text,
                                     size_t len, const struct packed_hypothesis *hypotheses,
                                     int count, struct arena *arena, struct engine_answer *out,
                                     struct error *err);

#endif
