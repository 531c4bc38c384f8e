/*
 * test_answer_json.c - answers as JSON: one by hand, word for word, and real ones that hold together.
 */
#include "tests/helpers.h"

#include "server/engine/answer_json.h"
#include "tests/tiny_model.h"

static struct error err;

/* "\"ça\" b" -> " é ab!" : two hypotheses of one sentence that starts at byte 2. */
struct example {
    struct vocabulary *v;
    struct arena arena;
    int32_t source_ids[6], ids[2][4];
    struct span source_spans[6], spans[2][4];
    struct hypothesis hypotheses[2];
    struct detokenised texts[2];
    struct engine_sentence sentence;
    struct engine_answer answer;
};

static const char source[] = "- \"\xC3\xA7"
                             "a\" b";
static const char answer_text[] = "- \xC3\xA9 ab!";

static float alignments[2][5 * 7] = {
    {
        .0f, .5f, .25f, .0f, .0f, .0f, .25f, // ▁
        .0f, .5f, .25f, .0f, .0f, .0f, .25f, // é
        .0f, .0f, .0f,  .0f, .0f, .0f, 1.0f, // ▁a
        .0f, .0f, .0f,  .5f, .0f, .0f, .5f,  // b
        .0f, .0f, .0f,  .0f, .0f, .0f, 1.0f, // </s>
    },
    {
        1.f, .0f, .0f, .0f, .0f, .0f, .0f, // ▁b
        .0f, .0f, .0f, .0f, .0f, .0f, 1.f, // </s>
    },
};
static float log_probs[2][5] = { { 0, -.5f, -.25f, -.25f, -.125f }, { -2, -.5f } };

static void set_pieces(const struct example *x, int32_t *ids, const char *const *pieces, int count)
{
    for (int i = 0; i < count; i++) {
        ids[i] = vocabulary_find(x->v, pieces[i], strlen(pieces[i]));
        ck_assert_msg(ids[i] >= 0, "no piece %s", pieces[i]);
    }
}

static void setup(struct example *x)
{
    static const char *const of_source[] = { "▁", "\"", "ç", "a", "\"", "▁b" };
    static const char *const of_best[] = { "▁", "é", "▁a", "b" }, *const of_other[] = { "▁b" };
    *x = (struct example){
        .v = tiny_vocabulary(),
        .source_spans = { { 2, 2 }, { 2, 3 }, { 3, 5 }, { 5, 6 }, { 6, 7 }, { 8, 9 } },
        .spans = { { { 0, 0 }, { 0, 2 }, { 2, 4 }, { 4, 5 } }, { { 0, 1 } } },
    };
    ck_assert(arena_init(&x->arena, 1 << 20));
    set_pieces(x, x->source_ids, of_source, 6);
    set_pieces(x, x->ids[0], of_best, 4);
    set_pieces(x, x->ids[1], of_other, 1);
    for (int k = 0; k < 2; k++)
        x->hypotheses[k] = (struct hypothesis){ .ids = x->ids[k],
                                                .log_probs = log_probs[k],
                                                .alignment = alignments[k],
                                                .T = k == 0 ? 4 : 1,
                                                .S = 7,
                                                .score = k == 0 ? -.75f : -2.25f,
                                                .finished = k == 0 };
    x->texts[0] = (struct detokenised){ .text = "é ab", .len = 5, .spans = x->spans[0] };
    x->texts[1] = (struct detokenised){ .text = "b", .len = 1, .spans = x->spans[1] };
    x->sentence = (struct engine_sentence){
        .source = { 2, 9 },
        .target = { 2, 7 },
        .tokens = { .ids = x->source_ids, .spans = x->source_spans, .count = 6 },
        .translation = { .best = x->hypotheses, .count = 2 },
        .texts = x->texts,
        .split = true,
    };
    x->answer = (struct engine_answer){ .text = answer_text,
                                        .len = strlen(answer_text),
                                        .score = -.75f,
                                        .sentences = &x->sentence,
                                        .sentence_count = 1 };
}

static void teardown(struct example *x)
{
    arena_release(&x->arena);
    vocabulary_free(x->v);
}

static void assert_json(struct example *x, bool with_alignment, const char *expected)
{
    json_t *root;
    struct bytes out;
    const size_t used = x->arena.used;
    const struct answer_json_options options = { .alignment = with_alignment };
    bytes_init(&out, 1 << 16);
    assert_ok(answer_to_json(&root, x->v, source, &x->answer, &options, &x->arena, &err), err);
    ck_assert(json_write(&out, root));
    ck_assert_str_eq(out.data, expected);
    ck_assert_uint_eq(x->arena.used, used);
    bytes_release(&out);
    json_decref(root);
}

/* confidence: exp(-.25) (1 - 1.0397 / ln 5 / 2) and exp(-.25) (1 - .5623 / ln 5 / 2) */
#define TOKENS                                                                                     \
    "\"source\":[2,9],\"target\":[2,7],\"score\":-0.75,\"tokens\":["                               \
    "{\"text\":\"é\",\"span\":[2,4],\"log_prob\":-0.5,\"confidence\":0.5272,\"links\":[0]},"      \
    "{\"text\":\"ab\",\"span\":[5,7],\"log_prob\":-0.5,\"confidence\":0.6427,\"links\":[]}],"      \
    "\"source_tokens\":[{\"text\":\"\\\"\",\"span\":[2,3],\"coverage\":0.5},"                      \
    "{\"text\":\"ça\",\"span\":[3,6],\"coverage\":0.5},"                                          \
    "{\"text\":\"\\\"\",\"span\":[6,7],\"coverage\":0.0},"                                         \
    "{\"text\":\"b\",\"span\":[8,9],\"coverage\":0.0}],"

#define WARNINGS                                                                                   \
    "\"warnings\":[{\"kind\":\"uncovered\",\"source\":[8,9]},"                                     \
    "{\"kind\":\"split\",\"source\":[2,9]}]}"

START_TEST(an_answer_is_written_word_by_word)
{
    struct example x;
    setup(&x);
    assert_json(&x, false,
                "{\"text\":\"- é ab!\",\"score\":-0.75,\"sentences\":[{" TOKENS
                "\"n_best\":[{\"text\":\"b\",\"score\":-2.25}]}]," WARNINGS);
    teardown(&x);
}
END_TEST

START_TEST(alignments_are_there_when_they_are_asked_for)
{
    struct example x;
    setup(&x);
    assert_json(&x, true,
                "{\"text\":\"- é ab!\",\"score\":-0.75,\"sentences\":[{" TOKENS
                "\"alignment\":[[0.5,0.25,0.0,0.0,0.25],[0.0,0.25,0.0,0.0,0.75]],"
                "\"n_best\":[{\"text\":\"b\",\"score\":-2.25,"
                "\"alignment\":[[1.0,0.0,0.0,0.0,0.0]]}]}]," WARNINGS);
    teardown(&x);
}
END_TEST

START_TEST(alternatives_are_those_of_the_whole_text)
{
    static char text[] = "- b!";
    static char *alternatives[] = { text };
    static float scores[] = { -2.25f };
    struct example x;
    setup(&x);
    x.answer.alternatives = alternatives;
    x.answer.alternative_scores = scores;
    x.answer.alternative_count = 1;
    assert_json(&x, false,
                "{\"text\":\"- é ab!\",\"score\":-0.75,\"sentences\":[{" TOKENS
                "\"n_best\":[{\"text\":\"b\",\"score\":-2.25}]}],"
                "\"alternatives\":[{\"text\":\"- b!\",\"score\":-2.25}]," WARNINGS);
    teardown(&x);
}
END_TEST

START_TEST(what_has_no_sentences_has_a_text)
{
    struct example x;
    setup(&x);
    x.answer = (struct engine_answer){ .text = "12", .len = 2 };
    assert_json(&x, true, "{\"text\":\"12\",\"score\":0.0,\"sentences\":[],\"warnings\":[]}");
    teardown(&x);
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    struct example x;
    json_t *root;
    const struct answer_json_options options = { .alignment = true };
    int full = 0, enough = 0;
    setup(&x);
    for (size_t bytes = 64; bytes < 4096; bytes += 64) {
        struct arena small;
        ck_assert(arena_init(&small, bytes));
        enum status status = answer_to_json(&root, x.v, source, &x.answer, &options, &small, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        full += status == STATUS_NO_MEMORY;
        enough += status == STATUS_OK;
        json_decref(root); // NULL when it failed
        arena_release(&small);
    }
    ck_assert_int_gt(full, 0);
    ck_assert_int_gt(enough, 0);
    teardown(&x);
}
END_TEST

static const struct test_case cases[] = {
    TEST(an_answer_is_written_word_by_word),
    TEST(alignments_are_there_when_they_are_asked_for),
    TEST(alternatives_are_those_of_the_whole_text),
    TEST(what_has_no_sentences_has_a_text),
    TEST(a_full_arena_is_said),
};
TEST_MAIN("server/engine/answer_json", cases)
