/*
 * word_links.c - pieces joined to words, and all that is known of them.
 */
#include "server/engine/word_links.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

#define SPACE_MARK "\xE2\x96\x81" // "▁", U+2581
#define SPACE_MARK_BYTES (sizeof SPACE_MARK - 1)

/* ---- words ---- */

enum piece_class { CLASS_EMPTY, CLASS_PUNCTUATION, CLASS_WORD };

/* Which word each piece belongs to, and the bytes of each word. */
struct grouping {
    int pieces;
    int *word_of;       // (pieces)
    bool *begins;       // (pieces) a word, if the one before it has any bytes
    struct span *words; // (count)
    bool *is_word;      // (count) not punctuation
    int count;
};

static bool starts_word(const struct vocabulary *v, int32_t id)
{
    return strncmp(vocabulary_piece(v, id)->text, SPACE_MARK, SPACE_MARK_BYTES) == 0;
}

static enum piece_class class_of(const struct vocabulary *v, int32_t id)
{
    const struct piece *piece = vocabulary_piece(v, id);
    const size_t len = (size_t)piece->len;
    size_t at = starts_word(v, id) ? SPACE_MARK_BYTES : 0;
    int bytes;
    if (piece->kind == PIECE_BYTE)
        return CLASS_WORD;
    if (at == len)
        return CLASS_EMPTY;
    for (; at < len; at += (size_t)bytes)
        if (!character_is_punctuation(utf8_next(piece->text + at, len - at, &bytes)))
            return CLASS_WORD;
    return CLASS_PUNCTUATION;
}

static bool is_empty(struct span span)
{
    return span.from == span.to;
}

/* Pieces [from,to) stand between two spaces: punctuation at their ends is apart. */
static void mark_words(const struct vocabulary *v, const int32_t *ids, int from, int to,
                       bool *begins)
{
    int first = from, last = to;
    bool leads = false;
    while (first < to && class_of(v, ids[first]) != CLASS_WORD)
        leads |= class_of(v, ids[first++]) == CLASS_PUNCTUATION;
    while (last > first && class_of(v, ids[last - 1]) != CLASS_WORD)
        last--;
    begins[from] = true;
    if (leads && first < to)
        begins[first] = true;
    if (last > first && last < to)
        begins[last] = true;
}

static void mark_all(const struct vocabulary *v, const int32_t *ids, int pieces, bool *begins)
{
    int from = 0;
    memset(begins, 0, sizeof *begins * (size_t)pieces);
    for (int i = 1; i <= pieces; i++)
        if (i == pieces || starts_word(v, ids[i])) {
            mark_words(v, ids, from, i, begins);
            from = i;
        }
}

/* A last word without bytes is part of the one before it. */
static void drop_empty_last(struct grouping *g)
{
    if (g->count == 0 || !is_empty(g->words[g->count - 1]))
        return;
    g->count--;
    for (int i = 0; i < g->pieces; i++)
        if (g->word_of[i] == g->count)
            g->word_of[i] = g->count - 1;
}

static void group(const struct vocabulary *v, const int32_t *ids, const struct span *spans,
                  struct grouping *g)
{
    if (g->pieces > 0)
        mark_all(v, ids, g->pieces, g->begins);
    for (int i = 0; i < g->pieces; i++) {
        if (g->count == 0 || (g->begins[i] && !is_empty(g->words[g->count - 1]))) {
            g->words[g->count] = spans[i];
            g->is_word[g->count++] = false;
        }
        struct span *word = &g->words[g->count - 1];
        if (is_empty(*word))
            *word = spans[i];
        else if (spans[i].to > word->to)
            word->to = spans[i].to;
        g->is_word[g->count - 1] |= class_of(v, ids[i]) == CLASS_WORD;
        g->word_of[i] = g->count - 1;
    }
    drop_empty_last(g);
}

static bool grouping_init(struct grouping *g, int pieces, struct arena *arena)
{
    *g = (struct grouping){ .pieces = pieces,
                            .word_of = arena_array(arena, int, pieces + 1),
                            .begins = arena_array(arena, bool, pieces + 1),
                            .words = arena_array(arena, struct span, pieces + 1),
                            .is_word = arena_array(arena, bool, pieces + 1) };
    return g->word_of && g->begins && g->words && g->is_word;
}

/* The spans of a hypothesis' pieces without the space in front of each. */
static struct span *trimmed_spans(const struct detokenised *text, int pieces, struct arena *arena)
{
    struct span *spans = arena_array(arena, struct span, pieces + 1);
    for (int i = 0; spans && i < pieces; i++) {
        struct span s = text->spans[i];
        int bytes;
        while (s.from < s.to &&
               character_is_space(utf8_next(text->text + s.from, s.to - s.from, &bytes)))
            s.from += (uint32_t)bytes;
        spans[i] = s;
    }
    return spans;
}

/* ---- what the weights say ---- */

static float *row_of(const struct word_alignment *out, int t)
{
    return out->weights + (size_t)t * (size_t)(out->S + 1);
}

/* Add the row and the log-probability of each target piece to its word's, then divide the weights
 * by the number of pieces. */
static void add_up(const struct hypothesis *h, const struct grouping *source,
                   const struct grouping *target, int *pieces_in, struct word_alignment *out)
{
    const int S = out->S, T = out->T;
    memset(out->weights, 0, sizeof *out->weights * (size_t)T * (size_t)(S + 1));
    for (int t = 0; t < T; t++) {
        out->log_probs[t] = 0;
        pieces_in[t] = 0;
    }
    for (int i = 0; i < h->T && T > 0; i++) {
        const float *row = h->alignment + (size_t)i * (size_t)h->S;
        const int t = target->word_of[i];
        float *sum = row_of(out, t);
        for (int s = 0; s < h->S - 1; s++)
            sum[S > 0 ? source->word_of[s] : 0] += row[s];
        sum[S] += row[h->S - 1];
        out->log_probs[t] += h->log_probs[i];
        pieces_in[t]++;
    }
    for (int t = 0; t < T; t++)
        for (int s = 0; s <= S; s++)
            row_of(out, t)[s] /= (float)pieces_in[t];
}

static int link_of(const float *row, int S)
{
    int best = S;
    for (int s = S - 1; s >= 0; s--)
        if (row[s] > 0 && row[s] >= row[best])
            best = s;
    return best == S ? -1 : best;
}

static float spread_of(const float *row, int S)
{
    float entropy = 0;
    for (int s = 0; s <= S; s++)
        if (row[s] > 0)
            entropy -= row[s] * logf(row[s]);
    const float spread = S > 0 ? entropy / logf((float)(S + 1)) : 0;
    return spread < 0 ? 0 : spread > 1 ? 1 : spread; // rounding
}

static void weigh(const int *pieces_in, struct word_alignment *out)
{
    for (int s = 0; s < out->S; s++)
        out->coverage[s] = 0;
    for (int t = 0; t < out->T; t++) {
        const float *row = row_of(out, t);
        for (int s = 0; s < out->S; s++)
            out->coverage[s] += row[s];
        out->links[t] = link_of(row, out->S);
        const float probability = expf(out->log_probs[t] / (float)pieces_in[t]);
        out->confidence[t] = probability * (1 - spread_of(row, out->S) / 2);
    }
}

/* ---- warnings ---- */

static void warn(struct word_alignment *out, enum word_warning_kind kind, struct span span)
{
    out->warnings[out->warning_count++] = (struct word_warning){ .kind = kind, .span = span };
}

static bool attends(const struct hypothesis *h)
{
    const size_t weights = (size_t)(h->T + (h->finished ? 1 : 0)) * (size_t)h->S;
    for (size_t i = 0; i < weights; i++)
        if (h->alignment[i] > 0)
            return true;
    return false;
}

static void warn_of_uncovered(const struct grouping *source, struct word_alignment *out)
{
    for (int s = 0; s < out->S; s++)
        if (source->is_word[s] && out->coverage[s] < UNCOVERED_BELOW)
            warn(out, WARNING_UNCOVERED, out->source[s]);
}

static bool has_word(const struct vocabulary *v, const int32_t *ids, int count)
{
    for (int i = 0; i < count; i++)
        if (class_of(v, ids[i]) == CLASS_WORD)
            return true;
    return false;
}

/* How many pieces from `at` on are the same `phrase` pieces again and again. */
static int repeated(const int32_t *ids, int count, int at, int phrase)
{
    int end = at + phrase;
    while (end < count && ids[end] == ids[end - phrase])
        end++;
    return (end - at) / phrase * phrase;
}

/* The first phrase that is said too often: pieces [*from,*to). */
static bool find_repetition(const struct vocabulary *v, const int32_t *ids, int count, int *from,
                            int *to)
{
    for (int at = 0; at < count; at++)
        for (int phrase = 1; phrase <= REPETITION_PIECES_MAX && at + 2 * phrase <= count;
             phrase++) {
            const int times =
                phrase >= REPETITION_PIECES_LONG ? REPETITION_TIMES_LONG : REPETITION_TIMES_SHORT;
            const int length = repeated(ids, count, at, phrase);
            if (length >= times * phrase && has_word(v, ids + at, phrase)) {
                *from = at;
                *to = at + length;
                return true;
            }
        }
    return false;
}

static void warn_of_repetition(const struct vocabulary *v, const struct tokens *source,
                               const struct hypothesis *h, const struct span *spans,
                               struct word_alignment *out)
{
    int from, to, in_source_from, in_source_to;
    if (!find_repetition(v, h->ids, h->T, &from, &to) ||
        find_repetition(v, source->ids, source->count, &in_source_from, &in_source_to))
        return;
    warn(out, WARNING_REPETITION, (struct span){ spans[from].from, spans[to - 1].to });
}

const char *word_warning_name(enum word_warning_kind kind)
{
    static const char *const names[WORD_WARNING_KINDS] = { [WARNING_UNCOVERED] = "uncovered",
                                                           [WARNING_REPETITION] = "repetition",
                                                           [WARNING_SPLIT] = "split",
                                                           [WARNING_TRUNCATED] = "truncated" };
    return names[kind];
}

bool word_warning_is_of_source(enum word_warning_kind kind)
{
    return kind == WARNING_UNCOVERED || kind == WARNING_SPLIT;
}

/* ---- all together ---- */

static bool lay_out(struct word_alignment *out, struct arena *arena)
{
    const size_t S = (size_t)out->S, T = (size_t)out->T;
    out->weights = arena_array(arena, float, (T + 1) * (S + 1));
    out->links = arena_array(arena, int, T + 1);
    out->coverage = arena_array(arena, float, S + 1);
    out->log_probs = arena_array(arena, float, T + 1);
    out->confidence = arena_array(arena, float, T + 1);
    out->warnings = arena_array(arena, struct word_warning, S + 3);
    return out->weights && out->links && out->coverage && out->log_probs && out->confidence &&
           out->warnings;
}

/* Each piece is a word of its own. */
static void keep_pieces(const struct vocabulary *v, const int32_t *ids, const struct span *spans,
                        struct grouping *g)
{
    for (int i = 0; i < g->pieces; i++) {
        g->words[i] = spans[i];
        g->is_word[i] = class_of(v, ids[i]) == CLASS_WORD;
        g->word_of[i] = i;
    }
    g->count = g->pieces;
}

enum level { LEVEL_WORD, LEVEL_PIECE };

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the alignment needs more memory than a request has: ask for fewer sentences");
}

static void warn_of_all(const struct vocabulary *vocabulary, const struct engine_sentence *sentence,
                        int hypothesis, const struct grouping *source, const struct span *spans,
                        struct word_alignment *out)
{
    const struct hypothesis *h = &sentence->translation.best[hypothesis];
    if (attends(h))
        warn_of_uncovered(source, out);
    warn_of_repetition(vocabulary, &sentence->tokens, h, spans, out);
    if (sentence->split)
        warn(out, WARNING_SPLIT, sentence->source);
    if (!h->finished)
        warn(out, WARNING_TRUNCATED, (struct span){ 0, (uint32_t)sentence->texts[hypothesis].len });
}

static enum status align_level(enum level level, const struct vocabulary *vocabulary,
                               const struct engine_sentence *sentence, int hypothesis,
                               struct arena *arena, struct word_alignment *out, struct error *err)
{
    assert(hypothesis >= 0 && hypothesis < sentence->translation.count);
    const struct tokens *tokens = &sentence->tokens;
    const struct hypothesis *h = &sentence->translation.best[hypothesis];
    void (*const join)(const struct vocabulary *, const int32_t *, const struct span *,
                       struct grouping *) = level == LEVEL_WORD ? group : keep_pieces;
    struct grouping source, target;
    struct word_alignment words = { 0 };
    struct span *spans = trimmed_spans(&sentence->texts[hypothesis], h->T, arena);
    int *pieces_in = arena_array(arena, int, h->T + 1); // of each target word
    assert(h->S == tokens->count + 1);
    if (!spans || !pieces_in || !grouping_init(&source, tokens->count, arena) ||
        !grouping_init(&target, h->T, arena))
        return no_memory(err);
    join(vocabulary, tokens->ids, tokens->spans, &source);
    join(vocabulary, h->ids, spans, &target);
    words.S = source.count;
    words.T = target.count; // an answer of nothing but spaces has none
    words.source = source.words;
    words.target = target.words;
    if (!lay_out(&words, arena))
        return no_memory(err);
    add_up(h, &source, &target, pieces_in, &words);
    weigh(pieces_in, &words);
    if (level == LEVEL_WORD)
        warn_of_all(vocabulary, sentence, hypothesis, &source, spans, &words);
    *out = words;
    return STATUS_OK;
}

enum status word_alignment(const struct vocabulary *vocabulary,
                           const struct engine_sentence *sentence, int hypothesis,
                           struct arena *arena, struct word_alignment *out, struct error *err)
{
    return align_level(LEVEL_WORD, vocabulary, sentence, hypothesis, arena, out, err);
}

enum status piece_alignment(const struct vocabulary *vocabulary,
                            const struct engine_sentence *sentence, int hypothesis,
                            struct arena *arena, struct word_alignment *out, struct error *err)
{
    struct word_alignment words;
    enum status status = word_alignment(vocabulary, sentence, hypothesis, arena, &words, err);
    if (status == STATUS_OK)
        status = align_level(LEVEL_PIECE, vocabulary, sentence, hypothesis, arena, out, err);
    if (status != STATUS_OK)
        return status;
    out->warnings = words.warnings;
    out->warning_count = words.warning_count;
    return STATUS_OK;
}
