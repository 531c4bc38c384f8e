/*
 * test_models.c - "verso models": lists, shows, imports, and says what is wrong.
 */
#include "tests/server/cmd/program.h"

#define IMPORT                                                                                     \
    "models import " SHARED_DIR "/models/en-fr.safetensors " SHARED_DIR "/models/en-fr.vocab.tsv "

static void assert_says(const struct bytes *text, const char *what)
{
    ck_assert_msg(strstr(text->data, what) != NULL, "\"%s\" is not in:\n%s", what, text->data);
}

START_TEST(list_has_a_line_a_model)
{
    char path[192];
    program_setup();
    snprintf(path, sizeof path, "%s/fr-en.safetensors", program_folder);
    write_tiny_model(path, "fr", "en", 2);
    struct said said = run_verso("models list .", "", 0);
    ck_assert_int_eq(said.code, 0);
    assert_says(&said.out, "NAME");
    assert_says(&said.out, "en-fr.safetensors\n");
    assert_says(&said.out, "fr-en.safetensors\n");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(a_broken_model_is_said_and_the_others_are_listed)
{
    program_setup();
    program_write("a-broken.safetensors", "nothing", 7);
    program_write("z-broken.safetensors", "nothing", 7);
    struct said said = run_verso("models list .", "", 0);
    ck_assert_int_eq(said.code, 4);
    assert_says(&said.out, "en-fr.safetensors\n");
    assert_says(&said.errors, "a-broken.safetensors");
    assert_says(&said.errors, "z-broken.safetensors");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(show_has_config_card_digest_and_tensors)
{
    program_setup();
    struct said said = run_verso("models show en-fr.safetensors", "", 0);
    ck_assert_int_eq(said.code, 0);
    assert_says(&said.out, "\"hidden\": 16");
    assert_says(&said.out, "\"source\": \"en\"");
    assert_says(&said.out, "digest   ");
    assert_says(&said.out, "embedding");
    assert_says(&said.out, "F32");
    said_release(&said);
    program_teardown();
}
END_TEST

/* Scores come after training: the card changes, what the model says does not. */
START_TEST(a_card_is_changed_and_the_weights_are_not)
{
    static const char scores[] = "{\"scores\":{\"BLEU\":41.5}}";
    program_setup();
    program_write("scores.json", scores, sizeof scores - 1);
    struct said before = run_verso("translate -m en-fr.safetensors", "ab ba abba\n", 11);
    struct said said = run_verso("models card en-fr.safetensors --card scores.json", "", 0);
    ck_assert_int_eq(said.code, 0);
    assert_says(&said.out, "41.5");
    assert_says(&said.out, "\"source\": \"en\"");
    struct said after = run_verso("translate -m en-fr.safetensors", "ab ba abba\n", 11);
    ck_assert_int_eq(after.code, 0);
    ck_assert_str_eq(after.out.data, before.out.data);
    said_release(&before);
    said_release(&said);
    said_release(&after);
    program_write("scores.json", "[1]", 3);
    said = run_verso("models card en-fr.safetensors --card scores.json", "", 0);
    ck_assert_int_ne(said.code, 0);
    assert_says(&said.errors, "JSON object");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(wrong_words_and_absent_files_are_said)
{
    static const struct mistake wrong[] = {
        { "models", "usage", 2 },
        { "models list", "list FOLDER", 2 },
        { "models show a b", "show FILE", 2 },
        { "models paint x", "list FOLDER", 2 },
        { "models import a b", "--out MODEL is needed", 2 },
        { "models import a b -o c --source en", "--target CODE is needed", 2 },
        { "models list none", "none", 5 },
        { "models show none", "none", 5 },
        { "models show in", "in", 4 },
        { "models import a none.tsv -o c --source en --target fr", "none.tsv", 5 },
    };
    program_setup();
    assert_mistakes(wrong, sizeof wrong / sizeof wrong[0], "");
    program_teardown();
}
END_TEST

static bool skipped(void)
{
    if (access(SHARED_DIR "/models/en-fr.vocab.tsv", R_OK) == 0)
        return false;
    puts("skipped: there is no shared folder beside the checkout");
    return true;
}

START_TEST(import_puts_the_card_in)
{
    static const char card[] = "{\"licence\":\"CC BY 2.0\",\"source\":\"xx\"}";
    if (skipped())
        return;
    program_setup();
    program_write("card.json", card, sizeof card - 1);
    struct said said = run_verso(
        IMPORT "-o m.safetensors --source en --target fr --card card.json --name best", "", 0);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    assert_says(&said.out, "CC BY 2.0");
    assert_says(&said.out, "\"source\": \"en\"");
    assert_says(&said.out, "\"name\": \"best\"");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(an_import_that_does_not_fit_leaves_the_old_model_alone)
{
    if (skipped())
        return;
    program_setup();
    struct vocabulary *small = tiny_vocabulary();
    char path[192];
    struct error why;
    snprintf(path, sizeof path, "%s/small.tsv", program_folder);
    assert_ok(vocabulary_save_tsv(small, path, &why), why);
    vocabulary_free(small);
    struct said said = run_verso("models import " SHARED_DIR "/models/en-fr.safetensors small.tsv "
                                 "-o en-fr.safetensors --source en --target fr",
                                 "", 0);
    ck_assert_int_ne(said.code, 0);
    assert_says(&said.errors, "pieces");
    said_release(&said);
    said = run_verso("translate --model en-fr.safetensors", "one\n", 4);
    ck_assert_int_eq(said.code, 0);
    said_release(&said);
    snprintf(path, sizeof path, "%s/en-fr.safetensors.candidate", program_folder);
    ck_assert_int_ne(access(path, F_OK), 0);
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(list_has_a_line_a_model),
    TEST(a_broken_model_is_said_and_the_others_are_listed),
    TEST(show_has_config_card_digest_and_tensors),
    TEST(a_card_is_changed_and_the_weights_are_not),
    TEST(wrong_words_and_absent_files_are_said),
    TEST(import_puts_the_card_in),
    TEST(an_import_that_does_not_fit_leaves_the_old_model_alone),
};
TEST_MAIN("server/cmd/models", cases)
