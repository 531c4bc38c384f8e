/*
 * embed.c - "verso embed nearest" and "verso embed analogy": what word vectors say is near.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "server/cmd/commands.h"
#include "server/engine/word_vectors.h"
#include "tokenizer/normalise.h"
#include "tokenizer/utf8.h"

#define TOP_MAX 1000
#define NAME_BYTES_MAX 64               // longer words are not suggested
#define SCRATCH_BYTES ((size_t)1 << 20) // to normalise a word
#define JSON_BYTES_MAX ((size_t)16 << 20)

struct question {
    struct word_vectors *vectors;
    const char *path;
    int32_t words[3]; // asked for, and no answer
    int word_count;
    struct neighbour near[TOP_MAX];
    int near_count;
};

/* ---- finding a word ---- */

/* The word as the corpus was normalised; -1: not there. */
static int32_t find_normalised(const struct word_vectors *v, const char *word, bool casefold)
{
    const struct vocabulary_options form = { FORM_NFKC, casefold };
    const size_t len = strlen(word);
    char text[WORD_VECTORS_WORD_BYTES_MAX + 4];
    struct arena scratch;
    size_t count = 0, used = 0;
    int32_t found = -1;
    if (len > WORD_VECTORS_WORD_BYTES_MAX || utf8_check(word, len, NULL) != STATUS_OK ||
        !arena_init(&scratch, SCRATCH_BYTES))
        return -1;
    const struct normalised_bound bound = normalise_bound(word, len, form);
    struct character *chars = arena_array(&scratch, struct character, bound.characters);
    if (chars && normalise(word, len, form, chars, &scratch, &count)) {
        for (size_t i = 0; i < count && used <= WORD_VECTORS_WORD_BYTES_MAX; i++)
            used += (size_t)utf8_put(chars[i].c, text + used);
        found = word_vectors_find(v, text, used);
    }
    arena_release(&scratch);
    return found;
}

static const char *similar_word(const struct word_vectors *v, const char *word)
{
    const int32_t folded = find_normalised(v, word, true);
    if (folded >= 0)
        return word_vectors_word(v, folded);
    const char **names = memory_alloc((size_t)word_vectors_count(v), sizeof *names);
    int count = 0;
    for (int i = 0; names && i < word_vectors_count(v); i++)
        if (strlen(word_vectors_word(v, i)) <= NAME_BYTES_MAX)
            names[count++] = word_vectors_word(v, i);
    const char *nearest = names ? nearest_name(word, names, count) : NULL;
    memory_free(names);
    return nearest;
}

static enum status find_word(struct question *q, const char *word, struct error *err)
{
    int32_t found = word_vectors_find(q->vectors, word, strlen(word));
    if (found < 0)
        found = find_normalised(q->vectors, word, false);
    if (found >= 0) {
        q->words[q->word_count++] = found;
        return STATUS_OK;
    }
    const char *similar = similar_word(q->vectors, word);
    if (similar)
        return error_set(err, STATUS_NOT_FOUND, "%s has no word \"%s\"; did you mean \"%s\"?",
                         q->path, word, similar);
    return error_set(
        err, STATUS_NOT_FOUND,
        "%s has no word \"%s\": it is not in the corpus, or rarer than the --min-count "
        "it was trained with",
        q->path, word);
}

/* ---- questions ---- */

/* query += factor * v / |v| */
static void add_direction(const struct word_vectors *v, int32_t word, double factor, float *query)
{
    const double norm = word_vectors_norm(v, word);
    const float *row = word_vectors_row(v, word);
    for (int i = 0; i < word_vectors_size(v) && norm > 0; i++)
        query[i] += (float)(factor * (double)row[i] / norm);
}

/* What points most as the sum of the words' directions, each with its factor. */
static void ask(struct question *q, const double *factors, int top)
{
    float query[WORD_VECTORS_SIZE_MAX] = { 0 };
    for (int i = 0; i < q->word_count; i++)
        add_direction(q->vectors, q->words[i], factors[i], query);
    q->near_count = word_vectors_nearest(q->vectors, query, q->words, q->word_count, q->near, top);
}

static void print_lines(const struct question *q)
{
    for (int i = 0; i < q->near_count; i++)
        printf("%.4f  %s\n", q->near[i].cosine, word_vectors_word(q->vectors, q->near[i].word));
}

/* {"words":["king"],"nearest":[{"word":"queen","cosine":0.71},...]} */
static enum status print_json(const struct question *q, struct error *err)
{
    struct bytes text;
    json_t *words = json_array(), *nearest = json_array();
    for (int i = 0; i < q->word_count; i++)
        json_array_append_new(words, json_string(word_vectors_word(q->vectors, q->words[i])));
    for (int i = 0; i < q->near_count; i++)
        json_array_append_new(nearest, json_pack("{s:s, s:o}", "word",
                                                 word_vectors_word(q->vectors, q->near[i].word),
                                                 "cosine", json_rounded(q->near[i].cosine, 6)));
    json_t *all = json_pack("{s:o, s:o}", "words", words, "nearest", nearest);
    bytes_init(&text, JSON_BYTES_MAX);
    const bool ok =
        all && json_array_size(nearest) == (size_t)q->near_count && json_write(&text, all);
    if (ok)
        printf("%s\n", text.data);
    json_decref(all);
    bytes_release(&text);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for the answer");
}

/* `factors`: of each word asked for. */
static enum status answer(struct question *q, const struct options *o, const double *factors,
                          struct error *err)
{
    q->path = options_operand(o, 0);
    enum status status = word_vectors_load(&q->vectors, q->path, err);
    for (int i = 1; i < options_operand_count(o) && status == STATUS_OK; i++)
        status = find_word(q, options_operand(o, i), err);
    if (status == STATUS_OK)
        ask(q, factors, options_int(o, "top"));
    if (status == STATUS_OK && options_flag(o, "json"))
        status = print_json(q, err);
    else if (status == STATUS_OK)
        print_lines(q);
    return output_flush(status, err);
}

/* ---- the commands ---- */

static enum status nearest(void *question, const struct options *o, struct error *err)
{
    static const double factors[] = { 1 };
    return answer(question, o, factors, err);
}

static enum status analogy(void *question, const struct options *o, struct error *err)
{
    static const double factors[] = { -1, 1, 1 };
    return answer(question, o, factors, err);
}

static void release(void *question)
{
    struct question *q = question;
    word_vectors_free(q->vectors);
}

static int run_nearest(const struct options *o)
{
    return options_run(o, sizeof(struct question), nearest, release);
}

static int run_analogy(const struct options *o)
{
    return options_run(o, sizeof(struct question), analogy, release);
}

static const struct option_spec specs[] = {
    { "top", OPTION_INT, .value = "N", .fallback = "10", .min = 1, .max = TOP_MAX,
      .help = "how many words to show" },
    { "json", OPTION_FLAG, .help = "answer as one line of JSON" },
    { 0 },
};

const struct command command_embed_nearest = {
    .name = "embed nearest",
    .summary = "show the words whose vectors are nearest to a word's",
    .usage = "VECTORS WORD [OPTION...]",
    .description = "Each line is the cosine of the angle between the two vectors, and the word. "
                   "VECTORS is a file in word2vec's text format, plain or gzipped.",
    .examples = "  verso embed nearest vectors.txt king\n",
    .options = specs,
    .operands_min = 2,
    .operands_max = 2,
    .run = run_nearest,
};

const struct command command_embed_analogy = {
    .name = "embed analogy",
    .summary = "show what is to C as B is to A",
    .usage = "VECTORS A B C [OPTION...]",
    .description = "The words nearest to B - A + C, all vectors made equally long, without A, B "
                   "and C.",
    .examples = "  verso embed analogy vectors.txt man king woman\n",
    .options = specs,
    .operands_min = 4,
    .operands_max = 4,
    .run = run_analogy,
};
