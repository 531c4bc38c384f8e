/*
 * fuzz_quality.c - any two texts: scores are numbers in their range, and a text is like itself.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/quality/quality.h"
#include "tokenizer/utf8.h"

#define INPUT_BYTES_MAX 2048

static void expect(int holds)
{
    if (!holds)
        abort();
}

static struct quality_scores measure(struct quality *q, const char *hypothesis,
                                     const char *reference)
{
    struct quality_scores scores;
    struct error err;
    quality_reset(q);
    expect(quality_add(q, hypothesis, &reference, 1, &err) == STATUS_OK);
    quality_scores(q, &scores);
    expect(scores.bleu >= 0 && scores.bleu <= 100 + 1e-9);
    expect(scores.bleu_lower >= 0 && scores.bleu_lower <= 100 + 1e-9);
    expect(scores.chrf >= 0 && scores.chrf <= 100 + 1e-9);
    expect(scores.chrfpp >= 0 && scores.chrfpp <= 100 + 1e-9);
    expect(scores.ter >= 0 && isfinite(scores.ter));
    return scores;
}

/* Hypothesis and reference are what stands before and behind the first NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct quality *q;
    char text[INPUT_BYTES_MAX + 2] = { 0 };
    struct error err;
    if (!q)
        expect(quality_new(&q, QUALITY_ALL, &err) == STATUS_OK);
    if (size > INPUT_BYTES_MAX)
        return 0;
    memcpy(text, data, size);
    const char *hypothesis = text, *reference = text + strlen(text) + 1;
    if (utf8_check(hypothesis, strlen(hypothesis), &err) != STATUS_OK ||
        utf8_check(reference, strlen(reference), &err) != STATUS_OK)
        return 0;
    measure(q, hypothesis, reference);
    expect(measure(q, reference, reference).ter == 0);
    return 0;
}
