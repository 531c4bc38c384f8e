/*
 * test_detect.c - "verso detect" and "verso detect train": answers a line a text, and a detector
 * learnt from files.
 */
#include "tests/server/cmd/program.h"

#include "base/rng.h"
#include "tests/tiny_detector.h"

static void setup(void)
{
    char path[128];
    program_setup();
    snprintf(path, sizeof path, "%s/detect.safetensors", program_folder);
    write_tiny_detector(path, "[\"en\",\"fr\"]", 2);
}

static void assert_says(const struct bytes *text, const char *what)
{
    ck_assert_msg(strstr(text->data, what) != NULL, "\"%s\" is not in:\n%s", what, text->data);
}

static int lines_of(const struct bytes *text)
{
    int lines = 0;
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    return lines;
}

START_TEST(each_text_has_a_line)
{
    setup();
    struct said said = run_verso("detect -m detect.safetensors 'one text' 'another' 42", "", 0);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(lines_of(&said.out), 3);
    ck_assert_uint_eq(said.errors.len, 0);
    assert_says(&said.out, "\nund\t0.0000\n");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(lines_texts_and_files_are_answered_alike)
{
    static const char lines[] = "one text\nanother\n\n42\n";
    setup();
    program_write("texts", lines, sizeof lines - 1);
    struct said words = run_verso("detect -m detect.safetensors 'one text' another '' 42", "", 0);
    struct said input = run_verso("detect -m detect.safetensors", lines, sizeof lines - 1);
    struct said file = run_verso("detect -m detect.safetensors -i texts", "", 0);
    ck_assert_int_eq(words.code + input.code + file.code, 0);
    ck_assert_str_eq(input.out.data, words.out.data);
    ck_assert_str_eq(file.out.data, words.out.data);
    said_release(&words), said_release(&input), said_release(&file);
    program_teardown();
}
END_TEST

START_TEST(json_has_every_language)
{
    setup();
    struct said said = run_verso("detect -m detect.safetensors --json 'a text' 7", "", 0);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(strncmp(said.out.data, "{\"language\":\"", 13), 0);
    assert_says(&said.out, "\"languages\":[{\"language\":\"");
    assert_says(&said.out,
                "\n{\"language\":\"und\",\"confidence\":0.0,\"languages\":[{\"language\":"
                "\"en\",\"confidence\":0.0},{\"language\":\"fr\",\"confidence\":0.0}]}\n");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(a_bad_line_has_an_empty_one_in_its_place)
{
    static const char lines[] = "good\n\xFF\xFE\n42\n";
    setup();
    struct said said = run_verso("detect -m detect.safetensors", lines, sizeof lines - 1);
    ck_assert_int_eq(said.code, 3);
    ck_assert_int_eq(lines_of(&said.out), 3);
    assert_says(&said.out, "\n\nund");
    assert_says(&said.errors, "verso detect: line 2: ");
    assert_says(&said.errors, "UTF-8");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(mistakes_are_answered_with_what_to_do)
{
    static const struct mistake mistakes[] = {
        { "detect text", "--model FILE is needed", 2 },
        { "detect -m none.safetensors text", "none.safetensors", 5 },
        { "detect -m en-fr.safetensors text", "it translates", 3 },
        { "detect -m detect.safetensors -i in text", "not both", 2 },
        { "translate -m detect.safetensors", "verso detect", 3 },
        { "detect train --train en=in --valid en=in", "--out FILE is needed", 2 },
        { "detect train --train in --valid en=in -o x", "LANGUAGE=FILE", 2 },
        { "detect train --train en=in --valid en=in -o x", "two languages at least", 2 },
        { "detect train --train en=in --train fr=in --valid de=in -o x", "--train de=FILE", 2 },
        { "detect train --train e=in --train fr=in --valid fr=in -o x", "language code", 2 },
        { "detect train --train en=in:0 --train fr=in --valid fr=in -o x", "column", 2 },
        { "detect train --train en=in --train fr=in --valid fr=in -o x", "no sentence", 3 },
    };
    setup();
    assert_mistakes(mistakes, sizeof mistakes / sizeof mistakes[0], "");
    program_teardown();
}
END_TEST

/* Two languages that share no letter, in two columns of one file. */
static void write_corpus(const char *name, int lines)
{
    static const char *const left[] = { "aba", "bac", "cab", "dad" };
    static const char *const right[] = { "xyz", "zwy", "wzx", "yxw" };
    struct bytes text;
    struct rng rng = rng_make((uint64_t)lines, 0);
    bytes_init(&text, 1 << 20);
    for (int i = 0; i < lines; i++) {
        const size_t a = rng_below(&rng, 4), b = rng_below(&rng, 4), c = rng_below(&rng, 4);
        ck_assert(bytes_printf(&text, "%s %s %s\t%s %s %s\n", left[a], left[b], left[c], right[c],
                               right[b], right[a]));
    }
    program_write(name, text.data, text.len);
    bytes_release(&text);
}

#define TRAIN                                                                                      \
    "detect train --train xa=train.tsv --train xb=train.tsv:2 --valid xa=valid.tsv "               \
    "--valid xb=valid.tsv:2 --hidden 8 --embedding 8 --batch-sequences 16 --rate 0.02 "            \
    "--warmup 5 --threads 1 --dropout 0 "

START_TEST(a_detector_learns_from_files)
{
    setup();
    write_corpus("train.tsv", 200);
    write_corpus("valid.tsv", 20);
    struct said said = run_verso(TRAIN "--epochs 4 -o learnt.safetensors", "", 0);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    said_release(&said);
    said = run_verso("detect -m learnt.safetensors 'bac dad' 'WZX, xyz!' 'где мы'", "", 0);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(strncmp(said.out.data, "xa\t0.", 5), 0);
    assert_says(&said.out, "\nxb\t0.");
    assert_says(&said.out, "\nund\t0.0000\n");
    said_release(&said);
    said = run_verso("models show learnt.safetensors", "", 0);
    assert_says(&said.out, "\"xb=train.tsv:2\"");
    assert_says(&said.out, "\"kind\": \"classify\"");
    said_release(&said);
    program_teardown();
}
END_TEST

/* What is said of the last validation. */
static const char *last_loss(const struct said *said)
{
    const char *found = NULL, *at = said->errors.data;
    while ((at = strstr(at, "validation loss ")) != NULL)
        found = at++;
    ck_assert_msg(found, "%s", said->errors.data);
    return found;
}

START_TEST(a_training_goes_on_as_if_it_had_not_stopped)
{
    setup();
    write_corpus("train.tsv", 200);
    write_corpus("valid.tsv", 20);
    struct said straight = run_verso(TRAIN "--epochs 2 -o straight.safetensors", "", 0);
    struct said first = run_verso(TRAIN "--epochs 1 -o parted.safetensors", "", 0);
    struct said again = run_verso(TRAIN "--epochs 2 -o parted.safetensors", "", 0);
    ck_assert_int_eq(again.code, 2);
    assert_says(&again.errors, "--resume");
    struct said second = run_verso(TRAIN "--epochs 2 --resume -o parted.safetensors", "", 0);
    ck_assert_int_eq(straight.code + first.code + second.code, 0);
    ck_assert_int_ne(strncmp(last_loss(&straight), last_loss(&first), 22), 0);
    ck_assert_int_eq(strncmp(last_loss(&straight), last_loss(&second), 22), 0);
    said_release(&straight), said_release(&first), said_release(&again), said_release(&second);
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(each_text_has_a_line),
    TEST(lines_texts_and_files_are_answered_alike),
    TEST(json_has_every_language),
    TEST(a_bad_line_has_an_empty_one_in_its_place),
    TEST(mistakes_are_answered_with_what_to_do),
    TEST(a_detector_learns_from_files),
    TEST(a_training_goes_on_as_if_it_had_not_stopped),
};
TEST_MAIN("verso detect", cases)
