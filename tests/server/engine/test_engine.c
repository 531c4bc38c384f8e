/*
 * test_engine.c - whole texts through a tiny model: what stays, what is said, what is refused.
 */
#include "base/json.h"
#include "base/gzip.h"
#include "server/engine/word_links.h"
#include "tests/server/engine/one_engine.h"
#include "tokenizer/sentences.h"
#include "tokenizer/utf8.h"

#define PIECES 48

static const struct engine_limits limits = {
    .sentences = 8, .beam = 6, .pieces = PIECES, .text_sentences = 40
};

static struct search_options greedy(void)
{
    struct search_options options = search_options_default();
    options.beam = 1;
    return options;
}

static struct search_options beam_of(int n)
{
    struct search_options options = search_options_default();
    options.beam = options.n_best = n;
    return options;
}

static void setup(void)
{
    write_model(1);
    assert_ok(engine_load(&engine, path, WEIGHT_F32, &err), err);
    start_worker(&limits);
}

static struct engine_answer translate(const char *text, struct search_options options)
{
    struct engine_answer answer;
    struct engine_text one = { .text = text, .len = strlen(text) };
    assert_ok(engine_translate(worker, &one, 1, &options, &arena, &answer, &err), err);
    return answer;
}

static void assert_unchanged(const char *text)
{
    struct engine_answer answer = translate(text, greedy());
    ck_assert_str_eq(answer.text, text);
    ck_assert_uint_eq(answer.len, strlen(text));
    ck_assert_int_eq(answer.sentence_count, 0);
    ck_assert_int_eq(answer.alternative_count, 0);
}

/* What stands between the sentences is the same bytes in text and answer. */
static void assert_same_between(const char *text, const struct engine_answer *answer)
{
    size_t from = 0, to = 0;
    for (int i = 0; i <= answer->sentence_count; i++) {
        bool is_tail = i == answer->sentence_count;
        size_t from_end = is_tail ? strlen(text) : answer->sentences[i].source.from;
        size_t to_end = is_tail ? answer->len : answer->sentences[i].target.from;
        ck_assert_uint_eq(from_end - from, to_end - to);
        ck_assert_int_eq(memcmp(text + from, answer->text + to, from_end - from), 0);
        if (is_tail)
            return;
        from = answer->sentences[i].source.to;
        to = answer->sentences[i].target.to;
    }
}

START_TEST(it_says_which_languages_its_card_names)
{
    setup();
    ck_assert_str_eq(engine_source(engine), "en");
    ck_assert_str_eq(engine_target(engine), "fr");
    ck_assert_str_eq(engine_name(engine), "en-fr");
    teardown();
}
END_TEST

START_TEST(what_has_no_letters_comes_back_unchanged)
{
    setup();
    assert_unchanged("");
    assert_unchanged(" \t\r\n  \n");
    assert_unchanged("1984. 3,50 € !");
    assert_unchanged("😀👍🏽 … —");
    teardown();
}
END_TEST

START_TEST(white_space_between_sentences_comes_back_byte_for_byte)
{
    static const char text[] = "  Hello there.  How are you?\n\n\tI am fine\t\r\n\r\n   \xC2\xA0"
                               "- 1984\n    - and you? \n";
    setup();
    struct engine_answer answer = translate(text, greedy());
    ck_assert_int_ge(answer.sentence_count, 4);
    assert_same_between(text, &answer);
    teardown();
}
END_TEST

START_TEST(spans_and_texts_of_a_sentence_fit_the_answer)
{
    static const char text[] = "The cat sat. It ate.";
    setup();
    struct engine_answer answer = translate(text, beam_of(3));
    ck_assert_int_eq(answer.sentence_count, 2);
    for (int i = 0; i < answer.sentence_count; i++) {
        const struct engine_sentence *s = &answer.sentences[i];
        ck_assert_uint_eq(s->target.to - s->target.from, s->texts[0].len);
        ck_assert(memcmp(answer.text + s->target.from, s->texts[0].text, s->texts[0].len) == 0);
        ck_assert_int_eq(s->translation.best[0].S, s->tokens.count + 1);
        ck_assert(!s->split);
        assert_ok(utf8_check(s->texts[0].text, s->texts[0].len, &err), err);
    }
    teardown();
}
END_TEST

START_TEST(a_text_gets_the_same_answer_alone_and_in_company)
{
    static const char *const texts[] = {
        "The cat sat.",
        "",
        "A much longer sentence, which has many more pieces than the others!",
        "1984",
        "One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. Eleven. Twelve.",
        "e",
    };
    enum { COUNT = sizeof texts / sizeof texts[0] };
    struct engine_text all[COUNT];
    struct engine_answer together[COUNT];
    struct search_options options = beam_of(4);
    setup();
    for (int i = 0; i < COUNT; i++)
        all[i] = (struct engine_text){ .text = texts[i], .len = strlen(texts[i]) };
    assert_ok(engine_translate(worker, all, COUNT, &options, &arena, together, &err), err);
    for (int i = 0; i < COUNT; i++) {
        struct engine_answer alone = translate(texts[i], options);
        ck_assert_str_eq(alone.text, together[i].text);
        ck_assert(alone.score == together[i].score);
        ck_assert_int_eq(alone.sentence_count, together[i].sentence_count);
        assert_same_between(texts[i], &together[i]);
    }
    teardown();
}
END_TEST

START_TEST(a_text_need_not_end_in_a_nul)
{
    struct engine_answer answer;
    setup();
    struct engine_answer whole = translate("The cat sat.", greedy());
    struct engine_text part = { .text = "The cat sat.X\xFF", .len = 12 };
    struct search_options options = greedy();
    assert_ok(engine_translate(worker, &part, 1, &options, &arena, &answer, &err), err);
    ck_assert_str_eq(answer.text, whole.text);
    teardown();
}
END_TEST

START_TEST(an_overlong_sentence_is_split_and_said_so)
{
    char text[1024] = "";
    setup();
    for (int i = 0; i < 40; i++)
        strcat(text, i % 10 == 9 ? "then again, " : "word after word ");
    struct engine_answer answer = translate(text, greedy());
    ck_assert_int_gt(answer.sentence_count, 5);
    for (int i = 0; i < answer.sentence_count; i++) {
        ck_assert(answer.sentences[i].split);
        ck_assert_int_le(answer.sentences[i].tokens.count, PIECES);
    }
    assert_same_between(text, &answer);
    teardown();
}
END_TEST

START_TEST(an_answer_that_hits_the_length_limit_is_said_so)
{
    struct search_options options[] = { greedy(), beam_of(5) };
    int truncated = 0, whole = 0;
    options[0].length_ratio = 0.1f;
    setup();
    for (int i = 0; i < 2; i++) {
        struct engine_answer answer = translate("xylophones\nbanana\nwho knows\ne", options[i]);
        for (int k = 0; k < answer.sentence_count; k++) {
            const struct engine_sentence *s = &answer.sentences[k];
            ck_assert_int_eq(s->truncated, !s->translation.best[0].finished);
            truncated += s->truncated;
            whole += !s->truncated;
        }
    }
    ck_assert_int_gt(truncated, 0);
    ck_assert_int_gt(whole, 0);
    teardown();
}
END_TEST

START_TEST(alternatives_are_different_and_join_the_kth_of_each_sentence)
{
    setup();
    struct engine_answer answer = translate("The cat sat.\n1984\nIt ate.", beam_of(4));
    ck_assert_int_eq(answer.sentence_count, 2);
    ck_assert_int_ge(answer.alternative_count, 1);
    ck_assert_int_le(answer.alternative_count, 3);
    for (int i = 0; i < answer.alternative_count; i++) {
        ck_assert_str_ne(answer.alternatives[i], answer.text);
        ck_assert_ptr_nonnull(strstr(answer.alternatives[i], "\n1984\n"));
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(answer.alternatives[i], answer.alternatives[k]);
    }
    char expected[512];
    snprintf(expected, sizeof expected, "%s\n1984\n%s", answer.sentences[0].texts[1].text,
             answer.sentences[1].texts[1].text);
    ck_assert_str_eq(answer.alternatives[0], expected);
    ck_assert_float_eq_tol(answer.alternative_scores[0],
                           answer.sentences[0].translation.best[1].score +
                               answer.sentences[1].translation.best[1].score,
                           1e-6f);
    teardown();
}
END_TEST

START_TEST(a_cancelled_text_has_no_answer_and_the_others_have)
{
    atomic_bool yes = true, no = false;
    struct engine_text texts[] = {
        { .text = "The cat sat.", .len = 12, .cancelled = &no },
        { .text = "It ate.", .len = 7, .cancelled = &yes },
        { .text = "The dog.", .len = 8 },
    };
    struct engine_answer answers[3];
    struct search_options options = greedy();
    setup();
    assert_ok(engine_translate(worker, texts, 3, &options, &arena, answers, &err), err);
    ck_assert_ptr_nonnull(answers[0].text);
    ck_assert_ptr_null(answers[1].text);
    ck_assert_ptr_nonnull(answers[2].text);
    struct engine_answer alone = translate("The dog.", greedy());
    ck_assert_str_eq(answers[2].text, alone.text);
    teardown();
}
END_TEST

START_TEST(invalid_text_and_too_many_sentences_are_refused)
{
    char many[200] = "";
    struct engine_answer answer;
    struct search_options options = greedy();
    setup();
    struct engine_text bad = { .text = "ab\xC0", .len = 3 };
    assert_status(engine_translate(worker, &bad, 1, &options, &arena, &answer, &err),
                  STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "byte 2"));
    for (int i = 0; i < limits.text_sentences + 1; i++)
        strcat(many, "a\n");
    struct engine_text long_text = { .text = many, .len = strlen(many) };
    assert_status(engine_translate(worker, &long_text, 1, &options, &arena, &answer, &err),
                  STATUS_TOO_LARGE);
    struct engine_text two[] = { { .text = many, .len = 40 }, { .text = many, .len = 42 } };
    struct engine_answer answers[2]; // 20 sentences and 21
    assert_status(engine_translate(worker, two, 2, &options, &arena, answers, &err),
                  STATUS_TOO_LARGE);
    two[1].len = 40;
    assert_ok(engine_translate(worker, two, 2, &options, &arena, answers, &err), err);
    teardown();
}
END_TEST

START_TEST(a_full_arena_is_said_whatever_its_size)
{
    struct engine_answer answer;
    struct search_options options = beam_of(3);
    struct engine_text text = { .text = "The cat sat. It ate.", .len = 20 };
    bool enough = false;
    setup();
    for (size_t bytes = 256; !enough; bytes += bytes / 8 / 64 * 64 + 64) {
        struct arena small;
        ck_assert(arena_init(&small, bytes));
        enum status status = engine_translate(worker, &text, 1, &options, &small, &answer, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        enough = status == STATUS_OK;
        arena_release(&small);
    }
    teardown();
}
END_TEST

/* ---- tasks beside each other ---- */

static const char many[] = "One ant. Two ants. Three ants. Four ants. Five ants. Six ants. Seven. "
                           "Eight ants sit. Nine ants sat. Ten ants. Eleven. Twelve. Thirteen.";

static struct engine_task *begin(const struct engine_text *text, struct search_options options,
                                 struct arena *a)
{
    struct engine_task *task;
    assert_ok(engine_begin(worker, text, 1, &options, a, &task, &err), err);
    return task;
}

/* What is asked for later, in the midst of another, and finishes first. */
START_TEST(a_text_that_comes_in_the_midst_of_another_has_the_same_answer)
{
    struct engine_text texts[] = { { .text = many, .len = strlen(many) },
                                   { .text = "The cat sat.", .len = 12 } };
    struct engine_answer answer;
    struct arena other;
    setup();
    ck_assert(arena_init(&other, ARENA_BYTES));
    struct engine_task *longer = begin(&texts[0], beam_of(3), &other);
    for (int i = 0; i < 5; i++)
        engine_step(worker);
    ck_assert(!engine_task_is_done(longer));
    struct engine_task *shorter = begin(&texts[1], beam_of(5), &arena);
    while (!engine_task_is_done(shorter))
        engine_step(worker);
    ck_assert(!engine_task_is_done(longer));
    assert_ok(engine_finish(worker, shorter, &answer, &err), err);
    while (!engine_task_is_done(longer))
        engine_step(worker);
    ck_assert_str_eq(answer.text, translate("The cat sat.", beam_of(5)).text);
    assert_ok(engine_finish(worker, longer, &answer, &err), err);
    struct engine_answer alone = translate(many, beam_of(3));
    ck_assert_str_eq(answer.text, alone.text);
    ck_assert(answer.score == alone.score);
    arena_release(&other);
    teardown();
}
END_TEST

START_TEST(a_cancelled_text_leaves_its_places_at_the_next_step)
{
    atomic_bool gone = false;
    struct engine_text texts[] = { { .text = many, .len = strlen(many), .cancelled = &gone },
                                   { .text = "The cat sat.", .len = 12 } };
    struct engine_answer answer;
    struct arena other;
    setup();
    ck_assert(arena_init(&other, ARENA_BYTES));
    struct engine_task *first = begin(&texts[0], greedy(), &other);
    engine_step(worker); // it has all places
    struct engine_task *second = begin(&texts[1], greedy(), &arena);
    atomic_store(&gone, true);
    ck_assert(!engine_task_is_done(first));
    engine_step(worker);
    ck_assert(engine_task_is_done(first));
    assert_ok(engine_finish(worker, first, &answer, &err), err);
    ck_assert_ptr_null(answer.text);
    arena_release(&other); // nothing looks at it any more
    while (!engine_task_is_done(second))
        engine_step(worker);
    assert_ok(engine_finish(worker, second, &answer, &err), err);
    ck_assert_str_eq(answer.text, translate("The cat sat.", greedy()).text);
    teardown();
}
END_TEST

START_TEST(a_full_arena_fails_one_task_and_no_other)
{
    struct engine_text texts[] = { { .text = many, .len = strlen(many) },
                                   { .text = "The cat sat. It ate.", .len = 20 } };
    struct search_options options = beam_of(4);
    struct engine_answer answer, alone;
    bool enough = false;
    int failed = 0;
    setup();
    alone = translate("The cat sat. It ate.", options);
    for (size_t bytes = 1 << 13; !enough; bytes += bytes / 2) {
        struct arena small;
        struct engine_task *full;
        ck_assert(arena_init(&small, bytes));
        enum status status = engine_begin(worker, texts, 1, &options, &small, &full, &err);
        if (status != STATUS_OK) {
            arena_release(&small);
            continue;
        }
        struct engine_task *other = begin(&texts[1], options, &arena);
        while (!engine_task_is_done(full))
            engine_step(worker);
        status = engine_finish(worker, full, &answer, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        enough = status == STATUS_OK;
        failed += !enough;
        arena_release(&small); // nothing looks at it any more
        while (!engine_task_is_done(other))
            engine_step(worker);
        assert_ok(engine_finish(worker, other, &answer, &err), err);
        ck_assert_str_eq(answer.text, alone.text);
        ck_assert(answer.score == alone.score);
    }
    ck_assert_int_gt(failed, 1);
    teardown();
}
END_TEST

START_TEST(a_search_that_is_not_possible_fails_its_own_task)
{
    struct engine_text texts[] = { { .text = many, .len = strlen(many) },
                                   { .text = "The cat sat.", .len = 12 } };
    struct engine_answer answer;
    setup();
    struct engine_task *wrong = begin(&texts[0], beam_of(limits.beam + 1), &arena);
    struct engine_task *right = begin(&texts[1], greedy(), &arena);
    while (!engine_task_is_done(wrong) || !engine_task_is_done(right))
        engine_step(worker);
    assert_status(engine_finish(worker, wrong, &answer, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "the beam is 7"));
    assert_ok(engine_finish(worker, right, &answer, &err), err);
    teardown();
}
END_TEST

START_TEST(word_alignments_of_real_output_sum_to_one)
{
    setup();
    struct engine_answer answer = translate("The little cat sat; it ate, and slept.", beam_of(3));
    for (int i = 0; i < answer.sentence_count; i++)
        for (int k = 0; k < answer.sentences[i].translation.count; k++) {
            struct word_alignment words;
            assert_ok(word_alignment(engine_vocabulary(engine), &answer.sentences[i], k, &arena,
                                     &words, &err),
                      err);
            ck_assert_int_eq(words.S, 11); // 8 and ";" "," "."
            const struct hypothesis *h = &answer.sentences[i].translation.best[k];
            float log_prob = h->log_prob - (h->finished ? h->log_probs[h->T] : 0);
            for (int t = 0; t < words.T; t++) {
                log_prob -= words.log_probs[t];
                ck_assert(words.confidence[t] >= 0 && words.confidence[t] <= 1);
                float sum = 0;
                for (int s = 0; s <= words.S; s++)
                    sum += words.weights[t * (words.S + 1) + s];
                ck_assert_float_eq_tol(sum, 1.0f, 1e-4f);
            }
            ck_assert_float_eq_tol(log_prob, 0, 1e-4f);
        }
    teardown();
}
END_TEST

START_TEST(a_vocabulary_of_another_size_is_refused)
{
    struct model *model;
    struct engine *other;
    struct vocabulary *small;
    struct piece pieces[260];
    setup();
    for (int i = 0; i < 260; i++)
        pieces[i] = *vocabulary_piece(engine_vocabulary(engine), i);
    assert_ok(
        vocabulary_new(&small, pieces, 260, (struct vocabulary_options){ .form = FORM_NFKC }, &err),
        err);
    assert_ok(model_load(&model, path, KIND_TRANSLATE, &err), err);
    assert_status(engine_new(&other, model, small, &err), STATUS_BAD_FILE);
    ck_assert_ptr_null(other);
    ck_assert_ptr_nonnull(strstr(err.text, "260"));
    vocabulary_free(small);
    teardown();
}
END_TEST

START_TEST(loading_survives_every_failed_allocation)
{
    setup();
    for (long nth = 1;; nth++) {
        struct engine *mine;
        long live = memory_live();
        memory_fail_at(nth);
        enum status status = engine_load(&mine, path, WEIGHT_F32, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            assert_ok(status, err);
            engine_free(mine);
            break;
        }
        ck_assert_int_ne(status, STATUS_OK);
        ck_assert_ptr_null(mine);
        ck_assert_int_eq(memory_live(), live);
    }
    teardown();
}
END_TEST

START_TEST(a_worker_survives_every_failed_allocation)
{
    setup();
    for (long nth = 1;; nth++) {
        struct engine_worker *mine;
        long live = memory_live();
        memory_fail_at(nth);
        enum status status = engine_worker_new(&mine, engine, &limits, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            assert_ok(status, err);
            engine_worker_free(mine);
            break;
        }
        assert_status(status, STATUS_NO_MEMORY);
        ck_assert_ptr_null(mine);
        ck_assert_int_eq(memory_live(), live);
    }
    teardown();
}
END_TEST

/* Whole texts, as a reference run translated them: text to text, not ids to ids. */
START_TEST(texts_come_out_as_a_reference_run_had_them)
{
    enum { WANTED = 60, SLACK = 2 }; // ties in float16 weights may fall the other way
    struct bytes vocabulary;
    struct line_reader *in;
    struct line line;
    struct engine *trained;
    struct engine_worker *w;
    struct engine_limits wide = { .sentences = 8, .beam = 1, .pieces = 256, .text_sentences = 9 };
    struct search_options options = greedy();
    int same = 0, compared = 0;
    if (access(SHARED_DIR "/models/en-fr.greedy.jsonl.gz", R_OK) != 0) {
        puts("skipped: there is no shared folder beside the checkout");
        return;
    }
    setup();
    bytes_init(&vocabulary, 1 << 24);
    assert_ok(bytes_read_file(&vocabulary, SHARED_DIR "/models/en-fr.vocab.tsv", &err), err);
    struct model_texts texts = { .vocabulary = vocabulary.data, .card = "{\"source\":\"en\"}" };
    snprintf(path, sizeof path, "%s/real.safetensors", folder);
    assert_ok(model_import(SHARED_DIR "/models/en-fr.safetensors", &texts, path, &err), err);
    assert_ok(engine_load(&trained, path, WEIGHT_F32, &err), err);
    ck_assert_str_eq(engine_source(trained), "en");
    ck_assert_str_eq(engine_name(trained), "");
    assert_ok(engine_worker_new(&w, trained, &wide, &err), err);
    assert_ok(line_reader_open(&in, SHARED_DIR "/models/en-fr.greedy.jsonl.gz", &err), err);
    while (compared < WANTED) {
        json_t *item;
        struct engine_answer answer;
        assert_ok(line_reader_next(in, &line, &err), err);
        if (!line.text)
            break;
        assert_ok(json_parse(&item, line.text, line.len, &err), err);
        const char *source = json_string_value(json_object_get(item, "source"));
        const char *expected = json_string_value(json_object_get(item, "greedy"));
        struct engine_text text = { .text = source, .len = strlen(source) };
        arena_reset(&arena);
        assert_ok(engine_translate(w, &text, 1, &options, &arena, &answer, &err), err);
        if (answer.sentence_count == 1) {
            compared++;
            same += strcmp(answer.text, expected) == 0;
        }
        json_decref(item);
    }
    ck_assert_int_eq(compared, WANTED);
    ck_assert_msg(same >= WANTED - SLACK, "%d of %d texts are the same", same, compared);
    line_reader_close(in);
    engine_worker_free(w);
    engine_free(trained);
    bytes_release(&vocabulary);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(it_says_which_languages_its_card_names),
    TEST(what_has_no_letters_comes_back_unchanged),
    TEST(white_space_between_sentences_comes_back_byte_for_byte),
    TEST(spans_and_texts_of_a_sentence_fit_the_answer),
    TEST(a_text_gets_the_same_answer_alone_and_in_company),
    TEST(a_text_need_not_end_in_a_nul),
    TEST(an_overlong_sentence_is_split_and_said_so),
    TEST(an_answer_that_hits_the_length_limit_is_said_so),
    TEST(alternatives_are_different_and_join_the_kth_of_each_sentence),
    TEST(a_cancelled_text_has_no_answer_and_the_others_have),
    TEST(invalid_text_and_too_many_sentences_are_refused),
    TEST(a_full_arena_is_said_whatever_its_size),
    TEST(a_text_that_comes_in_the_midst_of_another_has_the_same_answer),
    TEST(a_cancelled_text_leaves_its_places_at_the_next_step),
    TEST(a_full_arena_fails_one_task_and_no_other),
    TEST(a_search_that_is_not_possible_fails_its_own_task),
    TEST(word_alignments_of_real_output_sum_to_one),
    TEST(a_vocabulary_of_another_size_is_refused),
    TEST(loading_survives_every_failed_allocation),
    TEST(a_worker_survives_every_failed_allocation),
    TEST(texts_come_out_as_a_reference_run_had_them),
};
TEST_MAIN("server/engine/engine", cases)
