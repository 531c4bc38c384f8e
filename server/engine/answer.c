/*
 * answer.c - the best hypothesis of each sentence where the sentence stood, and the alternatives.
 */
#include "server/engine/answer.h"

#include <stdbool.h>
#include <string.h>

struct document {
    const char *text;
    size_t len;
    struct engine_sentence *sentences; // (count)
    int count;
};

static int choice(const struct engine_sentence *s, int k)
{
    return k < s->translation.count ? k : s->translation.count - 1;
}

static size_t length_of(const struct document *d, int k)
{
    size_t len = d->len;
    for (int i = 0; i < d->count; i++) {
        const struct engine_sentence *s = &d->sentences[i];
        len = len - (s->source.to - s->source.from) + s->texts[choice(s, k)].len;
    }
    return len;
}

/* The document with the k-th (or last) hypothesis of each sentence; NULL: the arena is full. */
static char *join(const struct document *d, int k, struct arena *arena, size_t *len)
{
    *len = length_of(d, k);
    char *out = arena_array(arena, char, *len + 1);
    if (!out)
        return NULL;
    size_t at = 0, copied = 0; // in out, in the document
    for (int i = 0; i < d->count; i++) {
        struct engine_sentence *s = &d->sentences[i];
        const struct detokenised *hypothesis = &s->texts[choice(s, k)];
        memcpy(out + at, d->text + copied, s->source.from - copied);
        at += s->source.from - copied;
        memcpy(out + at, hypothesis->text, hypothesis->len);
        if (k == 0)
            s->target = (struct span){ (uint32_t)at, (uint32_t)(at + hypothesis->len) };
        at += hypothesis->len;
        copied = s->source.to;
    }
    memcpy(out + at, d->text + copied, d->len - copied);
    out[*len] = '\0';
    return out;
}

static float score_of(const struct document *d, int k)
{
    float score = 0;
    for (int i = 0; i < d->count; i++)
        score += d->sentences[i].translation.best[choice(&d->sentences[i], k)].score;
    return score;
}

static bool is_new(const struct engine_answer *answer, const char *text)
{
    for (int i = 0; i < answer->alternative_count; i++)
        if (strcmp(answer->alternatives[i], text) == 0)
            return false;
    return strcmp(answer->text, text) != 0;
}

static bool add_alternatives(const struct document *d, int most, struct arena *arena,
                             struct engine_answer *out)
{
    out->alternatives = arena_array(arena, char *, most);
    out->alternative_scores = arena_array(arena, float, most);
    if (!out->alternatives || !out->alternative_scores)
        return false;
    for (int k = 1; k <= most; k++) {
        size_t len;
        struct arena_mark mark = arena_mark(arena);
        char *text = join(d, k, arena, &len);
        if (!text)
            return false;
        if (is_new(out, text)) {
            out->alternatives[out->alternative_count] = text;
            out->alternative_scores[out->alternative_count++] = score_of(d, k);
        } else {
            arena_rewind(arena, mark);
        }
    }
    return true;
}

enum status answer_compose(const char *text, size_t len, struct engine_sentence *sentences,
                           int count, struct arena *arena, struct engine_answer *out,
                           struct error *err)
{
    struct document d = { text, len, sentences, count };
    struct engine_answer answer = { .sentences = sentences, .sentence_count = count };
    int most = 0; // alternatives of the sentence that has most
    for (int i = 0; i < count; i++) {
        if (sentences[i].translation.count == 0) { // cancelled
            *out = answer;
            return STATUS_OK;
        }
        if (sentences[i].translation.count - 1 > most)
            most = sentences[i].translation.count - 1;
    }
    answer.text = join(&d, 0, arena, &answer.len);
    answer.score = score_of(&d, 0);
    if (!answer.text || (most > 0 && !add_alternatives(&d, most, arena, &answer)))
        return error_set(err, STATUS_NO_MEMORY,
                         "the answer needs more memory than a request has: send the text in parts");
    *out = answer;
    return STATUS_OK;
}
