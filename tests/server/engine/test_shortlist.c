/*
 * test_shortlist.c - sentences keep to their own pieces, and to the same bits in any company.
 */
#include "base/rng.h"
#include "tests/server/engine/one_engine.h"

#define TEXTS 64
#define ROW 12
#define ALWAYS 8
#define FIRST_LETTER 261 // of the tiny vocabulary: control pieces, bytes and the space before

static const struct engine_limits limits = {
    .sentences = 64, .beam = 4, .pieces = 48, .text_sentences = 1000
};

static char texts[TEXTS][80];

/* A few letters and pairs for each piece, and a few always. */
static void put_shortlist(int vocabulary)
{
    struct rng rng = rng_make(7, 7);
    struct shortlist *s = shortlist_new(vocabulary, (int64_t)vocabulary * ROW + ALWAYS);
    int32_t used = 0;
    ck_assert_ptr_nonnull(s);
    for (int i = 0; i < vocabulary; i++) {
        const int len = i == SHORTLIST_ALWAYS ? ALWAYS : i >= FIRST_LETTER ? ROW : 0;
        s->offsets[i] = used;
        for (int k = 0; k < len; k++)
            s->pieces[used++] =
                FIRST_LETTER + (int32_t)rng_below(&rng, (uint64_t)(vocabulary - FIRST_LETTER));
        if (i == SHORTLIST_ALWAYS)
            s->pieces[used - 1] = ID_EOS;
    }
    s->offsets[vocabulary] = used;
    assert_ok(model_rewrite(path, path, NULL, s, &err), err);
    shortlist_free(s);
}

static void write_texts(void)
{
    struct rng rng = rng_make(8, 8);
    for (int i = 0; i < TEXTS; i++) {
        size_t at = 0;
        const int letters = 1 + (int)rng_below(&rng, 60);
        for (int k = 0; k < letters; k++)
            texts[i][at++] = (char)(k % 6 == 5 ? ' ' : 'a' + (int)rng_below(&rng, 26));
        texts[i][at++] = 'x';
        texts[i][at] = '\0';
    }
}

static void setup(enum weight_type type)
{
    write_model(1);
    struct vocabulary *v = tiny_vocabulary();
    put_shortlist(vocabulary_size(v));
    vocabulary_free(v);
    write_texts();
    assert_ok(engine_load(&engine, path, type, &err), err);
    engine_limit_shortlist(engine, SHORTLIST_WHOLE);
    start_worker(&limits);
}

static struct search_options beam_of(int n)
{
    struct search_options options = search_options_default();
    options.beam = options.n_best = n;
    return options;
}

/* The texts in this order, `together` at a time; out[i] is of texts[i]. */
static void translate_in(const int *order, int together, int beam, struct engine_answer *out)
{
    const struct search_options options = beam_of(beam);
    for (int at = 0; at < TEXTS; at += together) {
        struct engine_text some[TEXTS];
        struct engine_answer answers[TEXTS];
        const int count = at + together < TEXTS ? together : TEXTS - at;
        for (int i = 0; i < count; i++) {
            const char *text = texts[order[at + i]];
            some[i] = (struct engine_text){ .text = text, .len = strlen(text) };
        }
        assert_ok(engine_translate(worker, some, count, &options, &arena, answers, &err), err);
        for (int i = 0; i < count; i++)
            out[order[at + i]] = answers[i];
    }
}

static void assert_same_sentence(const struct translation *a, const struct translation *b)
{
    ck_assert_int_eq(a->count, b->count);
    for (int k = 0; k < a->count; k++) {
        const struct hypothesis *x = &a->best[k], *y = &b->best[k];
        const size_t rows = (size_t)(x->T + x->finished);
        ck_assert_int_eq(x->T, y->T);
        ck_assert_mem_eq(x->ids, y->ids, (size_t)x->T * sizeof *x->ids);
        ck_assert_mem_eq(x->log_probs, y->log_probs, rows * sizeof *x->log_probs);
        ck_assert_mem_eq(x->alignment, y->alignment, rows * (size_t)x->S * sizeof *x->alignment);
        ck_assert(x->score == y->score);
    }
}

/* Loop: float32 and int8, greedily and with a beam. */
START_TEST(a_sentence_gets_the_same_bits_in_any_company)
{
    static const int companies[] = { 2, 7, 64 };
    const int beam = _i / 2 ? 4 : 1;
    struct engine_answer alone[TEXTS], together[TEXTS];
    struct rng rng = rng_make(9, 9);
    int order[TEXTS];
    setup(_i % 2 ? WEIGHT_I8 : WEIGHT_F32);
    for (int i = 0; i < TEXTS; i++)
        order[i] = i;
    translate_in(order, 1, beam, alone);
    for (size_t c = 0; c < sizeof companies / sizeof companies[0]; c++) {
        for (int i = TEXTS - 1; i > 0; i--) {
            const int other = (int)rng_below(&rng, (uint64_t)i + 1), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        translate_in(order, companies[c], beam, together);
        for (int i = 0; i < TEXTS; i++) {
            ck_assert_str_eq(alone[i].text, together[i].text);
            for (int k = 0; k < alone[i].sentence_count; k++)
                assert_same_sentence(&alone[i].sentences[k].translation,
                                     &together[i].sentences[k].translation);
        }
    }
    teardown();
}
END_TEST

static bool is_allowed(const struct engine_sentence *sentence, int per_piece, int32_t piece)
{
    const struct shortlist *s = model_shortlist(engine_model(engine));
    int count;
    const int32_t *list = shortlist_choose(s, sentence->tokens.ids, sentence->tokens.count,
                                           per_piece, &arena, &count);
    for (int i = 0; i < count; i++)
        if (list[i] == piece)
            return true;
    return false;
}

/* Hypotheses' pieces that are not on a list of so many pieces a source piece. */
static int count_strangers(const struct engine_answer *answers, int per_piece)
{
    int strangers = 0;
    for (int i = 0; i < TEXTS; i++)
        for (int k = 0; k < answers[i].sentence_count; k++) {
            const struct engine_sentence *sentence = &answers[i].sentences[k];
            const struct hypothesis *best = &sentence->translation.best[0];
            for (int t = 0; t < best->T; t++)
                strangers += !is_allowed(sentence, per_piece, best->ids[t]);
        }
    return strangers;
}

START_TEST(an_engine_keeps_to_as_much_of_the_shortlist_as_it_is_told)
{
    struct engine_answer answers[TEXTS];
    int order[TEXTS];
    for (int i = 0; i < TEXTS; i++)
        order[i] = i;
    setup(WEIGHT_F32);
    translate_in(order, TEXTS, 1, answers);
    ck_assert_int_eq(count_strangers(answers, SHORTLIST_WHOLE), 0);
    ck_assert_int_gt(count_strangers(answers, 2), 0);
    engine_limit_shortlist(engine, 2);
    translate_in(order, TEXTS, 1, answers);
    ck_assert_int_eq(count_strangers(answers, 2), 0);
    engine_limit_shortlist(engine, 0);
    translate_in(order, TEXTS, 1, answers);
    ck_assert_int_gt(count_strangers(answers, SHORTLIST_WHOLE), 0);
    teardown();
}
END_TEST

START_TEST(a_full_arena_is_said_whatever_its_size)
{
    const struct search_options options = beam_of(1);
    setup(WEIGHT_F32);
    for (size_t bytes = 64;; bytes += 448) {
        struct arena small;
        struct engine_answer answer;
        const struct engine_text text = { .text = texts[1], .len = strlen(texts[1]) };
        ck_assert(arena_init(&small, bytes));
        const enum status status =
            engine_translate(worker, &text, 1, &options, &small, &answer, &err);
        arena_release(&small);
        if (status == STATUS_OK)
            break;
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
    }
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(a_sentence_gets_the_same_bits_in_any_company, 4),
    TEST(an_engine_keeps_to_as_much_of_the_shortlist_as_it_is_told),
    TEST(a_full_arena_is_said_whatever_its_size),
};

TEST_MAIN("server/engine/shortlist", cases)
