/*
 * test_evaluate.c - "verso evaluate" as its users see it: files in, scores out.
 */
#include "base/json.h"
#include "tests/server/cmd/program.h"

#define PAIRS "one\tun chat dort là-bas.\ntwo\tdeux chiens jouent dehors.\none\tle chat dort.\n"

static void write_text(const char *name, const char *text)
{
    program_write(name, text, strlen(text));
}

static struct said evaluate(const char *options)
{
    char words[512];
    snprintf(words, sizeof words, "evaluate %s", options);
    return run_verso(words, "", 0);
}

/* The scores of a run that has to succeed; the caller frees them. */
static json_t *scores_of(const char *options)
{
    char words[512];
    struct error err;
    json_t *json;
    snprintf(words, sizeof words, "evaluate --json %s", options);
    struct said said = run_verso(words, "", 0);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    ck_assert_str_eq(said.errors.data, "");
    assert_ok(json_parse(&json, said.out.data, said.out.len - 1, &err), err);
    said_release(&said);
    return json;
}

static double number(const json_t *json, const char *key)
{
    ck_assert_msg(json_is_number(json_object_get(json, key)), "no number %s", key);
    return json_number_value(json_object_get(json, key));
}

static void assert_fails(const char *options, int code, const char *because)
{
    struct said said = evaluate(options);
    ck_assert_msg(said.code == code, "%s: exit code %d: %s", options, said.code, said.errors.data);
    ck_assert_msg(strstr(said.errors.data, because) != NULL, "%s: \"%s\" does not say \"%s\"",
                  options, said.errors.data, because);
    ck_assert_str_eq(said.out.data, "");
    said_release(&said);
}

START_TEST(a_perfect_translation_scores_100)
{
    program_setup();
    write_text("hyp", "un chat dort là-bas.\ndeux chiens jouent dehors.\nle chat dort.\n");
    write_text("pairs", PAIRS);
    write_text("ref", "un chat dort là-bas.\ndeux chiens jouent dehors.\nle chat dort.\n");
    static const char *const ways[] = { "--hypothesis hyp --test pairs",
                                        "--hypothesis hyp --reference ref",
                                        "--hypothesis hyp --reference pairs" };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        json_t *scores = scores_of(ways[i]);
        ck_assert_double_eq_tol(number(scores, "bleu"), 100, 1e-5);
        ck_assert_double_eq_tol(number(scores, "chrf"), 100, 1e-5);
        ck_assert_double_eq(number(scores, "ter"), 0);
        ck_assert_int_eq((int)number(scores, "sentences"), 3);
        json_decref(scores);
    }
    program_teardown();
}
END_TEST

/* The figures are sacreBLEU 2.6.0's for these lines. */
START_TEST(all_references_of_a_source_count)
{
    program_setup();
    write_text("hyp", "un chat dort ici\ndeux chiens jouent dehors\nle chat dort\n");
    write_text("pairs", PAIRS);
    write_text("all", PAIRS "three\ttrois\none\tun chat dort ici\n");
    json_t *one = scores_of("--hypothesis hyp --test pairs");
    json_t *all = scores_of("--hypothesis hyp --test pairs --references-all all");
    ck_assert_int_eq((int)number(one, "references"), 3);
    ck_assert_int_eq((int)number(all, "references"), 7);
    ck_assert_double_eq_tol(number(one, "bleu"), 57.177464, 1e-5);
    ck_assert_double_eq_tol(number(one, "ter"), 27.272727, 1e-5);
    ck_assert_double_eq_tol(number(all, "bleu"), 83.375292, 1e-5);
    ck_assert_double_eq_tol(number(all, "chrf"), 95.836269, 1e-5);
    ck_assert_double_eq_tol(number(all, "ter"), 17.647059, 1e-5);
    json_decref(one);
    json_decref(all);
    program_teardown();
}
END_TEST

START_TEST(a_model_translates_the_test_set)
{
    program_setup();
    write_text("pairs", "un chat\tthe cat sat\nla fin\tthe end\n\tempty\nle\tthe\n");
    json_t *scores = scores_of("--model en-fr.safetensors --test pairs --source-column 2 --beam 2 "
                               "--threads 2 --output said");
    ck_assert_int_eq((int)number(scores, "sentences"), 4);
    ck_assert_double_gt(number(scores, "seconds"), 0);
    struct said translated = run_verso("translate --model en-fr.safetensors --beam 2",
                                       "the cat sat\nthe end\nempty\nthe\n", 31);
    struct bytes written;
    program_read("said", &written);
    ck_assert_str_eq(written.data, translated.out.data);
    json_t *again = scores_of("--hypothesis said --test pairs --source-column 2");
    ck_assert_double_eq(number(scores, "chrf"), number(again, "chrf"));
    ck_assert_double_eq(number(scores, "ter"), number(again, "ter"));
    bytes_release(&written);
    said_release(&translated);
    json_decref(scores);
    json_decref(again);
    program_teardown();
}
END_TEST

START_TEST(the_report_is_for_people)
{
    program_setup();
    write_text("hyp", "le chat dort.\n");
    write_text("ref", "le chat dort.\n");
    struct said said = evaluate("--hypothesis hyp --reference ref");
    ck_assert_int_eq(said.code, 0);
    ck_assert_ptr_nonnull(strstr(said.out.data, "BLEU        100.00   100.0/100.0/100.0/100.0"));
    ck_assert_ptr_nonnull(strstr(said.out.data, "TER           0.00\n1 sentences, 1 references"));
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(mistakes_are_named)
{
    program_setup();
    write_text("hyp", "a\nb\n");
    write_text("ref", "a\nb\nc\n");
    write_text("bad", "a\tb\nc\td\te\n");
    write_text("mixed", "a\tb\nc\n");
    write_text("empty", "");
    write_text("latin", "sch\xF6n\nb\n");
    program_write("nul", "a\nb\0c\n", 6);
    assert_fails("", 2, "--hypothesis FILE");
    assert_fails("--hypothesis hyp --model m --test ref", 2, "either --hypothesis");
    assert_fails("--hypothesis hyp", 2, "either --test");
    assert_fails("--model en-fr.safetensors --reference ref", 2, "needs --test");
    assert_fails("--hypothesis hyp --test bad -o x", 2, "--output");
    assert_fails("--hypothesis hyp --reference ref --references-all bad", 2,
                 "--references-all needs");
    assert_fails("--hypothesis hyp --reference ref", 3, "hyp has 2 lines but there are 3");
    assert_fails("--hypothesis hyp --test bad", 3, "bad: line 2: it should be source, tab, target");
    assert_fails("--hypothesis hyp --test mixed", 3, "mixed: line 2");
    assert_fails("--hypothesis hyp --reference mixed", 3, "mixed: line 2");
    assert_fails("--hypothesis hyp --reference empty", 3, "empty has no lines");
    assert_fails("--hypothesis latin --reference hyp", 3,
                 "sentence 1: the hypothesis: invalid UTF-8");
    assert_fails("--hypothesis nul --reference hyp", 3, "nul: line 2: there is a NUL byte");
    assert_fails("--hypothesis hyp --reference nowhere", 5, "nowhere");
    assert_fails("--model nowhere --test bad", 3, "bad: line 2");
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_perfect_translation_scores_100),
    TEST(all_references_of_a_source_count),
    TEST(a_model_translates_the_test_set),
    TEST(the_report_is_for_people),
    TEST(mistakes_are_named),
};
TEST_MAIN("server/cmd/evaluate", cases)
