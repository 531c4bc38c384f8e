/*
 * unpack.c - an answer out of the bytes that pack.c made of it.
 *
 * The bytes come from a file that anything may have happened to: each number is
 * checked before it is used.
 */
#include <string.h>

#include "server/engine/answer.h"
#include "server/engine/pack_form.h"
#include "tokenizer/utf8.h"

/* ---- bytes ---- */

struct reader {
    const unsigned char *at, *end;
    bool is_short; // more was wanted than is there
};

static enum status damaged(struct error *err)
{
    return error_set(err, STATUS_BAD_FILE,
                     "what was kept of the translation is damaged; restore a backup");
}

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "there is no memory for so long a translation");
}

static struct reader reader_of(struct blob blob)
{
    const unsigned char *data = (const unsigned char *)blob.data;
    return (struct reader){ .at = data, .end = data ? data + blob.len : data };
}

static unsigned take_byte(struct reader *r)
{
    if (r->at == r->end) {
        r->is_short = true;
        return 0;
    }
    return *r->at++;
}

static uint64_t take_number(struct reader *r)
{
    uint64_t n = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const unsigned byte = take_byte(r);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return n;
    }
    r->is_short = true;
    return 0;
}

/* A number that is at most `most`, or the reader is at its end. */
static uint32_t take_upto(struct reader *r, uint64_t most)
{
    const uint64_t n = take_number(r);
    if (n <= most)
        return (uint32_t)n;
    r->is_short = true;
    return 0;
}

/* How many things of at least a byte each follow. */
static int take_count(struct reader *r)
{
    return (int)take_upto(r, (uint64_t)(r->end - r->at));
}

static float take_float(struct reader *r)
{
    uint32_t bits = 0;
    float value;
    for (int shift = 0; shift < 32; shift += 8)
        bits |= (uint32_t)take_byte(r) << shift;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- weights ---- */

struct bit_reader {
    struct reader *r;
    uint64_t held; // what was read and not taken
    int bits;
};

static uint32_t take_units(struct bit_reader *b)
{
    for (; b->bits <= 56 && b->r->at < b->r->end; b->bits += 8)
        b->held |= (uint64_t)*b->r->at++ << b->bits;
    const int behind = b->held ? __builtin_ctzll(b->held) : UNIT_BITS_MAX + 1;
    if (behind > UNIT_BITS_MAX || 2 * behind + 1 > b->bits) {
        b->r->is_short = true;
        return 0;
    }
    const uint64_t low = b->held >> (behind + 1) & (((uint64_t)1 << behind) - 1);
    b->held >>= 2 * behind + 1;
    b->bits -= 2 * behind + 1;
    return (uint32_t)(((uint64_t)1 << behind | low) - 1);
}

static void take_weights(struct reader *r, int width, size_t count, float *weights)
{
    struct bit_reader b = { .r = r };
    const float unit = 1 / (float)whole_of(width);
    for (size_t i = 0; i < count && !r->is_short; i++)
        weights[i] = (float)take_units(&b) * unit;
    r->is_short |= b.bits >= 8; // more than is needed
}

enum status unpack_alignment(struct blob blob, struct arena *arena, struct hypothesis *out,
                             struct error *err)
{
    struct reader r = reader_of(blob);
    struct hypothesis h = { .T = take_count(&r), .S = (int)take_upto(&r, SOURCE_LEN_MAX) };
    const unsigned form = take_byte(&r);
    const int width = (int)(form & ~(unsigned)FORM_FINISHED);
    if (r.is_short || (width != 1 && width != 2 && width != WIDTH_FLOAT))
        return damaged(err);
    h.finished = form & FORM_FINISHED;
    const size_t rows = (size_t)h.T + (h.finished ? 1 : 0), weights = rows * (size_t)h.S;
    h.log_probs = arena_array(arena, float, rows + 1);
    h.alignment = arena_array(arena, float, weights + 1);
    if (!h.log_probs || !h.alignment)
        return no_memory(err);
    h.log_prob = take_float(&r);
    for (size_t t = 0; t < rows; t++)
        h.log_probs[t] = take_float(&r);
    if (width == WIDTH_FLOAT)
        for (size_t i = 0; i < weights; i++)
            h.alignment[i] = take_float(&r);
    else
        take_weights(&r, width, weights, h.alignment);
    if (r.is_short || r.at != r.end)
        return damaged(err);
    *out = h;
    return STATUS_OK;
}

/* ---- pieces and spans ---- */

static bool take_ids(struct reader *r, const struct vocabulary *v, int32_t *ids, int count)
{
    for (int i = 0; i < count; i++)
        ids[i] = (int32_t)take_upto(r, (uint64_t)vocabulary_size(v) - 1);
    return !r->is_short;
}

/* The next span, which must be within `all`. */
static bool take_span(struct reader *r, struct span all, uint32_t *at, struct span *out)
{
    const uint64_t code = take_number(r);
    int64_t from = (int64_t)*at + (int64_t)(code & GAP_FOLLOWS);
    if ((code & GAP_FOLLOWS) == GAP_FOLLOWS) {
        const uint64_t gap = take_number(r);
        from = (int64_t)*at;
        if (gap >> 1 > UINT32_MAX)
            return false;
        from += (int64_t)(gap >> 1) ^ -(int64_t)(gap & 1);
    }
    if (r->is_short || from < all.from || from > all.to || code >> 2 > all.to - (uint64_t)from)
        return false;
    *out = (struct span){ (uint32_t)from, (uint32_t)from + (uint32_t)(code >> 2) };
    *at = out->to;
    return true;
}

/* The sentence's place in the text, behind `from`, and its pieces. */
static enum status unpack_source(const struct vocabulary *v, struct blob blob, uint32_t from,
                                 size_t len, struct arena *arena, struct engine_sentence *out,
                                 struct error *err)
{
    struct reader r = reader_of(blob);
    struct engine_sentence s = { .source.from = take_upto(&r, len) };
    s.source.to = s.source.from + take_upto(&r, len - s.source.from);
    s.split = take_upto(&r, 1);
    s.tokens.count = take_count(&r);
    if (r.is_short || s.source.from < from)
        return damaged(err);
    s.tokens.ids = arena_array(arena, int32_t, s.tokens.count + 1);
    s.tokens.spans = arena_array(arena, struct span, s.tokens.count + 1);
    if (!s.tokens.ids || !s.tokens.spans)
        return no_memory(err);
    uint32_t at = s.source.from;
    bool good = take_ids(&r, v, s.tokens.ids, s.tokens.count);
    for (int i = 0; good && i < s.tokens.count; i++)
        good = take_span(&r, s.source, &at, &s.tokens.spans[i]);
    if (!good || r.at != r.end)
        return damaged(err);
    *out = s;
    return STATUS_OK;
}

/* A text that is not what the pieces spell. */
static enum status unpack_text(struct reader *r, int pieces, struct arena *arena,
                               struct detokenised *out, struct error *err)
{
    const uint32_t len = take_upto(r, (uint64_t)(r->end - r->at));
    uint32_t at = 0;
    if (len > r->end - r->at || utf8_check((const char *)r->at, len, NULL) != STATUS_OK)
        return damaged(err);
    char *text = arena_copy(arena, (const char *)r->at, len);
    struct span *spans = arena_array(arena, struct span, pieces + 1);
    if (!text || !spans)
        return no_memory(err);
    r->at += len;
    for (int i = 0; i < pieces; i++)
        if (!take_span(r, (struct span){ 0, len }, &at, &spans[i]))
            return damaged(err);
    *out = (struct detokenised){ .text = text, .len = len, .spans = spans };
    return STATUS_OK;
}

static enum status unpack_target(const struct vocabulary *v, struct blob blob, struct arena *arena,
                                 struct hypothesis *h, struct detokenised *text, struct error *err)
{
    struct reader r = reader_of(blob);
    if (take_count(&r) != h->T || r.is_short)
        return damaged(err);
    h->ids = arena_array(arena, int32_t, h->T + 1);
    if (!h->ids)
        return no_memory(err);
    if (!take_ids(&r, v, h->ids, h->T))
        return damaged(err);
    if (r.at == r.end)
        return tokenizer_decode(v, h->ids, h->T, arena, text, err);
    enum status status = unpack_text(&r, h->T, arena, text, err);
    return status == STATUS_OK && r.at != r.end ? damaged(err) : status;
}

/* ---- sentences ---- */

static enum status unpack_hypothesis(const struct vocabulary *v,
                                     const struct packed_hypothesis *packed, struct arena *arena,
                                     struct engine_sentence *s, struct error *err)
{
    struct hypothesis *h = &s->translation.best[packed->number];
    enum status status = unpack_alignment(packed->alignment, arena, h, err);
    if (status == STATUS_OK && h->S != s->tokens.count + 1)
        status = damaged(err);
    if (status == STATUS_OK)
        status = unpack_target(v, packed->target, arena, h, &s->texts[packed->number], err);
    if (status != STATUS_OK)
        return status;
    h->score = packed->score;
    if (packed->number == 0)
        s->truncated = !h->finished;
    return STATUS_OK;
}

static int count_hypotheses(const struct packed_hypothesis *hypotheses, int count)
{
    int n = 1;
    while (n < count && hypotheses[n].sentence == hypotheses[0].sentence)
        n++;
    return n;
}

/* The sentence whose hypotheses are the first of these. */
static enum status unpack_sentence(const struct vocabulary *v,
                                   const struct packed_hypothesis *hypotheses, int count,
                                   uint32_t from, size_t len, struct arena *arena,
                                   struct engine_sentence *out, struct error *err)
{
    struct engine_sentence s;
    enum status status = unpack_source(v, hypotheses[0].source, from, len, arena, &s, err);
    if (status != STATUS_OK)
        return status;
    s.translation.count = count;
    s.translation.best = arena_array(arena, struct hypothesis, count);
    s.texts = arena_array(arena, struct detokenised, count);
    if (!s.translation.best || !s.texts)
        return no_memory(err);
    for (int k = 0; status == STATUS_OK && k < count; k++)
        status = hypotheses[k].number == k ? unpack_hypothesis(v, &hypotheses[k], arena, &s, err)
                                           : damaged(err);
    *out = s;
    return status;
}

enum status answer_unpack(const struct vocabulary *vocabulary, const char *text, size_t len,
                          const struct packed_hypothesis *hypotheses, int count,
                          struct arena *arena, struct engine_answer *out, struct error *err)
{
    struct engine_sentence *sentences = arena_array(arena, struct engine_sentence, count + 1);
    enum status status = sentences ? STATUS_OK : no_memory(err);
    int n = 0;
    for (int i = 0; status == STATUS_OK && i < count; n++) {
        const int of_it = count_hypotheses(&hypotheses[i], count - i);
        const uint32_t from = n > 0 ? sentences[n - 1].source.to : 0;
        status = unpack_sentence(vocabulary, &hypotheses[i], of_it, from, len, arena, &sentences[n],
                                 err);
        i += of_it;
    }
    return status == STATUS_OK ? answer_compose(text, len, sentences, n, arena, out, err) : status;
}
