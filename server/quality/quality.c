/*
 * quality.c - the sums over a corpus of what each metric counts in a sentence.
 */
#include "server/quality/quality.h"

#include <string.h>
#include "base/memory.h"
#include "server/quality/metrics.h"
#include "tokenizer/utf8.h"

/* Scratch of TER: the distance matrix of two sentences of QUALITY_SENTENCE_BYTES_MAX. Pages never
 * touched cost nothing. */
#define ARENA_BYTES ((size_t)32 << 20)

struct counts {
    struct bleu_counts bleu, bleu_lower;
    struct chrf_counts chrf, chrfpp;
    struct ter_counts ter;
};

struct quality {
    unsigned metrics;
    long sentences;
    struct counts sum;
    struct scratch scratch;
};

static void scratch_release(struct scratch *s)
{
    words_13a_release(&s->words_13a);
    bytes_release(&s->lower);
    units_release(&s->hypothesis);
    units_release(&s->reference);
    grams_release(&s->grams);
    arena_release(&s->arena);
}

static void scratch_init(struct scratch *s)
{
    words_13a_init(&s->words_13a);
    bytes_init(&s->lower, UNITS_BYTES_MAX);
    units_init(&s->hypothesis);
    units_init(&s->reference);
    grams_init(&s->grams);
}

enum status quality_new(struct quality **out, unsigned metrics, struct error *err)
{
    struct quality *q = memory_zeroed(1, sizeof *q);
    *out = NULL;
    if (!q)
        return error_set(err, STATUS_NO_MEMORY, "no memory to measure translation quality");
    q->metrics = metrics;
    scratch_init(&q->scratch);
    if ((metrics & QUALITY_TER) && !arena_init(&q->scratch.arena, ARENA_BYTES)) {
        quality_free(q);
        return error_set(err, STATUS_NO_MEMORY, "no memory to measure TER");
    }
    *out = q;
    return STATUS_OK;
}

void quality_free(struct quality *q)
{
    if (!q)
        return;
    scratch_release(&q->scratch);
    memory_free(q);
}

void quality_reset(struct quality *q)
{
    q->sentences = 0;
    memset(&q->sum, 0, sizeof q->sum);
}

static enum status check_text(const char *text, const char *what, struct error *err)
{
    size_t len = strlen(text);
    if (len > QUALITY_SENTENCE_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "the %s has %zu bytes; at most %d can be scored",
                         what, len, QUALITY_SENTENCE_BYTES_MAX);
    enum status status = utf8_check(text, len, err);
    return status == STATUS_OK ? STATUS_OK : error_while(err, "the %s", what);
}

static enum status check_sentence(const struct sentence *in, struct error *err)
{
    if (in->reference_count < 1)
        return error_set(err, STATUS_BAD_INPUT, "there is no reference to compare with");
    if (in->reference_count > QUALITY_REFERENCES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "%d references; at most %d can be used",
                         in->reference_count, QUALITY_REFERENCES_MAX);
    enum status status = check_text(in->hypothesis, "hypothesis", err);
    for (int r = 0; status == STATUS_OK && r < in->reference_count; r++)
        status = check_text(in->references[r], "reference", err);
    return status;
}

static bool count_sentence(struct quality *q, const struct sentence *in, struct counts *out)
{
    struct scratch *s = &q->scratch;
    memset(out, 0, sizeof *out);
    if ((q->metrics & QUALITY_BLEU) && !bleu_count(s, in, false, &out->bleu))
        return false;
    if ((q->metrics & QUALITY_BLEU_LOWER) && !bleu_count(s, in, true, &out->bleu_lower))
        return false;
    if ((q->metrics & QUALITY_CHRF) && !chrf_count(s, in, &out->chrf, &out->chrfpp))
        return false;
    return !(q->metrics & QUALITY_TER) || ter_count(s, in, &out->ter);
}

enum status quality_add(struct quality *q, const char *hypothesis, const char *const *references,
                        int reference_count, struct error *err)
{
    struct sentence in = { hypothesis, references, reference_count };
    struct counts one;
    enum status status = check_sentence(&in, err);
    if (status != STATUS_OK)
        return status;
    if (!count_sentence(q, &in, &one))
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory to compare a sentence with %d references", reference_count);
    bleu_add(&q->sum.bleu, &one.bleu);
    bleu_add(&q->sum.bleu_lower, &one.bleu_lower);
    chrf_add(&q->sum.chrf, &one.chrf);
    chrf_add(&q->sum.chrfpp, &one.chrfpp);
    ter_add(&q->sum.ter, &one.ter);
    q->sentences++;
    return STATUS_OK;
}

void quality_scores(const struct quality *q, struct quality_scores *out)
{
    struct bleu bleu = bleu_score(&q->sum.bleu);
    *out = (struct quality_scores){
        .sentences = q->sentences,
        .bleu = bleu.score,
        .brevity = bleu.brevity,
        .hypothesis_words = q->sum.bleu.hypothesis_words,
        .reference_words = q->sum.bleu.reference_words,
        .bleu_lower = bleu_score(&q->sum.bleu_lower).score,
        .chrf = chrf_score(&q->sum.chrf, CHRF_ORDERS),
        .chrfpp = chrf_score(&q->sum.chrfpp, CHRFPP_ORDERS),
        .ter = ter_score(&q->sum.ter),
    };
    memcpy(out->precisions, bleu.precisions, sizeof out->precisions);
    if (!(q->metrics & QUALITY_BLEU))
        out->brevity = 0;
}
