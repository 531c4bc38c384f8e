/*
 * pack.c - hypotheses to bytes; bytes to hypotheses are in unpack.c.
 */
#include "server/engine/pack.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "server/engine/pack_form.h"
#include "server/engine/word_links.h"

#define NUMBER_BYTES_MAX 10 // of one varint

/* ---- bytes into an arena ---- */

struct writer {
    unsigned char *data;
    size_t len, capacity;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "the answer is too long to be kept");
}

static bool writer_init(struct writer *w, size_t capacity, struct arena *arena)
{
    *w = (struct writer){ .data = arena_alloc(arena, capacity), .capacity = capacity };
    return w->data != NULL;
}

static void put_byte(struct writer *w, uint64_t byte)
{
    assert(w->len < w->capacity);
    w->data[w->len++] = (unsigned char)byte;
}

static void put_number(struct writer *w, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        put_byte(w, (unsigned)(n & 0x7f) | 0x80);
    put_byte(w, (unsigned)n);
}

static void put_float(struct writer *w, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int shift = 0; shift < 32; shift += 8)
        put_byte(w, bits >> shift & 0xff);
}

static struct blob blob_of(const struct writer *w)
{
    return (struct blob){ (const char *)w->data, w->len };
}

/* What was not needed goes back: nothing was allocated since. */
static struct blob finish(const struct writer *w, struct arena *arena, struct arena_mark mark)
{
    arena_rewind(arena, mark);
    unsigned char *kept = arena_alloc(arena, w->len);
    assert(kept == w->data);
    (void)kept;
    return blob_of(w);
}

/* ---- pieces and spans ---- */

static void put_span(struct writer *w, struct span span, uint32_t *at)
{
    const int64_t gap = (int64_t)span.from - *at;
    const uint64_t len = span.to - span.from;
    put_number(w, len << 2 | (gap >= 0 && gap < GAP_FOLLOWS ? (uint64_t)gap : GAP_FOLLOWS));
    if (gap < 0 || gap >= GAP_FOLLOWS)
        put_number(w, ((uint64_t)gap << 1) ^ (uint64_t)(gap >> 63));
    *at = span.to;
}

static bool pack_source(const struct engine_sentence *s, struct arena *arena, struct blob *out)
{
    const struct arena_mark mark = arena_mark(arena);
    struct writer w;
    if (!writer_init(&w, NUMBER_BYTES_MAX * (4 + 3 * (size_t)s->tokens.count), arena))
        return false;
    uint32_t at = s->source.from;
    put_number(&w, s->source.from);
    put_number(&w, s->source.to - s->source.from);
    put_number(&w, s->split);
    put_number(&w, (uint64_t)s->tokens.count);
    for (int i = 0; i < s->tokens.count; i++)
        put_number(&w, (uint64_t)s->tokens.ids[i]);
    for (int i = 0; i < s->tokens.count; i++)
        put_span(&w, s->tokens.spans[i], &at);
    *out = finish(&w, arena, mark);
    return true;
}

static bool is_spelt(const struct detokenised *text, const struct detokenised *spelt, int pieces)
{
    bool same = text->len == spelt->len && memcmp(text->text, spelt->text, text->len) == 0;
    for (int i = 0; same && i < pieces; i++)
        same =
            text->spans[i].from == spelt->spans[i].from && text->spans[i].to == spelt->spans[i].to;
    return same;
}

static void put_text(struct writer *w, const struct detokenised *text, int pieces)
{
    uint32_t at = 0;
    put_number(w, text->len);
    memcpy(w->data + w->len, text->text, text->len);
    w->len += text->len;
    for (int i = 0; i < pieces; i++)
        put_span(w, text->spans[i], &at);
}

static enum status pack_target(const struct vocabulary *v, const struct hypothesis *h,
                               const struct detokenised *text, struct arena *arena,
                               struct blob *out, struct error *err)
{
    struct detokenised spelt;
    struct arena_mark mark = arena_mark(arena);
    struct writer w;
    enum status status = tokenizer_decode(v, h->ids, h->T, arena, &spelt, err);
    if (status != STATUS_OK)
        return status;
    const bool is_its_own = !is_spelt(text, &spelt, h->T);
    arena_rewind(arena, mark);
    if (!writer_init(&w, NUMBER_BYTES_MAX * (2 + 3 * (size_t)h->T) + text->len, arena))
        return no_memory(err);
    put_number(&w, (uint64_t)h->T);
    for (int i = 0; i < h->T; i++)
        put_number(&w, (uint64_t)h->ids[i]);
    if (is_its_own)
        put_text(&w, text, h->T);
    *out = finish(&w, arena, mark);
    return STATUS_OK;
}

/* ---- weights ---- */

struct bit_writer {
    struct writer *w;
    uint64_t held; // what is no byte yet
    int bits;      // of `held`, at most 7 between two codes
};

/* A short code for what is small, as most weights are. */
static void put_units(struct bit_writer *b, uint32_t units)
{
    const uint64_t n = (uint64_t)units + 1;
    const int behind = 63 - __builtin_clzll(n);
    const uint64_t code = (uint64_t)1 << behind | (n ^ (uint64_t)1 << behind) << (behind + 1);
    b->held |= code << b->bits;
    for (b->bits += 2 * behind + 1; b->bits >= 8; b->bits -= 8, b->held >>= 8)
        put_byte(b->w, b->held & 0xff);
}

/* The row in whole units that sum to `whole` (or to nothing, without attention): what is rounded
 * off is carried along, so that each is less than a unit from what it was. */
static void round_row(const float *row, int S, uint32_t whole, uint32_t *units)
{
    double sum = 0, so_far = 0;
    uint32_t given = 0;
    for (int s = 0; s < S; s++)
        sum += (double)row[s];
    for (int s = 0; s < S; s++) {
        so_far += (double)row[s];
        const uint32_t upto = sum > 0 ? (uint32_t)lround(so_far / sum * whole) : 0;
        units[s] = upto - given;
        given = upto;
    }
}

static void put_weights(struct writer *w, const struct hypothesis *h, int rows, int width,
                        uint32_t *units)
{
    struct bit_writer b = { .w = w };
    for (int t = 0; t < rows; t++) {
        round_row(h->alignment + (size_t)t * (size_t)h->S, h->S, whole_of(width), units);
        for (int s = 0; s < h->S; s++)
            put_units(&b, units[s]);
    }
    if (b.bits > 0)
        put_byte(w, b.held & 0xff);
}

static bool pack_alignment(const struct hypothesis *h, int width, struct arena *arena,
                           struct blob *out)
{
    const int rows = h->T + (h->finished ? 1 : 0);
    const size_t weights = (size_t)rows * (size_t)h->S;
    uint32_t *units = arena_array(arena, uint32_t, h->S);
    const struct arena_mark mark = arena_mark(arena);
    struct writer w;
    /* the longest code is that of 65535: 33 bits, and in a row there is one such */
    if (!units || !writer_init(&w, 64 + 5 * (size_t)rows + 4 * weights, arena))
        return false;
    put_number(&w, (uint64_t)h->T);
    put_number(&w, (uint64_t)h->S);
    put_byte(&w, (h->finished ? FORM_FINISHED : 0) | (unsigned)width);
    put_float(&w, h->log_prob);
    for (int t = 0; t < rows; t++)
        put_float(&w, h->log_probs[t]);
    if (width == WIDTH_FLOAT)
        for (size_t i = 0; i < weights; i++)
            put_float(&w, h->alignment[i]);
    else
        put_weights(&w, h, rows, width, units);
    *out = finish(&w, arena, mark);
    return true;
}

/* ---- whether it still says the same ---- */

static bool says_the_same(const struct word_alignment *a, const struct word_alignment *b)
{
    bool same = a->S == b->S && a->T == b->T && a->warning_count == b->warning_count;
    for (int t = 0; same && t < a->T; t++)
        same = a->links[t] == b->links[t];
    for (int i = 0; same && i < a->warning_count; i++)
        same = a->warnings[i].kind == b->warnings[i].kind &&
               a->warnings[i].span.from == b->warnings[i].span.from;
    return same;
}

/* What the words of the k-th hypothesis would be with the weights that come out of the blob. */
static enum status words_of_blob(const struct vocabulary *v, const struct engine_sentence *s, int k,
                                 struct blob blob, struct arena *arena, struct word_alignment *out,
                                 struct error *err)
{
    struct engine_sentence copy = *s;
    struct hypothesis h;
    copy.translation.best = &h;
    copy.translation.count = 1;
    copy.texts = &s->texts[k];
    enum status status = unpack_alignment(blob, arena, &h, err);
    h.ids = s->translation.best[k].ids;
    return status == STATUS_OK ? word_alignment(v, &copy, 0, arena, out, err) : status;
}

/* In the fewest bytes that change no link and no warning. */
static enum status pack_faithfully(const struct vocabulary *v, const struct engine_sentence *s,
                                   int k, const struct word_alignment *words, struct arena *arena,
                                   struct blob *out, struct error *err)
{
    static const int widths[] = { 1, 2, WIDTH_FLOAT };
    const struct arena_mark before = arena_mark(arena);
    for (int i = 0;; i++) {
        struct word_alignment again;
        arena_rewind(arena, before);
        if (!pack_alignment(&s->translation.best[k], widths[i], arena, out))
            return no_memory(err);
        if (widths[i] == WIDTH_FLOAT)
            return STATUS_OK;
        const struct arena_mark mark = arena_mark(arena);
        enum status status = words_of_blob(v, s, k, *out, arena, &again, err);
        const bool same = status == STATUS_OK && says_the_same(words, &again);
        arena_rewind(arena, mark);
        if (status != STATUS_OK || same)
            return status;
    }
}

/* ---- links ---- */

static struct blob word_at(const char *text, struct span span)
{
    return (struct blob){ text + span.from, span.to - span.from };
}

static void add_link(struct packed_answer *out, int sentence, int source_number, int target_number,
                     struct blob source, struct blob target, float weight)
{
    if (source.len == 0 || source.len > LINK_WORD_BYTES_MAX || target.len > LINK_WORD_BYTES_MAX)
        return;
    long percent = lroundf(weight * 100);
    percent = percent < 0 ? 0 : percent > 100 ? 100 : percent;
    out->links[out->link_count++] = (struct packed_link){ .sentence = sentence,
                                                          .source_number = source_number,
                                                          .target_number = target_number,
                                                          .source = source,
                                                          .target = target,
                                                          .percent = (int)percent };
}

static void add_links(const char *text, const struct engine_sentence *s, int sentence,
                      const struct word_alignment *words, struct packed_answer *out)
{
    for (int t = 0; t < words->T; t++) {
        const int from = words->links[t];
        const float weight = from < 0 ? 0 : words->weights[t * (words->S + 1) + from];
        if (weight >= LINK_WEIGHT_MIN && words->target[t].to > words->target[t].from)
            add_link(out, sentence, from, t, word_at(text, words->source[from]),
                     word_at(s->texts[0].text, words->target[t]), weight);
    }
    for (int i = 0, at = 0; i < words->warning_count; i++) {
        if (words->warnings[i].kind != WARNING_UNCOVERED)
            continue;
        while (words->source[at].from != words->warnings[i].span.from)
            at++;
        add_link(out, sentence, at, LEFT_OUT, word_at(text, words->source[at]),
                 (struct blob){ "", 0 }, words->coverage[at]);
    }
}

/* ---- all of it ---- */

static enum status pack_hypothesis(const struct vocabulary *v, const char *text,
                                   const struct engine_sentence *s, int sentence, int k,
                                   struct arena *arena, struct packed_answer *out,
                                   struct error *err)
{
    const struct hypothesis *h = &s->translation.best[k];
    struct packed_hypothesis *packed = &out->hypotheses[out->hypothesis_count++];
    struct word_alignment words;
    *packed = (struct packed_hypothesis){ .sentence = sentence, .number = k, .score = h->score };
    if (k == 0 && !pack_source(s, arena, &packed->source))
        return no_memory(err);
    enum status status = pack_target(v, h, &s->texts[k], arena, &packed->target, err);
    if (status == STATUS_OK)
        status = word_alignment(v, s, k, arena, &words, err);
    if (status == STATUS_OK)
        status = pack_faithfully(v, s, k, &words, arena, &packed->alignment, err);
    if (status == STATUS_OK && k == 0)
        add_links(text, s, sentence, &words, out);
    return status;
}

static bool lay_out(const struct engine_answer *answer, struct arena *arena,
                    struct packed_answer *out)
{
    size_t hypotheses = 0, links = 0; // a word has at least one piece
    for (int i = 0; i < answer->sentence_count; i++) {
        const struct engine_sentence *s = &answer->sentences[i];
        hypotheses += (size_t)s->translation.count;
        links += (size_t)s->translation.best[0].T + (size_t)s->tokens.count;
    }
    *out = (struct packed_answer){
        .hypotheses = arena_array(arena, struct packed_hypothesis, hypotheses + 1),
        .links = arena_array(arena, struct packed_link, links + 1),
    };
    return out->hypotheses && out->links;
}

enum status answer_pack(const struct vocabulary *vocabulary, const char *text,
                        const struct engine_answer *answer, struct arena *arena,
                        struct packed_answer *out, struct error *err)
{
    if (!lay_out(answer, arena, out))
        return no_memory(err);
    enum status status = STATUS_OK;
    for (int i = 0; i < answer->sentence_count; i++) {
        const struct engine_sentence *s = &answer->sentences[i];
        for (int k = 0; status == STATUS_OK && k < s->translation.count; k++)
            status = pack_hypothesis(vocabulary, text, s, i, k, arena, out, err);
    }
    return status == STATUS_NO_MEMORY ? no_memory(err) : status;
}
