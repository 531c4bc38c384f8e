/*
 * echo.h - a translator whose answers are known: it says the words of each sentence again, in
 * another order, or with some left out and some said twice.
 *
 *     struct echo echo = { .order = ECHO_REVERSED };
 *     struct engine_answer *answer = echo_document(&echo, &options, text, len, &arena, &err);
 *     echo_release(&echo);
 *
 * Each target word looks at the word it came from; ECHO_WILD makes words and
 * attention of chance. Spans, ids and weights are as the engine gives them.
 * Needs no Check: prints and aborts when something fails.
 */
#ifndef TESTS_SERVER_DOCUMENTS_ECHO_H
#define TESTS_SERVER_DOCUMENTS_ECHO_H

#include "base/rng.h"
#include "server/documents/document.h"
#include "server/engine/answer.h"
#include "server/engine/parts.h"
#include "tests/tiny_model.h"

enum echo_order { ECHO_SAME, ECHO_REVERSED, ECHO_WILD };

struct echo {
    enum echo_order order;
    uint64_t seed;
    struct rng rng;
    struct vocabulary *vocabulary; // made when it is needed
};

#define ECHO_REQUIRE(claim)                                                                        \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim);                            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Pieces [from,to) of the next word of the source. */
static inline int echo_word_end(const struct vocabulary *v, const struct tokens *tokens, int from)
{
    int to = from + 1;
    while (to < tokens->count && strncmp(vocabulary_piece(v, tokens->ids[to])->text, "▁", 3) != 0)
        to++;
    return to;
}

static inline void echo_say(struct hypothesis *h, const struct tokens *tokens, int piece)
{
    h->ids[h->T] = tokens->ids[piece];
    h->log_probs[h->T] = -0.1f;
    h->alignment[h->T * h->S + piece] = 1;
    h->T++;
}

static inline void echo_wild(struct echo *echo, struct hypothesis *h, const struct tokens *tokens)
{
    const int wanted = (int)rng_below(&echo->rng, (uint64_t)(2 * tokens->count) + 1);
    for (int t = 0; t < wanted; t++) {
        const int piece = (int)rng_below(&echo->rng, (uint64_t)tokens->count);
        float total = 0, *row = h->alignment + h->T * h->S;
        for (int s = 0; s < h->S; s++)
            total += row[s] = (float)rng_below(&echo->rng, 5);
        for (int s = 0; s < h->S; s++)
            row[s] = total > 0 ? row[s] / total : s == 0;
        h->ids[h->T] = tokens->ids[piece];
        h->log_probs[h->T++] = -0.5f;
    }
}

/* A last mark of punctuation stays where it is. */
static inline void echo_words(const struct echo *echo, struct hypothesis *h,
                              const struct tokens *tokens)
{
    const struct vocabulary *v = echo->vocabulary;
    const int last = tokens->count - 1;
    const bool has_mark =
        last > 0 && strspn(vocabulary_piece(v, tokens->ids[last])->text, ".!?") > 0;
    const int end = tokens->count - has_mark;
    int words = 0, *starts = calloc((size_t)end + 1, sizeof *starts);
    for (int at = 0; at < end; at = echo_word_end(v, tokens, at))
        starts[words++] = at;
    starts[words] = end;
    for (int w = 0; w < words; w++) {
        const int word = echo->order == ECHO_REVERSED ? words - 1 - w : w;
        for (int piece = starts[word]; piece < starts[word + 1]; piece++)
            echo_say(h, tokens, piece);
    }
    if (has_mark)
        echo_say(h, tokens, last);
    free(starts);
}

static inline void echo_sentence(struct echo *echo, struct engine_sentence *sentence,
                                 struct arena *arena)
{
    const struct tokens *tokens = &sentence->tokens;
    const size_t room = (size_t)(2 * tokens->count + 1);
    struct hypothesis *h = arena_array(arena, struct hypothesis, 1);
    struct detokenised *text = arena_array(arena, struct detokenised, 1);
    ECHO_REQUIRE(h && text);
    *h = (struct hypothesis){ .S = tokens->count + 1, .finished = true };
    h->ids = arena_array(arena, int32_t, room);
    h->log_probs = arena_array(arena, float, room);
    h->alignment = arena_array(arena, float, room *(size_t)h->S);
    ECHO_REQUIRE(h->ids && h->log_probs && h->alignment);
    memset(h->alignment, 0, room * (size_t)h->S * sizeof(float));
    if (echo->order == ECHO_WILD)
        echo_wild(echo, h, tokens);
    else
        echo_words(echo, h, tokens);
    h->log_probs[h->T] = 0;
    h->alignment[h->T * h->S + h->S - 1] = 1;
    ECHO_REQUIRE(tokenizer_decode(echo->vocabulary, h->ids, h->T, arena, text, NULL) == STATUS_OK);
    sentence->translation = (struct translation){ .best = h, .count = 1 };
    sentence->texts = text;
}

/* The engine's part. */
static inline struct engine_answer echo_answer(struct echo *echo, const struct engine_text *text,
                                               struct arena *arena)
{
    const struct engine_limits limits = { .pieces = 512, .text_sentences = 1 << 20 };
    struct parts parts;
    struct engine_answer answer;
    struct error err;
    if (!echo->vocabulary) {
        echo->vocabulary = tiny_vocabulary();
        echo->rng = rng_make(echo->seed, 0);
    }
    tiny_check(parts_of_text(echo->vocabulary, &limits, text->text, text->len, arena, &parts, &err),
               &err);
    for (int i = 0; i < parts.count; i++)
        echo_sentence(echo, &parts.list[i], arena);
    tiny_check(answer_compose(text->text, text->len, parts.list, parts.count, arena, &answer, &err),
               &err);
    return answer;
}

static inline void echo_release(struct echo *echo)
{
    vocabulary_free(echo->vocabulary);
    echo->vocabulary = NULL;
}

/* A whole document; NULL: it was refused, and why. */
static inline struct engine_answer *echo_document(struct echo *echo,
                                                  const struct document_options *options,
                                                  const char *text, size_t len, struct arena *arena,
                                                  struct error *err)
{
    struct document *d = arena_array(arena, struct document, 1);
    struct engine_answer *answer = arena_array(arena, struct engine_answer, 1);
    ECHO_REQUIRE(d && answer);
    if (document_open(d, options, text, len, arena, err) != STATUS_OK)
        return NULL;
    const struct engine_answer found = echo_answer(echo, &d->engine_text, arena);
    if (document_answer(d, echo->vocabulary, &found, arena, answer, err) != STATUS_OK)
        return NULL;
    return answer;
}

#endif
