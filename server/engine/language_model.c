/*
 * language_model.c - a language model's steps over texts, and over its own choices.
 */
#include "server/engine/language_model.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/rng.h"
#include "model/model.h"
#include "tokenizer/bpe.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8.h"

#define TEXT_ARENA_BYTES ((size_t)256 << 20) // only what texts need is touched

struct language_model {
    struct model *model;
    struct vocabulary *vocabulary;
};

static enum status check_vocabulary(const struct language_model *lm, const char *path,
                                    struct error *err)
{
    const int model_pieces = model_config(lm->model)->vocabulary;
    const int pieces = vocabulary_size(lm->vocabulary);
    if (pieces == model_pieces)
        return STATUS_OK;
    return error_set(err, STATUS_BAD_FILE,
                     "%s: the model was made for %d pieces but its vocabulary has %d: train it "
                     "again",
                     path, model_pieces, pieces);
}

enum status language_model_load(struct language_model **out, const char *path, struct error *err)
{
    *out = NULL;
    struct language_model *lm = memory_zeroed(1, sizeof *lm);
    if (!lm)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a language model");
    enum status status = model_load(&lm->model, path, KIND_LM, err);
    if (status == STATUS_OK) {
        const char *text = model_texts(lm->model).vocabulary;
        status = vocabulary_parse_tsv(&lm->vocabulary, text, strlen(text), err);
        if (status != STATUS_OK)
            error_while(err, "%s: its vocabulary", path);
    }
    if (status == STATUS_OK)
        status = check_vocabulary(lm, path, err);
    if (status != STATUS_OK) {
        language_model_free(lm);
        return status;
    }
    *out = lm;
    return STATUS_OK;
}

void language_model_free(struct language_model *lm)
{
    if (!lm)
        return;
    model_free(lm->model);
    vocabulary_free(lm->vocabulary);
    memory_free(lm);
}

/* ---- rows that are read piece by piece ---- */

struct reader {
    const struct language_model *lm;
    struct arena memory;       // all of the below and a step's scratch
    float *state, *next_state; // (N,state width)
    float *log_probs;          // (N,V)
    int32_t ids[LANGUAGE_TEXTS_MAX];
};

static void lay_out(struct reader *r, int N, struct arena *arena)
{
    const struct lm *lm = model_lm(r->lm->model);
    const size_t rows = (size_t)N, width = (size_t)lm_state_width(lm);
    r->state = arena_array(arena, float, rows *width);
    r->next_state = arena_array(arena, float, rows *width);
    r->log_probs = arena_array(arena, float, rows *(size_t)lm->config.vocabulary);
}

static void reader_forget(struct reader *r, int N)
{
    memset(r->state, 0, (size_t)N * (size_t)lm_state_width(model_lm(r->lm->model)) * sizeof(float));
}

static enum status reader_init(struct reader *r, const struct language_model *lm, int N,
                               struct error *err)
{
    struct arena measure = arena_measure();
    r->lm = lm;
    lay_out(r, N, &measure);
    const size_t bytes = measure.used + lm_step_bytes(model_lm(lm->model), N);
    if (!arena_init(&r->memory, bytes))
        return error_set(err, STATUS_NO_MEMORY, "no memory to read %d texts at once", N);
    lay_out(r, N, &r->memory);
    reader_forget(r, N);
    return STATUS_OK;
}

/* Rows 0 .. N-1 read r->ids. */
static enum status reader_step(struct reader *r, int N, struct error *err)
{
    const struct lm_step step = { N, r->ids, r->state, r->next_state, r->log_probs };
    enum status status =
        lm_step(model_lm(r->lm->model), model_weights(r->lm->model), &step, &r->memory, err);
    float *left = r->next_state;
    r->next_state = r->state;
    r->state = left;
    return status;
}

/* ---- scores ---- */

struct line { // a text as pieces
    struct tokens tokens;
    int place; // of its text and score in the call
};

struct language_scorer {
    struct reader reader;
    struct arena texts;
    struct line lines[LANGUAGE_TEXTS_MAX];
};

enum status language_scorer_new(struct language_scorer **out, const struct language_model *lm,
                                struct error *err)
{
    *out = NULL;
    struct language_scorer *s = memory_zeroed(1, sizeof *s);
    if (!s || !arena_init(&s->texts, TEXT_ARENA_BYTES)) {
        memory_free(s);
        return error_set(err, STATUS_NO_MEMORY, "no memory to score texts");
    }
    enum status status = reader_init(&s->reader, lm, LANGUAGE_TEXTS_MAX, err);
    if (status != STATUS_OK) {
        language_scorer_free(s);
        return status;
    }
    *out = s;
    return STATUS_OK;
}

void language_scorer_free(struct language_scorer *s)
{
    if (!s)
        return;
    arena_release(&s->reader.memory);
    arena_release(&s->texts);
    memory_free(s);
}

/* Words of a normalised text: it has single spaces, none at its ends. */
static int64_t count_words(const char *text, size_t len)
{
    int64_t words = len > 0;
    for (size_t i = 0; i < len; i++)
        words += text[i] == ' ';
    return words;
}

static enum status take_text(struct language_scorer *s, const struct language_text *text,
                             struct tokens *tokens, struct language_score *score, struct error *err)
{
    struct detokenised normal;
    const struct vocabulary *vocabulary = s->reader.lm->vocabulary;
    if (text->len > LANGUAGE_TEXT_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a text of %zu bytes is over the limit of %d",
                         text->len, LANGUAGE_TEXT_BYTES_MAX);
    enum status status =
        tokenizer_encode(vocabulary, text->text, text->len, &s->texts, tokens, err);
    if (status != STATUS_OK)
        return status;
    const struct arena_mark mark = arena_mark(&s->texts);
    status = tokenizer_decode(vocabulary, tokens->ids, tokens->count, &s->texts, &normal, err);
    if (status != STATUS_OK)
        return status;
    *score = (struct language_score){
        .pieces = tokens->count + 1,
        .words = count_words(normal.text, normal.len) + 1,
        .characters = (int64_t)utf8_length(normal.text, normal.len) + 1,
    };
    arena_rewind(&s->texts, mark);
    return STATUS_OK;
}

static int longer_first(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->tokens.count != y->tokens.count)
        return x->tokens.count > y->tokens.count ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* Lines first .. first + count - 1 side by side, the longest first, so that those that go on are
 * always the first rows. */
static enum status read_lines(struct language_scorer *s, const struct line *lines, int count,
                              struct language_score *scores, struct error *err)
{
    struct reader *r = &s->reader;
    const size_t V = (size_t)vocabulary_size(r->lm->vocabulary);
    int rows = count;
    for (int t = 0; rows > 0; t++) {
        for (int n = 0; n < rows; n++)
            r->ids[n] = t == 0 ? ID_EOS : lines[n].tokens.ids[t - 1];
        enum status status = reader_step(r, rows, err);
        if (status != STATUS_OK)
            return status;
        for (int n = 0; n < rows; n++) {
            const int32_t next = t < lines[n].tokens.count ? lines[n].tokens.ids[t] : ID_EOS;
            scores[lines[n].place].log_prob += (double)r->log_probs[(size_t)n * V + (size_t)next];
        }
        while (rows > 0 && lines[rows - 1].tokens.count == t)
            rows--;
    }
    return STATUS_OK;
}

enum status language_scorer_run(struct language_scorer *s, const struct language_text *texts,
                                int count, bool continued, struct language_score *out,
                                struct error *err)
{
    assert(count <= LANGUAGE_TEXTS_MAX);
    arena_reset(&s->texts);
    enum status status = STATUS_OK;
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        s->lines[i].place = i;
        status = take_text(s, &texts[i], &s->lines[i].tokens, &out[i], err);
    }
    if (status != STATUS_OK)
        return status;
    if (continued) {
        for (int i = 0; i < count && status == STATUS_OK; i++)
            status = read_lines(s, &s->lines[i], 1, out, err);
        return status;
    }
    qsort(s->lines, (size_t)count, sizeof *s->lines, longer_first);
    reader_forget(&s->reader, count);
    return read_lines(s, s->lines, count, out, err);
}

/* ---- samples ---- */

struct sampler {
    struct reader reader;
    const struct language_sampling *options;
    struct rng rng;
    double *shares; // (V)
    int32_t *ids;   // (capacity) of the line at hand
    int count, words;
};

/* A sample ends its line with </s>; padding and <s> are never predicted, <unk> is no text. */
static bool may_follow(const struct vocabulary *v, int32_t id)
{
    const enum piece_kind kind = vocabulary_piece(v, id)->kind;
    return id == ID_EOS || kind == PIECE_NORMAL || kind == PIECE_BYTE;
}

static int32_t likeliest(const struct sampler *s)
{
    const struct vocabulary *v = s->reader.lm->vocabulary;
    int32_t best = ID_EOS;
    for (int32_t id = 0; id < vocabulary_size(v); id++)
        if (may_follow(v, id) && s->reader.log_probs[id] > s->reader.log_probs[best])
            best = id;
    return best;
}

/* By lot: a piece's share is its probability to the power of 1/temperature. */
static int32_t draw(struct sampler *s)
{
    const struct vocabulary *v = s->reader.lm->vocabulary;
    const double most = (double)s->reader.log_probs[likeliest(s)];
    const int V = vocabulary_size(v);
    double sum = 0;
    int32_t last = ID_EOS;
    for (int32_t id = 0; id < V; id++) {
        const double away = (double)s->reader.log_probs[id] - most;
        s->shares[id] = may_follow(v, id) ? exp(away / s->options->temperature) : 0;
        sum += s->shares[id];
    }
    double left = rng_uniform(&s->rng) * sum;
    for (int32_t id = 0; id < V; id++) {
        if (s->shares[id] <= 0)
            continue;
        left -= s->shares[id];
        last = id;
        if (left < 0)
            break;
    }
    return last;
}

static bool starts_word(const struct vocabulary *v, int32_t id)
{
    return strncmp(vocabulary_piece(v, id)->text, SPACE_MARK_TEXT, SPACE_MARK_BYTES) == 0;
}

static enum status read_piece(struct sampler *s, int32_t id, struct error *err)
{
    s->reader.ids[0] = id;
    return reader_step(&s->reader, 1, err);
}

static enum status read_prompt(struct sampler *s, const struct tokens *prompt, struct error *err)
{
    enum status status = read_piece(s, ID_EOS, err);
    for (int i = 0; i < prompt->count && status == STATUS_OK; i++) {
        s->ids[s->count++] = prompt->ids[i];
        status = read_piece(s, prompt->ids[i], err);
    }
    return status;
}

static enum status end_line(struct sampler *s, struct arena *texts, struct bytes *out,
                            struct error *err)
{
    struct detokenised line;
    const struct arena_mark mark = arena_mark(texts);
    enum status status =
        tokenizer_decode(s->reader.lm->vocabulary, s->ids, s->count, texts, &line, err);
    if (status != STATUS_OK)
        return status;
    bytes_append(out, line.text, line.len);
    bytes_append_char(out, '\n');
    arena_rewind(texts, mark);
    s->count = 0;
    return bytes_check(out, "the sample", err);
}

static enum status go_on(struct sampler *s, struct arena *texts, struct bytes *out,
                         struct error *err)
{
    const struct language_sampling *o = s->options;
    const struct vocabulary *v = s->reader.lm->vocabulary;
    enum status status = STATUS_OK;
    int lines = 0;
    for (int i = 0; i < o->length && status == STATUS_OK; i++) {
        const int32_t id = o->temperature > 0 ? draw(s) : likeliest(s);
        if (o->words > 0 && id != ID_EOS && starts_word(v, id) && s->words++ == o->words)
            break;
        if (id != ID_EOS)
            s->ids[s->count++] = id;
        else
            status = end_line(s, texts, out, err);
        if (id == ID_EOS && ++lines == o->lines)
            return status;
        if (status == STATUS_OK)
            status = read_piece(s, id, err);
    }
    return status == STATUS_OK && s->count > 0 ? end_line(s, texts, out, err) : status;
}

static enum status sample(struct sampler *s, struct arena *texts, struct bytes *out,
                          struct error *err)
{
    struct tokens prompt;
    const char *text = s->options->prompt;
    if (strlen(text) > LANGUAGE_TEXT_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a prompt of %zu bytes is over the limit of %d",
                         strlen(text), LANGUAGE_TEXT_BYTES_MAX);
    enum status status =
        tokenizer_encode(s->reader.lm->vocabulary, text, strlen(text), texts, &prompt, err);
    if (status != STATUS_OK)
        return error_while(err, "the prompt");
    s->shares = arena_array(texts, double, vocabulary_size(s->reader.lm->vocabulary));
    s->ids = arena_array(texts, int32_t, prompt.count + s->options->length);
    if (!s->shares || !s->ids)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a sample");
    status = read_prompt(s, &prompt, err);
    return status == STATUS_OK ? go_on(s, texts, out, err) : status;
}

enum status language_sample(const struct language_model *lm,
                            const struct language_sampling *options, uint64_t i, struct bytes *out,
                            struct error *err)
{
    assert(options->length >= 1 && options->length <= LANGUAGE_SAMPLE_MAX);
    struct sampler s = { .options = options, .rng = rng_make(options->seed, i) };
    struct arena texts;
    if (!arena_init(&texts, TEXT_ARENA_BYTES))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a sample");
    enum status status = reader_init(&s.reader, lm, 1, err);
    if (status == STATUS_OK)
        status = sample(&s, &texts, out, err);
    arena_release(&s.reader.memory);
    arena_release(&texts);
    return status;
}
