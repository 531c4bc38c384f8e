/*
 * learn.c - a corpus' words counted by several threads, then merged by one.
 *
 *     add -> buffer of texts -> (full) each thread normalises and counts its share
 *     finish -> the threads' counts added up -> merges -> control and byte pieces,
 *               merged pieces by rank, characters by frequency; scores -0, -1, -2, ...
 *
 * Sums do not depend on their order, and no other choice looks at the order of
 * words, so neither lines nor threads change the result.
 */
#include "tokenizer/learn.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/arena.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/threads.h"
#include "tokenizer/merges.h"
#include "tokenizer/normalise.h"
#include "tokenizer/utf8.h"
#include "tokenizer/words.h"

#define BUFFER_BYTES (4u << 20)
#define BUFFER_TEXTS (64u << 10)
#define THREADS_MAX 64
#define WORDS_MAX (1u << 27)              // different words; each costs about 100 bytes
#define SCRATCH_BYTES ((size_t)160 << 20) // what the worst text of the longest may need
#define FIXED_PIECES 260
#define PROGRESS_EVERY 64 // pieces

struct counter { // one thread's
    struct map *words;
    struct arena scratch;
    bool failed; // out of memory
};

struct text {
    size_t at, len; // in the buffer
};

struct learner {
    struct learn_options options;
    struct team *team;
    struct counter *counters; // (threads)
    char *buffer;
    size_t used;
    struct text *texts;
    size_t text_count;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "no memory to learn a vocabulary: use fewer threads or a smaller corpus");
}

static enum status check_options(const struct learn_options *o, struct error *err)
{
    if (o->size <= FIXED_PIECES || o->size > VOCABULARY_PIECES_MAX)
        return error_set(err, STATUS_BAD_INPUT,
                         "a vocabulary of %d pieces cannot be learnt: ask for %d to %d", o->size,
                         FIXED_PIECES + 1, VOCABULARY_PIECES_MAX);
    if (!(o->coverage > 0 && o->coverage <= 1))
        return error_set(err, STATUS_BAD_INPUT,
                         "a coverage of %g is not a share of the characters: use more than 0 "
                         "and at most 1, such as 0.9995",
                         o->coverage);
    if (o->threads < 1 || o->threads > THREADS_MAX)
        return error_set(err, STATUS_BAD_INPUT, "%d threads cannot count words: use 1 to %d",
                         o->threads, THREADS_MAX);
    return STATUS_OK;
}

static bool learner_allocate(struct learner *l)
{
    l->team = team_new(l->options.threads);
    l->counters = memory_zeroed((size_t)l->options.threads, sizeof *l->counters);
    l->buffer = memory_alloc(BUFFER_BYTES, 1);
    l->texts = memory_alloc(BUFFER_TEXTS, sizeof *l->texts);
    if (!l->team || !l->counters || !l->buffer || !l->texts)
        return false;
    for (int i = 0; i < l->options.threads; i++) {
        l->counters[i].words = map_new();
        if (!l->counters[i].words || !arena_init(&l->counters[i].scratch, SCRATCH_BYTES))
            return false;
    }
    return true;
}

enum status learner_new(struct learner **out, struct learn_options options, struct error *err)
{
    *out = NULL;
    enum status status = check_options(&options, err);
    if (status != STATUS_OK)
        return status;
    struct learner *l = memory_zeroed(1, sizeof *l);
    if (!l)
        return no_memory(err);
    l->options = options;
    if (!learner_allocate(l)) {
        learner_free(l);
        return no_memory(err);
    }
    *out = l;
    return STATUS_OK;
}

/* ---- counting ---- */

static bool count_words(struct counter *counter, const char *text, size_t len,
                        struct vocabulary_options options)
{
    char word[WORD_BYTES_MAX];
    size_t count, word_len;
    arena_reset(&counter->scratch);
    struct normalised_bound bound = normalise_bound(text, len, options);
    struct character *chars = arena_array(&counter->scratch, struct character, bound.characters);
    if (!chars || !normalise(text, len, options, chars, &counter->scratch, &count))
        return false;
    for (size_t at = 0; (word_len = words_next(chars, count, &at, word)) > 0;) {
        int64_t *times = map_insert(counter->words, word, word_len, 0);
        if (!times)
            return false;
        ++*times;
    }
    return true;
}

static void count_share(void *job, int member)
{
    struct learner *l = job;
    struct counter *counter = &l->counters[member];
    size_t team = (size_t)l->options.threads, first = l->text_count * (size_t)member / team;
    size_t end = l->text_count * ((size_t)member + 1) / team;
    for (size_t i = first; i < end && !counter->failed; i++)
        counter->failed =
            !count_words(counter, l->buffer + l->texts[i].at, l->texts[i].len, l->options.text);
}

static enum status count_buffer(struct learner *l, struct error *err)
{
    team_run(l->team, count_share, l);
    l->used = l->text_count = 0;
    for (int i = 0; i < l->options.threads; i++) {
        if (l->counters[i].failed)
            return no_memory(err);
        if (map_count(l->counters[i].words) > WORDS_MAX)
            return error_set(err, STATUS_TOO_LARGE,
                             "the corpus has more than %u different words: learn from a part of it",
                             WORDS_MAX);
    }
    return STATUS_OK;
}

enum status learner_add(struct learner *l, const char *text, size_t len, struct error *err)
{
    if (len > LEARN_TEXT_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "a text of %zu bytes is over the limit of %d: "
                         "add it line by line",
                         len, LEARN_TEXT_BYTES_MAX);
    enum status status = utf8_check(text, len, err);
    if (status == STATUS_OK && (l->used + len > BUFFER_BYTES || l->text_count == BUFFER_TEXTS))
        status = count_buffer(l, err);
    if (status != STATUS_OK)
        return status;
    if (len)
        memcpy(l->buffer + l->used, text, len);
    l->texts[l->text_count++] = (struct text){ l->used, len };
    l->used += len;
    return STATUS_OK;
}

/* All counters' words into the first one's. */
static enum status sum_counters(struct learner *l, struct error *err)
{
    struct map *sum = l->counters[0].words;
    for (int i = 1; i < l->options.threads; i++) {
        struct map_entry entry;
        for (size_t at = 0; map_next(l->counters[i].words, &at, &entry);) {
            int64_t *times = map_insert(sum, entry.key, entry.len, 0);
            if (!times)
                return no_memory(err);
            *times += entry.value;
        }
        map_free(l->counters[i].words);
        l->counters[i].words = NULL;
    }
    if (map_count(sum) == 0)
        return error_set(err, STATUS_BAD_INPUT,
                         "there is no text to learn a vocabulary from: the corpus is empty");
    return STATUS_OK;
}

/* ---- the vocabulary ---- */

struct draft {            // pieces as they are found, texts one after the other
    struct piece *pieces; // text NULL while `texts` may still move
    int count;
    struct bytes texts;
};

static bool draft_add(struct draft *d, const char *text, size_t len, float score,
                      enum piece_kind kind)
{
    d->pieces[d->count++] = (struct piece){ .len = (int)len, .score = score, .kind = kind };
    return bytes_append(&d->texts, text, len);
}

static bool draft_add_fixed(struct draft *d)
{
    char name[8];
    bool ok = draft_add(d, "<pad>", 5, 0, PIECE_CONTROL) &&
              draft_add(d, "<unk>", 5, 0, PIECE_UNKNOWN) &&
              draft_add(d, "<s>", 3, 0, PIECE_CONTROL) && draft_add(d, "</s>", 4, 0, PIECE_CONTROL);
    for (int byte = 0; byte < 256 && ok; byte++) {
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)byte);
        ok = draft_add(d, name, 6, 0, PIECE_BYTE);
        d->pieces[d->count - 1].byte = (uint8_t)byte;
    }
    return ok;
}

static bool draft_add_learnt(struct draft *d, struct merged piece)
{
    return draft_add(d, piece.text, piece.len, (float)(FIXED_PIECES - d->count), PIECE_NORMAL);
}

static enum status fill_draft(struct draft *d, struct merges *merges, const struct learn_options *o,
                              struct error *err)
{
    int characters = merges_character_count(merges);
    if (FIXED_PIECES + characters > o->size)
        return error_set(err, STATUS_BAD_INPUT,
                         "%d pieces are too few for the %d characters of this corpus: ask for %d "
                         "or more, or for a lower coverage",
                         o->size, characters, FIXED_PIECES + characters);
    bool ok = draft_add_fixed(d);
    while (ok && !o->characters && d->count < o->size - characters) {
        struct merged piece;
        enum status status = merges_next(merges, &piece, err);
        if (status != STATUS_OK)
            return status;
        if (!piece.text)
            break;
        ok = draft_add_learnt(d, piece);
        if (o->on_progress && d->count % PROGRESS_EVERY == 0)
            o->on_progress(o->context, d->count + characters, o->size);
    }
    for (int i = 0; i < characters && ok; i++)
        ok = draft_add_learnt(d, merges_character(merges, i));
    if (ok && o->on_progress)
        o->on_progress(o->context, d->count, o->size);
    return ok ? STATUS_OK : no_memory(err);
}

static enum status draft_finish(struct draft *d, struct vocabulary_options options,
                                struct vocabulary **out, struct error *err)
{
    const char *at = d->texts.data;
    for (int i = 0; i < d->count; i++) {
        d->pieces[i].text = at;
        at += d->pieces[i].len;
    }
    return vocabulary_new(out, d->pieces, d->count, options, err);
}

enum status learner_finish(struct learner *l, struct vocabulary **out, struct error *err)
{
    struct draft draft = { 0 };
    struct merges *merges = NULL;
    *out = NULL;
    bytes_init(&draft.texts, (size_t)VOCABULARY_PIECES_MAX * PIECE_BYTES_MAX);
    enum status status = count_buffer(l, err);
    if (status == STATUS_OK)
        status = sum_counters(l, err);
    if (status == STATUS_OK)
        status = merges_new(&merges, l->counters[0].words, l->options.coverage, err);
    if (status != STATUS_OK)
        goto done;
    draft.pieces = memory_alloc((size_t)l->options.size, sizeof *draft.pieces);
    if (!draft.pieces) {
        status = no_memory(err);
        goto done;
    }
    status = fill_draft(&draft, merges, &l->options, err);
    if (status == STATUS_OK)
        status = draft_finish(&draft, l->options.text, out, err);
done:
    memory_free(draft.pieces);
    bytes_release(&draft.texts);
    merges_free(merges);
    return status;
}

void learner_free(struct learner *l)
{
    if (!l)
        return;
    for (int i = 0; l->counters && i < l->options.threads; i++) {
        map_free(l->counters[i].words);
        arena_release(&l->counters[i].scratch);
    }
    team_free(l->team);
    memory_free(l->counters);
    memory_free(l->texts);
    memory_free(l->buffer);
    memory_free(l);
}
