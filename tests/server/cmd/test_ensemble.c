/*
 * test_ensemble.c - several models, and a language model beside them, on one command line.
 */
#include "tests/server/cmd/program.h"

#define LM_WIDTH 8

static const char text[] = "the cat sat in the hat\nin the end an inn\nthere were three\n";

static void write_model(const char *name, uint64_t seed)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s", program_folder, name);
    write_tiny_model(path, "en", "fr", seed);
}

/* A random language model of the tiny vocabulary. */
static void write_lm(const char *name)
{
    static struct lm shape;
    struct error err;
    char path[192];
    struct vocabulary *v = tiny_vocabulary();
    struct bytes tsv;
    struct config config = config_default(KIND_LM);
    bytes_init(&tsv, 1 << 20);
    assert_ok(vocabulary_write_tsv(v, &tsv, &err), err);
    config.vocabulary = vocabulary_size(v);
    config.embedding = config.hidden = LM_WIDTH;
    lm_init(&shape, &config);
    float *values = memory_zeroed(shape.params.total, sizeof *values);
    ck_assert_ptr_nonnull(values);
    ck_assert(params_initialise(&shape.params, values, 9));
    for (size_t i = 0; i < shape.params.total; i++)
        values[i] *= 4;
    const struct model_texts texts = { .vocabulary = tsv.data };
    snprintf(path, sizeof path, "%s/%s", program_folder, name);
    assert_ok(model_save(path, &shape.config, &shape.params, values, DTYPE_F32, &texts, &err), err);
    memory_free(values);
    bytes_release(&tsv);
    vocabulary_free(v);
}

/* What "verso translate" with the options prints of the text. */
static struct bytes translation(const char *options)
{
    char words[512];
    snprintf(words, sizeof words, "translate --n-best 2 %s", options);
    struct said said = run_verso(words, text, strlen(text));
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    bytes_release(&said.errors);
    return said.out;
}

static bool is_same(const char *options, const char *otherwise)
{
    struct bytes one = translation(options), other = translation(otherwise);
    const bool same = strcmp(one.data, other.data) == 0;
    bytes_release(&one);
    bytes_release(&other);
    return same;
}

START_TEST(two_models_say_something_of_both)
{
    program_setup();
    write_model("second.safetensors", 2);
    ck_assert(!is_same("-m en-fr.safetensors -m second.safetensors", "-m en-fr.safetensors"));
    ck_assert(!is_same("-m en-fr.safetensors -m second.safetensors", "-m second.safetensors"));
    ck_assert(is_same("-m en-fr.safetensors -m second.safetensors",
                      "-m second.safetensors -m en-fr.safetensors"));
    program_teardown();
}
END_TEST

START_TEST(a_language_model_has_as_much_say_as_its_weight)
{
    program_setup();
    write_lm("lm.safetensors");
    ck_assert(!is_same("-m en-fr.safetensors --lm lm.safetensors", "-m en-fr.safetensors"));
    ck_assert(
        is_same("-m en-fr.safetensors --lm lm.safetensors --lm-weight 0", "-m en-fr.safetensors"));
    program_teardown();
}
END_TEST

START_TEST(evaluate_takes_them_too)
{
    program_setup();
    write_model("second.safetensors", 2);
    write_lm("lm.safetensors");
    program_write("test.tsv", "the cat\tle chat\n", 16);
    struct said said = run_verso("evaluate -m en-fr.safetensors -m second.safetensors --lm "
                                 "lm.safetensors --test test.tsv",
                                 "", 0);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(what_does_not_go_together_is_said)
{
    static const char *const refused[][2] = {
        { "translate -m en-fr.safetensors --lm en-fr.safetensors", "verso translate" },
        { "translate -m en-fr.safetensors -m lm.safetensors", "lm" },
        { "translate -m en-fr.safetensors --lm-weight 5", "--lm-weight" },
        { "translate -m en-fr.safetensors -m other.safetensors", "other.safetensors" },
    };
    program_setup();
    write_lm("lm.safetensors");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct said said = run_verso(refused[i][0], text, strlen(text));
        ck_assert_msg(said.code != 0, "%s", refused[i][0]);
        ck_assert_uint_eq(said.out.len, 0);
        ck_assert_msg(strstr(said.errors.data, refused[i][1]), "%s", said.errors.data);
        said_release(&said);
    }
    program_teardown();
}
END_TEST

START_TEST(nine_models_are_too_many)
{
    char words[512] = "translate";
    program_setup();
    for (int i = 0; i < 9; i++)
        strcat(words, " -m en-fr.safetensors");
    struct said said = run_verso(words, text, strlen(text));
    ck_assert_int_eq(said.code, 2);
    ck_assert_ptr_nonnull(strstr(said.errors.data, "at most 8 models"));
    said_release(&said);
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(two_models_say_something_of_both), TEST(a_language_model_has_as_much_say_as_its_weight),
    TEST(evaluate_takes_them_too),          TEST(what_does_not_go_together_is_said),
    TEST(nine_models_are_too_many),
};

TEST_MAIN("server/cmd/ensemble", cases)
