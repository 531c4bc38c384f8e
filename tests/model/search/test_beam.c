/*
 * test_beam.c - which hypotheses live, end and win, on log-probabilities
 * written by hand.
 */
#include "tests/helpers.h"

#include "base/arena.h"
#include "model/search/beam.h"

enum { V = 7, WIDTH = 4, S = 3, STEPS = 8, A = 4, B = 5, C = 6, EOS = BEAM_EOS };
#define NEVER (-INFINITY)

static struct arena block, results;
static struct beam beam;
static real log_probs[WIDTH * V], alignment[WIDTH * S];

static void begin(int width, int n_best, float power, int steps)
{
    const struct search_options options = {
        .beam = width, .n_best = n_best, .length_power = power, .length_ratio = 1
    };
    struct arena size = arena_measure();
    beam_lay_out(&beam, &size, WIDTH, S, STEPS);
    ck_assert(arena_init(&block, size.used));
    ck_assert(arena_init(&results, 1 << 20));
    beam_lay_out(&beam, &block, WIDTH, S, STEPS);
    beam_start(&beam, &options, S, steps);
}

static void end(void)
{
    arena_release(&block);
    arena_release(&results);
}

/* What a row may do next; pieces not named are impossible. Its alignment tells depth and row. */
static void row_says(int row, real eos, real a, real b, real c)
{
    const real row_probs[V] = { NEVER, NEVER, NEVER, eos, a, b, c };
    memcpy(log_probs + row * V, row_probs, sizeof row_probs);
    for (int s = 0; s < S; s++)
        alignment[row * S + s] = (real)(100 * beam.depth + 10 * row + s);
}

static bool advance(void)
{
    return beam_advance(&beam, &kernels_reference, log_probs, NULL, V, alignment, S);
}

static struct translation collect(void)
{
    struct translation t;
    ck_assert(beam_collect(&beam, &results, &t));
    return t;
}

static void assert_ids(const struct hypothesis *h, int n, const int32_t *ids)
{
    ck_assert_int_eq(h->T, n);
    for (int t = 0; t < n; t++)
        ck_assert_int_eq(h->ids[t], ids[t]);
}

/* ---- choosing ---- */

START_TEST(a_beam_of_one_is_greedy)
{
    begin(1, 1, 0, STEPS);
    row_says(0, -3, -1, -2, -4);
    ck_assert(advance());
    ck_assert_int_eq(beam.live, 1);
    ck_assert_int_eq(beam_previous(&beam, 0), A);
    row_says(0, -1, -2, -2, -2);
    ck_assert(!advance());
    struct translation t = collect();
    ck_assert_int_eq(t.count, 1);
    ck_assert(t.best->finished);
    assert_ids(t.best, 1, (int32_t[]){ A });
    ck_assert_float_eq(t.best->log_prob, -2);
    end();
}
END_TEST

START_TEST(the_first_piece_before_is_the_start_mark)
{
    begin(2, 1, 0, STEPS);
    ck_assert_int_eq(beam.live, 1);
    ck_assert_int_eq(beam_previous(&beam, 0), BEAM_BOS);
    end();
}
END_TEST

/* At first B looks better; with what follows A is. Greedy search would take B. */
START_TEST(a_beam_keeps_what_greedy_search_loses)
{
    begin(2, 2, 0, STEPS);
    row_says(0, NEVER, -1.0f, -0.5f, -5);
    ck_assert(advance());
    ck_assert_int_eq(beam_previous(&beam, 0), B);
    ck_assert_int_eq(beam_previous(&beam, 1), A);
    row_says(0, -3, -4, -4, -4);
    row_says(1, -0.1f, -4, -4, -4);
    ck_assert(!advance());
    struct translation t = collect();
    ck_assert_int_eq(t.count, 2);
    assert_ids(&t.best[0], 1, (int32_t[]){ A });
    assert_ids(&t.best[1], 1, (int32_t[]){ B });
    ck_assert_float_eq(t.best[0].log_prob, -1.0f + -0.1f);
    end();
}
END_TEST

START_TEST(among_equals_the_lower_row_then_the_lower_id_comes_first)
{
    begin(3, 1, 0, STEPS);
    row_says(0, NEVER, -1, -1, -1);
    ck_assert(advance());
    for (int r = 0; r < 3; r++)
        ck_assert_int_eq(beam_previous(&beam, r), A + r);
    for (int r = 0; r < 3; r++)
        row_says(r, NEVER, -2, -1, -1);
    ck_assert(advance());
    const int parents[] = { 0, 0, 1 }, ids[] = { B, C, B };
    for (int r = 0; r < 3; r++) {
        ck_assert_int_eq(beam_parent(&beam, r), parents[r]);
        ck_assert_int_eq(beam_previous(&beam, r), ids[r]);
    }
    end();
}
END_TEST

START_TEST(padding_unknown_and_the_start_mark_are_never_chosen)
{
    begin(2, 2, 0, STEPS);
    row_says(0, -50, -60, -70, -80);
    log_probs[0] = log_probs[1] = log_probs[2] = -0.001f;
    ck_assert(advance());
    ck_assert_int_eq(beam.ended, 1);
    ck_assert_int_eq(beam_previous(&beam, 0), A);
    ck_assert_int_eq(beam_previous(&beam, 1), B);
    end();
}
END_TEST

START_TEST(the_best_piece_is_found_at_every_place_of_a_long_vocabulary)
{
    enum { LONG = 75 };
    real probs[LONG];
    for (int best = BEAM_EOS + 1; best < LONG; best++) {
        begin(1, 1, 0, STEPS);
        for (int id = 0; id < LONG; id++)
            probs[id] = -9 - (real)id / 1000;
        probs[best] = -8.9999f;
        row_says(0, 0, 0, 0, 0);
        ck_assert(beam_advance(&beam, kernels_best(), probs, NULL, LONG, alignment, S));
        ck_assert_int_eq(beam_previous(&beam, 0), best);
        end();
    }
}
END_TEST

/* Behind AB AB A: B is what would make it three times. One A more is another thing. */
START_TEST(a_piece_that_would_repeat_once_too_often_is_passed_over)
{
    begin(1, 1, 0, STEPS);
    beam.options.repeats = 2;
    for (int t = 0; t < 5; t++) {
        row_says(0, -9, t % 2 ? -2 : -1, t % 2 ? -1 : -2, -3);
        ck_assert(advance());
        ck_assert_int_eq(beam_previous(&beam, 0), t % 2 ? B : A);
    }
    row_says(0, -9, -2, -1, -3);
    ck_assert(advance());
    ck_assert_int_eq(beam_previous(&beam, 0), A);
    row_says(0, -9, -1, -3, -2); // A A, not A A A
    ck_assert(advance());
    ck_assert_int_eq(beam_previous(&beam, 0), C);
    end();
}
END_TEST

/* ---- ending ---- */

START_TEST(an_end_that_is_not_among_the_best_does_not_count)
{
    begin(2, 1, 0, STEPS);
    row_says(0, -3, -1, -2, -4); // </s> is third of two
    ck_assert(advance());
    ck_assert_int_eq(beam.ended, 0);
    ck_assert_int_eq(beam.live, 2);
    end();
}
END_TEST

START_TEST(an_end_takes_no_place_from_those_that_go_on)
{
    begin(2, 2, 0, STEPS);
    row_says(0, -1, -2, -3, -4);
    ck_assert(advance());
    ck_assert_int_eq(beam.ended, 1);
    ck_assert_int_eq(beam.live, 2);
    end();
}
END_TEST

START_TEST(length_decides_by_its_power)
{
    for (int power = 0; power < 2; power++) {
        begin(2, 2, (float)power, STEPS);
        row_says(0, -1, -1.1f, NEVER, NEVER); // "" -1, or A
        ck_assert(advance());
        row_says(0, -0.1f, NEVER, NEVER, NEVER); // "A" -1.2
        ck_assert(!advance());
        struct translation t = collect();
        ck_assert_int_eq(t.count, 2);
        const float total = -1.1f + -0.1f;
        const struct hypothesis *longer = &t.best[1 - power]; // -1.2, or -0.6, against -1
        ck_assert_int_eq(longer->T, 1);
        ck_assert_float_eq(longer->log_prob, total);
        ck_assert_float_eq(longer->score, power ? total / 2 : total);
        end();
    }
}
END_TEST

/* "" looked at nothing but </s>, "A" at both pieces: it is less probable and wins. */
START_TEST(what_left_source_pieces_out_ranks_lower)
{
    for (int covered = 0; covered < 2; covered++) {
        begin(2, 2, 0, STEPS);
        beam.options.coverage_penalty = covered ? 0.5f : 0;
        row_says(0, -1, -1.1f, NEVER, NEVER);
        memcpy(alignment, (real[]){ 0.5f, 0.25f, 0.25f }, S * sizeof(real));
        ck_assert(advance());
        row_says(0, -0.1f, NEVER, NEVER, NEVER);
        memcpy(alignment, (real[]){ 0.75f, 0.25f, 0 }, S * sizeof(real));
        ck_assert(!advance());
        struct translation t = collect();
        ck_assert_int_eq(t.best[0].T, covered);
        const float none = -1, all = -1.1f + -0.1f;
        const float none_covered = none + 0.5f * (logf(0.5f) + logf(0.25f));
        const float all_covered = all + 0.5f * (logf(1) + logf(0.5f)); // 1.25 counts as 1
        ck_assert_float_eq(t.best[0].score, covered ? all_covered : none);
        ck_assert_float_eq(t.best[1].score, covered ? none_covered : all);
        end();
    }
}
END_TEST

/* No coverage at all is a very bad score and no more. */
START_TEST(a_piece_nothing_looked_at_leaves_a_score_that_is_a_number)
{
    begin(1, 1, 0, STEPS);
    beam.options.coverage_penalty = 1;
    row_says(0, -1, -2, NEVER, NEVER);
    memset(alignment, 0, sizeof alignment);
    ck_assert(!advance());
    ck_assert(isfinite(collect().best->score));
    end();
}
END_TEST

START_TEST(it_stops_when_no_row_can_win_and_not_before)
{
    begin(2, 1, 1, 4);
    row_says(0, -1, -3.9f, -9, -9); // at 4 pieces -3.9 could still be better than -1
    ck_assert(advance());
    end();

    begin(2, 1, 1, 4);
    row_says(0, -1, -4, -9, -9); // -4 at 4 pieces is not better
    ck_assert(!advance());
    ck_assert(collect().best->finished);
    end();

    begin(2, 2, 1, 4);
    row_says(0, -1, -4, -9, -9); // but a second one is wanted
    ck_assert(advance());
    end();
}
END_TEST

START_TEST(rows_that_cannot_win_are_dropped)
{
    begin(4, 1, 1, 4);
    row_says(0, -1, -2, -3.5f, -9);
    ck_assert(advance());
    ck_assert_int_eq(beam.live, 2); // -2 and -3.5 at 4 pieces could be better than -1
    end();
}
END_TEST

START_TEST(a_better_ending_takes_the_place_of_the_worst)
{
    begin(2, 2, 1, STEPS);
    row_says(0, -2, -2.5f, -9, -9);
    ck_assert(advance());
    row_says(0, -2, -1, -9, -9); // "A" -4.5 / 2
    row_says(1, -9, -9, -9, -9);
    ck_assert(advance());
    ck_assert_int_eq(beam.ended, 2);
    row_says(0, -0.1f, -9, -9, -9); // "AA" -3.6 / 3
    row_says(1, -9, -9, -9, -9);
    ck_assert(advance() && beam.ended == 2);
    struct translation t = collect();
    assert_ids(&t.best[0], 2, (int32_t[]){ A, A });
    assert_ids(&t.best[1], 0, NULL);
    end();
}
END_TEST

START_TEST(the_limit_leaves_hypotheses_unfinished_behind_finished_ones)
{
    begin(3, 3, 0, 2);
    row_says(0, -20, -1, -2, -9);
    ck_assert(advance());
    row_says(0, -9, -1, -8, -8); // only one can end here among the best three
    row_says(1, -2, -1, -8, -8);
    row_says(2, -9, -9, -9, -9);
    ck_assert(!advance());
    struct translation t = collect();
    ck_assert_int_eq(t.count, 3);
    ck_assert(!t.best[2].finished && !t.best[1].finished && t.best[0].finished);
    assert_ids(&t.best[0], 1, (int32_t[]){ B });
    assert_ids(&t.best[1], 2, (int32_t[]){ A, A });
    ck_assert_float_eq(t.best[1].log_prob, -2);
    ck_assert_float_eq(t.best[0].log_prob, -4);
    end();
}
END_TEST

START_TEST(numbers_that_are_none_end_the_search)
{
    begin(2, 2, 1, STEPS);
    row_says(0, NEVER, -1, NAN, NEVER);
    ck_assert(advance());
    ck_assert_int_eq(beam.live, 1);
    row_says(0, NAN, NAN, NAN, NAN);
    ck_assert(!advance());
    struct translation t = collect();
    ck_assert_int_eq(t.count, 1);
    ck_assert(!t.best->finished);
    assert_ids(t.best, 1, (int32_t[]){ A });
    end();

    begin(2, 1, 1, STEPS);
    row_says(0, NAN, NAN, NEVER, NAN);
    ck_assert(!advance());
    t = collect();
    ck_assert_int_eq(t.best->T, 0);
    ck_assert_float_eq(t.best->score, 0);
    end();
}
END_TEST

START_TEST(when_every_row_ends_there_are_fewer_than_wanted)
{
    begin(3, 3, 0, STEPS);
    row_says(0, -1, NEVER, NEVER, NEVER);
    ck_assert(!advance());
    struct translation t = collect();
    ck_assert_int_eq(t.count, 1);
    ck_assert_int_eq(t.best->T, 0);
    ck_assert_float_eq(t.best->log_probs[0], -1);
    end();
}
END_TEST

/* ---- the way back ---- */

/* Rows change places at every step; the winner came from row 1, then 0, then 1. */
START_TEST(a_hypothesis_finds_its_pieces_and_their_alignment)
{
    begin(2, 1, 0, STEPS);
    row_says(0, NEVER, -1, -2, NEVER); // 0: A -1     1: B -2
    ck_assert(advance());
    row_says(0, NEVER, NEVER, NEVER, -5);
    row_says(1, NEVER, -1, NEVER, NEVER); // 0: BA -3    1: AC -6
    ck_assert(advance());
    ck_assert_int_eq(beam_parent(&beam, 0), 1);
    ck_assert_int_eq(beam_parent(&beam, 1), 0);
    row_says(0, NEVER, NEVER, -9, NEVER);
    row_says(1, NEVER, NEVER, NEVER, -0.5f); // 0: ACC -6.5 1: BAB -12
    ck_assert(advance());
    row_says(0, -0.25f, NEVER, NEVER, NEVER);
    row_says(1, NEVER, NEVER, NEVER, -20);
    ck_assert(!advance()); // ACC</s> -6.75: BAB is behind already

    struct translation t = collect();
    const struct hypothesis *h = t.best;
    assert_ids(h, 3, (int32_t[]){ A, C, C });
    const float wanted[] = { -1, -5, -0.5f, -0.25f };
    ck_assert_mem_eq(h->log_probs, wanted, sizeof wanted);
    const int depth_and_row[] = { 0, 100, 210, 300 }; // as row_says wrote them
    for (int i = 0; i < 4; i++)
        for (int s = 0; s < S; s++)
            ck_assert_float_eq(h->alignment[i * S + s], (float)(depth_and_row[i] + s));
    ck_assert_int_eq(h->S, S);
    ck_assert_float_eq(h->log_prob, -6.75f);
    end();
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    struct translation t;
    begin(1, 1, 0, STEPS);
    row_says(0, -1, -2, -3, -4);
    ck_assert(!advance());
    while (arena_alloc(&results, 64))
        continue;
    ck_assert(!beam_collect(&beam, &results, &t));
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_beam_of_one_is_greedy),
    TEST(the_first_piece_before_is_the_start_mark),
    TEST(a_beam_keeps_what_greedy_search_loses),
    TEST(among_equals_the_lower_row_then_the_lower_id_comes_first),
    TEST(padding_unknown_and_the_start_mark_are_never_chosen),
    TEST(the_best_piece_is_found_at_every_place_of_a_long_vocabulary),
    TEST(a_piece_that_would_repeat_once_too_often_is_passed_over),
    TEST(an_end_that_is_not_among_the_best_does_not_count),
    TEST(an_end_takes_no_place_from_those_that_go_on),
    TEST(length_decides_by_its_power),
    TEST(what_left_source_pieces_out_ranks_lower),
    TEST(a_piece_nothing_looked_at_leaves_a_score_that_is_a_number),
    TEST(it_stops_when_no_row_can_win_and_not_before),
    TEST(rows_that_cannot_win_are_dropped),
    TEST(a_better_ending_takes_the_place_of_the_worst),
    TEST(the_limit_leaves_hypotheses_unfinished_behind_finished_ones),
    TEST(numbers_that_are_none_end_the_search),
    TEST(when_every_row_ends_there_are_fewer_than_wanted),
    TEST(a_hypothesis_finds_its_pieces_and_their_alignment),
    TEST(a_full_arena_is_said),
};

TEST_MAIN("model/search/beam", cases)
