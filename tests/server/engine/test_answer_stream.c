/*
 * test_answer_stream.c - tokens told as they are found: early, never taken back, and all of them the answer.
 */
#include "server/engine/answer_stream.h"
#include "tests/server/engine/one_engine.h"

#define TEXTS 2

static const struct engine_limits limits = {
    .sentences = 2, .beam = 4, .pieces = 48, .text_sentences = 40
};

static const char *const texts[TEXTS] = {
    "  The thin ant, in it!\n\n\tTwo \"ants\" sit: 12, \xF0\x9F\x98\x80 \xC3\xA9. Three\n 7 ",
    "12",
};

static void setup(void)
{
    write_model(1);
    assert_ok(engine_load(&engine, path, WEIGHT_F32, &err), err);
    start_worker(&limits);
}

/* What was told of one text. */
struct told {
    struct answer_stream stream;
    struct bytes text;
    json_t *sentences; // [{"source","source_tokens","tokens":[],"alignment":[]}]
    int tokens;
};

static bool hear(void *context, const char *name, json_t *data)
{
    struct told *told = context;
    const char *text = json_string_value(json_object_get(data, "text"));
    json_t *token = json_object_get(data, "token"), *row = json_object_get(data, "alignment");
    if (!strcmp(name, "sentence")) {
        ck_assert_int_eq(json_integer_value(json_object_get(data, "sentence")),
                         (int)json_array_size(told->sentences));
        json_array_append_new(told->sentences,
                              json_pack("{s:O,s:O,s:[],s:[]}", "source",
                                        json_object_get(data, "source"), "source_tokens",
                                        json_object_get(data, "source_tokens"), "tokens",
                                        "alignment"));
        return true;
    }
    ck_assert_str_eq(name, "token");
    bytes_append_text(&told->text, text);
    told->tokens++;
    if (!token)
        return true;
    json_t *sentence = json_array_get(told->sentences, json_array_size(told->sentences) - 1);
    json_array_append(json_object_get(sentence, "tokens"), token);
    if (row)
        json_array_append(json_object_get(sentence, "alignment"), row);
    return true;
}

struct listening {
    struct engine_listener listener;
    struct told told[TEXTS];
    int calls;
};

static void listen(struct engine_listener *listener, int text, const struct engine_sentence *so_far,
                   uint32_t next, bool is_whole)
{
    struct listening *l = (struct listening *)listener;
    l->calls++;
    ck_assert_uint_ge(next, so_far->source.to);
    ck_assert_uint_le(next, (uint32_t)strlen(texts[text]));
    answer_stream_grow(&l->told[text].stream, texts[text], so_far, is_whole, &arena);
}

static void begin(struct listening *l, const struct answer_json_options *options)
{
    *l = (struct listening){ .listener = { .on_sentence = listen } };
    for (int i = 0; i < TEXTS; i++) {
        answer_stream_init(&l->told[i].stream, engine_vocabulary(engine), options, hear,
                           &l->told[i]);
        bytes_init(&l->told[i].text, 1 << 16);
        l->told[i].sentences = json_array();
    }
}

static void end(struct listening *l)
{
    for (int i = 0; i < TEXTS; i++) {
        bytes_release(&l->told[i].text);
        json_decref(l->told[i].sentences);
    }
}

static void translate(struct listening *l, int beam, struct engine_answer *answers)
{
    struct engine_text wanted[TEXTS] = { { .text = texts[0], .len = strlen(texts[0]) },
                                         { .text = texts[1], .len = strlen(texts[1]) } };
    struct search_options options = search_options_default();
    struct engine_task *task;
    options.beam = beam;
    assert_ok(engine_begin(worker, wanted, TEXTS, &options, &arena, &task, &err), err);
    engine_listen(worker, task, &l->listener);
    while (!engine_task_is_done(task))
        engine_step(worker);
    const int before = l->told[0].tokens;
    assert_ok(engine_finish(worker, task, answers, &err), err);
    for (int i = 0; i < TEXTS; i++)
        ck_assert(answer_stream_end(&l->told[i].stream, &answers[i]));
    ck_assert_int_eq(before + 1, l->told[0].tokens); // the white space at the end
}

/* The tokens told, sentence by sentence, are those of the answer, as JSON. */
static void assert_same_tokens(const struct told *told, const char *text,
                               const struct engine_answer *answer,
                               const struct answer_json_options *options)
{
    json_t *root;
    assert_ok(answer_to_json(&root, engine_vocabulary(engine), text, answer, options, &arena, &err),
              err);
    json_t *sentences = json_object_get(root, "sentences"), *sentence;
    ck_assert_uint_eq(json_array_size(sentences), json_array_size(told->sentences));
    size_t i, s;
    json_array_foreach (sentences, i, sentence) {
        static const char *const same[] = { "source", "source_tokens", "tokens", "alignment" };
        const json_t *other = json_array_get(told->sentences, i);
        json_t *token;
        json_array_foreach (json_object_get(sentence, "source_tokens"), s, token)
            json_object_del(token, "coverage");
        for (int k = 0; k < (options->alignment ? 4 : 3); k++)
            ck_assert(
                json_equal(json_object_get(sentence, same[k]), json_object_get(other, same[k])));
    }
    json_decref(root);
}

START_TEST(what_is_told_is_the_answer)
{
    const struct answer_json_options options = { .alignment = _i & 1, .pieces = _i & 2 };
    struct engine_answer answers[TEXTS];
    struct listening l;
    setup();
    begin(&l, &options);
    translate(&l, _i & 4 ? 4 : 1, answers);
    ck_assert_int_gt(l.calls, 5);
    for (int i = 0; i < TEXTS; i++) {
        ck_assert_str_eq(l.told[i].text.data, answers[i].text);
        assert_same_tokens(&l.told[i], texts[i], &answers[i], &options);
    }
    end(&l);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(what_is_told_is_the_answer, 8),
};

TEST_MAIN("server/engine/answer_stream", cases)
