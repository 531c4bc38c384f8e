/*
 * test_pack.c - answers of a tiny model into bytes and back; bytes that were damaged.
 */
#include "base/rng.h"
#include "server/engine/pack.h"
#include "tests/server/engine/same_answer.h"
#include "tests/server/engine/one_engine.h" // its names behind those of others

static const struct vocabulary *v;

static void setup(void)
{
    const struct engine_limits limits = {
        .sentences = 8, .beam = 8, .pieces = 16, .text_sentences = 1000
    };
    write_model(3);
    assert_ok(engine_load(&engine, path, WEIGHT_F32, &err), err);
    start_worker(&limits);
    v = engine_vocabulary(engine);
}

static struct engine_answer translate(const char *text, int n_best)
{
    struct engine_answer answer;
    struct search_options options = search_options_default();
    const struct engine_text given = { .text = text, .len = strlen(text) };
    options.n_best = n_best;
    assert_ok(engine_translate(worker, &given, 1, &options, &arena, &answer, &err), err);
    return answer;
}

static struct packed_answer pack(const char *text, const struct engine_answer *answer)
{
    struct packed_answer packed;
    assert_ok(answer_pack(v, text, answer, &arena, &packed, &err), err);
    return packed;
}

static enum status unpack(const char *text, const struct packed_answer *packed,
                          struct engine_answer *out)
{
    return answer_unpack(v, text, strlen(text), packed->hypotheses, packed->hypothesis_count,
                         &arena, out, &err);
}

static const char *const texts[] = {
    "the ant",
    "The ant is in the hat. It is there!  \n\n  1234 - 5678\n\tWhere is the other one, then?",
    "no end here and no end there and a sentence that is longer than sixteen pieces can be",
    "日本語 and emoji 🙂 and \xC2\xA0 spaces, Ünïcödé; fiﬁnd",
    "12345 67890 !!!",
    "",
    "a",
};

START_TEST(what_comes_back_is_the_answer)
{
    setup();
    const char *text = texts[_i];
    for (int n_best = 1; n_best <= 4; n_best += 3) {
        struct engine_answer again, answer = translate(text, n_best);
        const struct packed_answer packed = pack(text, &answer);
        assert_ok(unpack(text, &packed, &again), err);
        assert_same_answer(v, &answer, &again, &arena);
    }
    teardown();
}
END_TEST

/* A row of weights of every shape: sharp, flat, many small ones, equal ones. */
static void fill_row(struct rng *rng, float *row, int S)
{
    const double sharpness = 12 * rng_uniform(rng);
    float sum = 0;
    for (int s = 0; s < S; s++)
        sum += row[s] = (float)exp(sharpness * rng_normal(rng) / 3);
    for (int s = 0; s < S; s++)
        row[s] /= sum;
}

START_TEST(links_and_sums_hold_whatever_the_weights)
{
    struct rng rng = rng_make(7, (uint64_t)_i);
    setup();
    const char *text = texts[1];
    for (int round = 0; round < 50; round++) {
        struct arena_mark mark = arena_mark(&arena);
        struct engine_answer again, answer = translate(text, 2);
        for (int i = 0; i < answer.sentence_count; i++)
            for (int k = 0; k < answer.sentences[i].translation.count; k++) {
                struct hypothesis *h = &answer.sentences[i].translation.best[k];
                for (int t = 0; t < h->T + (h->finished ? 1 : 0); t++)
                    fill_row(&rng, h->alignment + t * h->S, h->S);
            }
        const struct packed_answer packed = pack(text, &answer);
        assert_ok(unpack(text, &packed, &again), err);
        assert_same_answer(v, &answer, &again, &arena);
        arena_rewind(&arena, mark);
    }
    teardown();
}
END_TEST

START_TEST(weights_a_hair_apart_keep_their_order)
{
    setup();
    struct engine_answer again, answer = translate("the ant", 1);
    struct hypothesis *h = &answer.sentences[0].translation.best[0];
    const int S = h->S;
    for (int t = 0; t < h->T + (h->finished ? 1 : 0); t++)
        for (int s = 0; s < S; s++)
            h->alignment[t * S + s] = 1.0f / (float)S + (s == S - 2 ? 1e-6f : 0);
    const struct packed_answer packed = pack("the ant", &answer);
    assert_ok(unpack("the ant", &packed, &again), err);
    assert_same_answer(v, &answer, &again, &arena);
    teardown();
}
END_TEST

START_TEST(a_model_without_attention_has_no_weights_and_no_links)
{
    setup();
    struct engine_answer again, answer = translate("the ant", 1);
    struct hypothesis *h = &answer.sentences[0].translation.best[0];
    memset(h->alignment, 0,
           sizeof *h->alignment * (size_t)(h->T + (h->finished ? 1 : 0)) * (size_t)h->S);
    const struct packed_answer packed = pack("the ant", &answer);
    ck_assert_int_eq(packed.link_count, 0);
    assert_ok(unpack("the ant", &packed, &again), err);
    assert_same_answer(v, &answer, &again, &arena);
    teardown();
}
END_TEST

START_TEST(a_text_with_markup_comes_back_with_it)
{
    setup();
    struct engine_answer again, answer = translate("the ant", 2);
    struct detokenised *text = &answer.sentences[0].texts[0];
    const int T = answer.sentences[0].translation.best[0].T;
    char *marked = arena_alloc(&arena, text->len + 8);
    sprintf(marked, "<b>%s</b>", text->text);
    for (int i = 0; i < T; i++) {
        text->spans[i].from += 3;
        text->spans[i].to += 3;
    }
    text->text = marked;
    text->len = strlen(marked);
    answer.text = marked;
    answer.len = text->len;
    answer.sentences[0].target = (struct span){ 0, (uint32_t)text->len };
    const struct packed_answer packed = pack("the ant", &answer);
    assert_ok(unpack("the ant", &packed, &again), err);
    assert_same_answer(v, &answer, &again, &arena);
    teardown();
}
END_TEST

START_TEST(links_name_the_words_as_they_stand_in_the_texts)
{
    setup();
    const char *text = texts[1];
    struct engine_answer answer = translate(text, 1);
    const struct packed_answer packed = pack(text, &answer);
    ck_assert_int_gt(packed.link_count, 0);
    for (int i = 0; i < packed.link_count; i++) {
        const struct packed_link *l = &packed.links[i];
        struct word_alignment words;
        const struct engine_sentence *s = &answer.sentences[l->sentence];
        assert_ok(word_alignment(v, s, 0, &arena, &words, &err), err);
        const struct span from = words.source[l->source_number];
        ck_assert_uint_eq(l->source.len, from.to - from.from);
        ck_assert_mem_eq(l->source.data, text + from.from, l->source.len);
        if (l->target_number == LEFT_OUT) {
            ck_assert_uint_eq(l->target.len, 0);
            ck_assert_int_le(l->percent, 10);
            continue;
        }
        ck_assert_int_eq(words.links[l->target_number], l->source_number);
        ck_assert_int_ge(l->percent, 20);
    }
    teardown();
}
END_TEST

/* Whatever it says, it says it without touching what it should not. */
START_TEST(damaged_bytes_are_refused_or_are_another_answer)
{
    struct rng rng = rng_make(11, 0);
    int refused = 0;
    setup();
    const char *text = texts[1];
    struct engine_answer answer = translate(text, 2);
    const struct packed_answer packed = pack(text, &answer);
    for (int round = 0; round < 3000; round++) {
        struct arena_mark mark = arena_mark(&arena);
        struct engine_answer again;
        struct packed_hypothesis *h =
            &packed.hypotheses[rng_below(&rng, (uint64_t)packed.hypothesis_count)];
        struct blob *blobs[] = { &h->source, &h->target, &h->alignment };
        struct blob *blob = blobs[rng_below(&rng, 3)];
        const struct blob was = *blob;
        if (blob->data) {
            char *copy = memory_alloc(was.len + 1, 1); // exactly so long: ASan sees what is behind
            ck_assert_ptr_nonnull(copy);
            memcpy(copy, was.data, was.len);
            const uint64_t at = rng_below(&rng, was.len);
            if (round % 3 == 0)
                blob->len = at;
            else
                copy[at] = (char)rng_next(&rng);
            char *cut = memory_alloc(blob->len + 1, 1);
            memcpy(cut, copy, blob->len);
            memory_free(copy);
            cut = memory_resize(cut, blob->len ? blob->len : 1, 1);
            blob->data = cut;
        }
        if (unpack(text, &packed, &again) != STATUS_OK)
            refused++;
        if (was.data)
            memory_free((char *)(uintptr_t)blob->data);
        *blob = was;
        arena_rewind(&arena, mark);
    }
    ck_assert_int_gt(refused, 1000);
    teardown();
}
END_TEST

START_TEST(a_small_arena_is_said_to_be_full)
{
    setup();
    struct engine_answer again, answer = translate(texts[1], 3);
    const struct packed_answer packed = pack(texts[1], &answer);
    for (size_t bytes = 64; bytes < 100000; bytes += 64) {
        struct arena small;
        struct packed_answer out;
        ck_assert(arena_init(&small, bytes));
        enum status status = answer_pack(v, texts[1], &answer, &small, &out, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        arena_reset(&small);
        status = answer_unpack(v, texts[1], strlen(texts[1]), packed.hypotheses,
                               packed.hypothesis_count, &small, &again, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        arena_release(&small);
    }
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(what_comes_back_is_the_answer, (int)(sizeof texts / sizeof *texts)),
    TEST_LOOP(links_and_sums_hold_whatever_the_weights, 4),
    TEST(weights_a_hair_apart_keep_their_order),
    TEST(a_model_without_attention_has_no_weights_and_no_links),
    TEST(a_text_with_markup_comes_back_with_it),
    TEST(links_name_the_words_as_they_stand_in_the_texts),
    TEST(damaged_bytes_are_refused_or_are_another_answer),
    TEST(a_small_arena_is_said_to_be_full),
};
TEST_MAIN("server/engine/pack", cases)
