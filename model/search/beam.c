/*
 * beam.c - beam search with length normalisation for one sentence.
 *
 *   k width   V pieces that may come   d depth
 *
 * A step looks at the k·V continuations of all rows. Of the best 2k, at least k
 * are not </s>, as each row has </s> once. A row whose </s> is among the best k
 * ends there, and the best k endings are kept; the best k that are not </s> are
 * the rows of the next depth, less those that cannot win any more. The search
 * is over when no row is left or at the length limit. A beam of 1 is greedy: it
 * is over at the first </s>.
 *
 *     score = log P / |Y|^power + β Σ_s log min(Σ_t a_ts, 1)      s: source pieces without </s>
 */
#include "model/search/beam.h"

#include <math.h>
#include <string.h>

#include "model/search/phrases.h"

#define COVERAGE_LEAST 1e-6f // of a source piece, so that its logarithm is a number

void beam_lay_out(struct beam *beam, struct arena *arena, int width, int S, int steps)
{
    const size_t k = (size_t)width, rows = (size_t)steps * k;
    beam->nodes = arena_array(arena, struct beam_node, rows + k);
    beam->alignment = arena_array(arena, real, rows * (size_t)S);
    beam->candidates = arena_array(arena, struct beam_candidate, 2 * k);
    beam->endings = arena_array(arena, struct beam_ending, k);
    beam->totals = arena_array(arena, float, k);
    beam->coverage = arena_array(arena, float, S);
}

void beam_start(struct beam *beam, const struct search_options *options, int S, int steps)
{
    beam->options = *options;
    beam->forced = NULL;
    beam->forced_count = 0;
    beam->phrases = NULL;
    beam->S = S;
    beam->steps = steps;
    beam->depth = 0;
    beam->live = 1;
    beam->ended = 0;
    beam->totals[0] = 0;
}

void beam_force(struct beam *beam, const int32_t *ids, int count)
{
    beam->forced = ids;
    beam->forced_count = count;
}

void beam_require(struct beam *beam, struct phrases *phrases)
{
    beam->phrases = phrases;
}

static struct beam_node *node_at(const struct beam *beam, int depth, int row)
{
    return &beam->nodes[(size_t)depth * (size_t)beam->options.beam + (size_t)row];
}

static real *alignment_at(const struct beam *beam, int depth, int row)
{
    const size_t rows = (size_t)depth * (size_t)beam->options.beam + (size_t)row;
    return beam->alignment + rows * (size_t)beam->S;
}

int32_t beam_previous(const struct beam *beam, int row)
{
    return beam->depth ? node_at(beam, beam->depth, row)->id : BEAM_BOS;
}

int beam_parent(const struct beam *beam, int row)
{
    return node_at(beam, beam->depth, row)->parent;
}

/* ---- the best continuations ---- */

struct ranking {
    struct beam_candidate *list; // best first; equals in the order they came
    int count, capacity;
    float floor; // a total must be above it to be let in
};

static void rank(struct ranking *ranking, struct beam_candidate candidate)
{
    struct beam_candidate *list = ranking->list;
    int at = ranking->count < ranking->capacity ? ranking->count++ : ranking->capacity - 1;
    for (; at > 0 && list[at - 1].total < candidate.total; at--)
        list[at] = list[at - 1];
    list[at] = candidate;
    if (ranking->count == ranking->capacity)
        ranking->floor = list[ranking->capacity - 1].total;
}

int beam_last_pieces(const struct beam *beam, int row, int most, int32_t *ids)
{
    int count = 0;
    for (int depth = beam->depth; depth > 0 && count < most; depth--) {
        const struct beam_node *node = node_at(beam, depth, row);
        ids[count++] = node->id;
        row = node->parent;
    }
    return count;
}

struct banned beam_banned(const struct beam *beam, int row)
{
    const int repeats = beam->options.repeats;
    int32_t last[REPEATED_PIECES_MAX * (REPEATS_MAX + 1)];
    struct banned banned = { .count = 0 };
    if (beam->phrases && !phrases_are_met(beam->phrases, row))
        banned.ids[banned.count++] = BEAM_EOS;
    if (repeats == 0)
        return banned;
    const int known = beam_last_pieces(beam, row, REPEATED_PIECES_MAX * (repeats + 1) - 1, last);
    for (int n = 1; n <= REPEATED_PIECES_MAX && n * (repeats + 1) - 1 <= known; n++) {
        int same = 0;
        while (same < n * repeats - 1 && last[same] == last[same + n])
            same++;
        if (same == n * repeats - 1)
            banned.ids[banned.count++] = last[n - 1];
    }
    return banned;
}

/* Nothing that is not a number, or impossible, is above any floor. */
static void rank_row(struct ranking *ranking, const struct kernels *kernels, int row, float total,
                     const real *log_probs, const int32_t *ids, int count,
                     const struct banned *banned)
{
    for (int i = ids ? 0 : BEAM_EOS;; i++) {
        i += kernels->first_above(count - i, log_probs + i, total, ranking->floor);
        if (i == count)
            return;
        const int32_t id = ids ? ids[i] : i;
        if (!is_banned(banned, id))
            rank(ranking, (struct beam_candidate){ row, id, log_probs[i], total + log_probs[i] });
    }
}

/* By total, then lower row, then lower id. */
static int rank_all(struct beam *beam, const struct kernels *kernels, const real *log_probs,
                    const int32_t *ids, int count)
{
    struct ranking ranking = { .list = beam->candidates,
                               .capacity = 2 * beam->options.beam,
                               .floor = -INFINITY };
    for (int row = 0; row < beam->live; row++) {
        const struct banned banned = beam_banned(beam, row);
        rank_row(&ranking, kernels, row, beam->totals[row], log_probs + (size_t)row * (size_t)count,
                 ids, count, &banned);
    }
    return ranking.count;
}

/* The only one there is where a piece is forced, however improbable. */
static int take_forced(struct beam *beam, const real *log_probs)
{
    const int32_t id = beam->forced[beam->depth];
    beam->candidates[0] =
        (struct beam_candidate){ 0, id, log_probs[id], beam->totals[0] + log_probs[id] };
    return 1;
}

/* ---- one step ---- */

/* Without the penalty, which is never above 0: no hypothesis scores more. */
static float bound(const struct beam *beam, float total, int pieces)
{
    return total / powf((float)pieces, beam->options.length_power);
}

static void add_coverage(const struct beam *beam, int depth, int row)
{
    const real *alignment = alignment_at(beam, depth, row);
    for (int s = 0; s < beam->S - 1; s++)
        beam->coverage[s] += alignment[s];
}

/* Of the pieces of a row and, if it has ended, of the </s> behind them. */
static float coverage(const struct beam *beam, int depth, int row, bool ended)
{
    float sum = 0;
    memset(beam->coverage, 0, (size_t)beam->S * sizeof *beam->coverage);
    if (ended)
        add_coverage(beam, depth, row);
    for (; depth > 0; depth--) {
        row = node_at(beam, depth, row)->parent;
        add_coverage(beam, depth - 1, row);
    }
    for (int s = 0; s < beam->S - 1; s++)
        sum += logf(fminf(fmaxf(beam->coverage[s], COVERAGE_LEAST), 1));
    return sum;
}

static float score(const struct beam *beam, float total, int depth, int row, bool ended)
{
    const float normalised = bound(beam, total, depth + ended);
    if (beam->options.coverage_penalty == 0)
        return normalised;
    return normalised + beam->options.coverage_penalty * coverage(beam, depth, row, ended);
}

/* The best k endings are kept. */
static void end_row(struct beam *beam, const struct beam_candidate *c)
{
    struct beam_ending ending = { beam->depth, c->row, c->log_prob, c->total,
                                  score(beam, c->total, beam->depth, c->row, true) };
    int at = beam->ended;
    if (at < beam->options.beam)
        beam->ended++;
    else if (beam->endings[--at].score >= ending.score)
        return;
    for (; at > 0 && beam->endings[at - 1].score < ending.score; at--)
        beam->endings[at] = beam->endings[at - 1];
    beam->endings[at] = ending;
}

/* A total only falls, and the longest hypothesis divides it by most: a row that cannot beat the
 * last wanted ending even so never will. Nor would a row that takes the place of one of its
 * continuations, as that has a lower total: to drop the row changes no result. */
static bool can_win(const struct beam *beam, int row)
{
    const int wanted = beam->options.n_best;
    return beam->ended < wanted ||
           bound(beam, beam->totals[row], beam->steps) > beam->endings[wanted - 1].score;
}

bool beam_advance(struct beam *beam, const struct kernels *kernels, const real *log_probs,
                  const int32_t *ids, int count, const real *alignment, int ld)
{
    const int width = beam->options.beam;
    const bool forced = beam->depth < beam->forced_count;
    int found =
        forced ? take_forced(beam, log_probs) : rank_all(beam, kernels, log_probs, ids, count);
    if (beam->phrases)
        found =
            phrases_choose(beam->phrases, beam, found, forced ? 0 : beam->live, log_probs, count);
    if (found == 0)
        return false; // nothing is possible: what there is stays unfinished

    for (int row = 0; row < beam->live; row++)
        memcpy(alignment_at(beam, beam->depth, row), alignment + (size_t)row * (size_t)ld,
               (size_t)beam->S * sizeof *alignment);
    int live = 0;
    for (int i = 0; i < found; i++) {
        const struct beam_candidate *c = &beam->candidates[i];
        if (c->id == BEAM_EOS) {
            if (i < width)
                end_row(beam, c);
        } else if (live < width) {
            *node_at(beam, beam->depth + 1, live) =
                (struct beam_node){ c->row, c->id, c->log_prob };
            beam->totals[live++] = c->total;
        }
    }
    beam->depth++;
    beam->live = live;
    while (beam->live > 0 && !can_win(beam, beam->live - 1))
        beam->live--;
    return beam->live > 0 && beam->depth < beam->steps && !(width == 1 && beam->ended);
}

/* ---- the result ---- */

/* Pieces, log-probabilities and alignment of the row at this depth, walking up from its end. */
static bool trace_back(const struct beam *beam, int depth, int row,
                       const struct beam_ending *ending, struct arena *results,
                       struct hypothesis *h)
{
    const size_t S = (size_t)beam->S, rows = (size_t)depth + (ending ? 1 : 0);
    h->T = depth;
    h->S = beam->S;
    h->ids = arena_array(results, int32_t, depth);
    h->log_probs = arena_array(results, float, rows);
    h->alignment = arena_array(results, float, rows *S);
    if (!h->ids || !h->log_probs || !h->alignment)
        return false;

    if (ending) {
        h->log_probs[depth] = ending->log_prob;
        memcpy(h->alignment + (size_t)depth * S, alignment_at(beam, depth, row), S * sizeof(float));
    }
    for (int t = depth; t > 0; t--) {
        const struct beam_node *node = node_at(beam, t, row);
        row = node->parent;
        h->ids[t - 1] = node->id;
        h->log_probs[t - 1] = node->log_prob;
        memcpy(h->alignment + (size_t)(t - 1) * S, alignment_at(beam, t - 1, row),
               S * sizeof(float));
    }
    return true;
}

static bool collect_ending(const struct beam *beam, const struct beam_ending *ending,
                           struct arena *results, struct hypothesis *h)
{
    h->finished = true;
    h->log_prob = ending->total;
    h->score = ending->score;
    return trace_back(beam, ending->depth, ending->row, ending, results, h);
}

static bool collect_row(const struct beam *beam, int row, struct arena *results,
                        struct hypothesis *h)
{
    h->finished = false;
    h->log_prob = beam->totals[row];
    h->score = beam->depth ? score(beam, beam->totals[row], beam->depth, row, false) : 0;
    return trace_back(beam, beam->depth, row, NULL, results, h);
}

/* The n-th of the rows that are left: first those that have all phrases. */
static int left_row(const struct beam *beam, int n)
{
    for (int with = 1; beam->phrases && with >= 0; with--)
        for (int row = 0; row < beam->live; row++)
            if (phrases_are_met(beam->phrases, row) == with && n-- == 0)
                return row;
    return n;
}

bool beam_collect(const struct beam *beam, struct arena *results, struct translation *out)
{
    const int all = beam->ended + beam->live;
    const int count = all < beam->options.n_best ? all : beam->options.n_best;
    struct hypothesis *best = arena_array(results, struct hypothesis, count);

    if (!best)
        return false;
    for (int i = 0; i < count; i++) {
        const bool ok = i < beam->ended
                            ? collect_ending(beam, &beam->endings[i], results, &best[i])
                            : collect_row(beam, left_row(beam, i - beam->ended), results, &best[i]);
        if (!ok)
            return false;
    }
    *out = (struct translation){ .best = best, .count = count };
    return true;
}

/* ---- what is certain ---- */

static uint64_t parents_of(const struct beam *beam, int depth, uint64_t rows)
{
    uint64_t parents = 0;
    for (; rows; rows &= rows - 1)
        parents |= (uint64_t)1 << node_at(beam, depth, __builtin_ctzll(rows))->parent;
    return parents;
}

/* Two rows of a depth never have the same pieces: what is shared ends where the ways up meet. */
bool beam_certain(const struct beam *beam, int known, struct arena *results, struct hypothesis *out)
{
    const struct beam_ending *best = beam->ended ? &beam->endings[0] : NULL;
    uint64_t rows = beam->live ? ~(uint64_t)0 >> (BEAM_MAX - beam->live) : 0; // at `depth`
    int depth = beam->depth;
    for (; depth > known; depth--) {
        if (best && best->depth == depth)
            rows |= (uint64_t)1 << best->row;
        if (rows && (rows & (rows - 1)) == 0 && (!best || best->depth >= depth))
            break;
        rows = parents_of(beam, depth, rows);
    }
    if (depth <= known)
        return false;
    *out = (struct hypothesis){ 0 };
    return trace_back(beam, depth, __builtin_ctzll(rows), NULL, results, out);
}
