/*
 * test_lm.c - "verso lm train", "score" and "sample" as a person starts them, on texts with an
 * obvious rule.
 */
#include "tests/server/cmd/program.h"

#include <math.h>

#include "base/rng.h"
#include "model/file.h"
#include "tests/model/same_tensors.h"

#define TINY                                                                                       \
    "--valid v.txt --embedding 8 --hidden 16 --streams 4 --bptt 10 --dropout 0 --rate 0.02 "       \
    "--warmup 10 --threads 2 --patience 0 "

/* Many times the same lines. */
static void write_lines(const char *name, const char *lines, int times)
{
    struct bytes text;
    bytes_init(&text, SAID_BYTES_MAX);
    for (int i = 0; i < times; i++)
        bytes_append_text(&text, lines);
    program_write(name, text.data, text.len);
    bytes_release(&text);
}

/* Words by lot: something to learn, and nothing to know by heart. */
static void write_words(const char *name, int lines, uint64_t seed)
{
    static const char *const words[] = { "one", "two", "three", "red", "blue", "house", "cat" };
    struct rng rng = rng_make(seed, 0);
    struct bytes text;
    bytes_init(&text, SAID_BYTES_MAX);
    for (int i = 0; i < lines; i++)
        for (int k = 2 + (int)rng_below(&rng, 4); k > 0; k--)
            bytes_printf(&text, "%s%c", words[rng_below(&rng, 7)], k > 1 ? ' ' : '\n');
    program_write(name, text.data, text.len);
    bytes_release(&text);
}

static struct said run_with(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct said run_with(const char *format, ...)
{
    char words[COMMAND_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    return run_verso(words, "", 0);
}

/* "verso lm train" with a TINY model; its messages are the caller's to release. */
static struct said train(const char *more)
{
    struct said said = run_with("lm train t.txt " TINY "%s", more);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    return said;
}

static void train_quietly(const char *more)
{
    struct said said = train(more);
    said_release(&said);
}

static void assert_out(const char *words, const char *wanted)
{
    struct said said = run_verso(words, "", 0);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    ck_assert_str_eq(said.out.data, wanted);
    said_release(&said);
}

/* The four numbers behind "total". */
static void read_total(const struct said *said, double total[4])
{
    const char *line = strstr(said->out.data, "total\t");
    ck_assert_msg(line, "%s", said->out.data);
    ck_assert_int_eq(
        sscanf(line, "total\t%lf\t%lf\t%lf\t%lf", &total[0], &total[1], &total[2], &total[3]), 4);
}

/* The length of a line cannot be known from less than all of it. */
START_TEST(what_has_a_rule_is_predicted_and_continued)
{
    double total[4];
    program_setup();
    write_lines("t.txt", "abcabcabc\n", 200);
    write_lines("v.txt", "abcabcabc\n", 20);
    train_quietly("--level characters --epochs 40 -o m");
    struct said said = run_verso("lm score m --continued v.txt", "", 0);
    read_total(&said, total);
    ck_assert_msg(total[1] < 1.05, "%s", said.out.data);
    said_release(&said);
    assert_out("lm sample m --temperature 0 --prompt ab", "abcabcabc\n");
    assert_out("lm sample m --temperature 0 --lines 3 --count 2",
               "abcabcabc\nabcabcabc\nabcabcabc\n\nabcabcabc\nabcabcabc\nabcabcabc\n");
    assert_out("lm sample m --temperature 0 --length 4 --prompt ab", "abcabc\n");
    program_teardown();
}
END_TEST

START_TEST(the_next_word_is_predicted)
{
    program_setup();
    write_lines("t.txt", "the cat sat on a mat\nmy dog ran to me\n", 100);
    write_lines("v.txt", "the cat sat on a mat\nmy dog ran to me\n", 10);
    train_quietly("--level pieces --vocab-size 300 --epochs 40 -o m");
    assert_out("lm sample m --temperature 0 --words 1 --prompt 'the cat'", "the cat sat\n");
    assert_out("lm sample m --temperature 0 --words 2 --prompt 'my dog'", "my dog ran to\n");
    assert_out("lm sample m --temperature 0 --words 9 --prompt 'my dog'", "my dog ran to me\n");
    program_teardown();
}
END_TEST

START_TEST(a_seed_gives_the_same_texts_whichever_are_asked_for)
{
    program_setup();
    write_words("t.txt", 100, 1);
    write_words("v.txt", 20, 2);
    train_quietly("--level characters --epochs 2 -o m");
    struct said five = run_verso("lm sample m --count 5 --seed 3", "", 0);
    struct said again = run_verso("lm sample m --count 5 --seed 3", "", 0);
    struct said two = run_verso("lm sample m --count 2 --seed 3", "", 0);
    struct said other = run_verso("lm sample m --count 5 --seed 4", "", 0);
    ck_assert_str_eq(five.out.data, again.out.data);
    ck_assert(two.out.len > 2 && strncmp(five.out.data, two.out.data, two.out.len) == 0);
    ck_assert_str_ne(five.out.data, other.out.data);
    said_release(&five), said_release(&again), said_release(&two), said_release(&other);
    program_teardown();
}
END_TEST

/* A model that knows nothing yet draws every piece there is. */
START_TEST(a_sample_has_no_control_pieces)
{
    program_setup();
    write_words("t.txt", 30, 1);
    write_words("v.txt", 5, 2);
    train_quietly("--level characters --epochs 1 --rate 0.000001 -o m");
    struct said said = run_verso("lm sample m --count 40 --temperature 50", "", 0);
    ck_assert_int_eq(said.code, 0);
    ck_assert(said.out.len > 100);
    ck_assert_ptr_null(strstr(said.out.data, "<s>"));
    ck_assert_ptr_null(strstr(said.out.data, "<pad>"));
    ck_assert_ptr_null(strstr(said.out.data, "<unk>"));
    said_release(&said);
    program_teardown();
}
END_TEST

/* Stored without rounding, and read as the validation reads: one text. */
START_TEST(a_score_is_the_validation_loss)
{
    double total[4], loss;
    program_setup();
    write_words("t.txt", 100, 1);
    write_words("v.txt", 60, 2);
    struct said training = train("--level characters --epochs 3 --store f32 -o m");
    const char *best = strstr(training.errors.data, "best validation loss, ");
    ck_assert(best && sscanf(best, "best validation loss, %lf", &loss) == 1);
    struct said said = run_verso("lm score m --continued v.txt", "", 0);
    read_total(&said, total);
    ck_assert_double_eq_tol(log(total[1]), loss, 1e-4);
    ck_assert(total[2] > total[3]); // words are longer than characters
    said_release(&training), said_release(&said);
    program_teardown();
}
END_TEST

/* 100 lines of all lengths, the blank one too: each has the same digits alone. */
START_TEST(a_line_scores_the_same_whatever_stands_around_it)
{
    program_setup();
    write_words("t.txt", 100, 1);
    write_words("v.txt", 20, 2);
    train_quietly("--level characters --epochs 1 -o m");
    struct said together = run_verso("lm score m t.txt", "", 0);
    struct bytes text;
    program_read("t.txt", &text);
    char *save_line, *save_score;
    char *line = strtok_r(text.data, "\n", &save_line);
    char *score = strtok_r(together.out.data, "\n", &save_score);
    for (int i = 0; i < 100; i++) {
        if (i % 9 == 0) {
            struct said alone = run_verso("lm score m", line, strlen(line));
            ck_assert(strncmp(alone.out.data, score, strlen(score)) == 0);
            ck_assert_int_eq(alone.out.data[strlen(score)], '\n');
            said_release(&alone);
        }
        line = strtok_r(NULL, "\n", &save_line);
        score = strtok_r(NULL, "\n", &save_score);
    }
    ck_assert(strncmp(score, "total\t", 6) == 0);
    bytes_release(&text);
    said_release(&together);
    program_teardown();
}
END_TEST

START_TEST(scores_as_json_have_counts)
{
    program_setup();
    write_words("t.txt", 50, 1);
    write_words("v.txt", 20, 2);
    train_quietly("--level characters --epochs 1 -o m");
    struct said said = run_verso("lm score m --json", "red  cat\n\n", 10);
    ck_assert_int_eq(said.code, 0);
    ck_assert_msg(strstr(said.out.data, "{\"line\":1,\"log_prob\":-"), "%s", said.out.data);
    ck_assert(strstr(said.out.data, "\"pieces\":9,\"words\":3,\"characters\":8,"));
    ck_assert(strstr(said.out.data, "\"pieces\":1,\"words\":1,\"characters\":1,"));
    ck_assert(strstr(said.out.data, "{\"total_lines\":2,"));
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(a_line_that_is_no_text_is_said_and_has_its_place)
{
    static const char input[] = "red\n\xff\ncat\n";
    program_setup();
    write_words("t.txt", 50, 1);
    write_words("v.txt", 20, 2);
    train_quietly("--level characters --epochs 1 -o m");
    struct said said = run_verso("lm score m", input, sizeof input - 1);
    ck_assert_int_eq(said.code, 3);
    ck_assert_msg(strstr(said.errors.data, "standard input: line 2: invalid UTF-8"), "%s",
                  said.errors.data);
    ck_assert_msg(strstr(said.out.data, "\nnan\tnan\tnan\tnan\n"), "%s", said.out.data);
    said_release(&said);
    program_teardown();
}
END_TEST

/* ---- training ---- */

static void assert_same_weights(const char *name_a, const char *name_b)
{
    char path_a[192], path_b[192];
    snprintf(path_a, sizeof path_a, "%s/%s", program_folder, name_a);
    snprintf(path_b, sizeof path_b, "%s/%s", program_folder, name_b);
    assert_same_tensors(path_a, path_b);
}

/* Killed at moments by lot until a run comes to its end; the carried states are in the checkpoint,
 * and compared. */
START_TEST(a_training_that_is_killed_and_resumed_ends_with_the_same_bits)
{
    struct rng rng = rng_make(17, 0);
    program_setup();
    write_words("t.txt", 200, 1);
    write_words("v.txt", 20, 2);
    static const char options[] = TINY "--level characters --cell lstm --layers 2 --epochs 4 "
                                       "--checkpoint-every 5";
    train_quietly("--level characters --cell lstm --layers 2 --epochs 4 --checkpoint-every 5 "
                  "-o straight");
    char command[COMMAND_BYTES];
    int code = -1, kills = 0;
    for (int run = 0; code != 0 || kills == 0; run++) {
        ck_assert_int_lt(run, 1000);
        const double seconds = 0.02 * (1 + 0.3 * kills) * (1 + rng_uniform(&rng));
        const char *anew = code == 0 ? "rm m m.checkpoint; " : ""; // it was quicker than the kill
        snprintf(command, sizeof command,
                 "cd '%s' && %sresume=$([ -e m.checkpoint ] && echo --resume); "
                 "timeout -s KILL %.3f '%s/verso-train' lm train t.txt %s -o m $resume 2> errors",
                 program_folder, anew, seconds, PROGRAMS_DIR, options);
        const int ended = system(command);
        ck_assert(WIFEXITED(ended));
        code = WEXITSTATUS(ended);
        ck_assert_msg(code == 0 || code == 128 + 9, "exit code %d", code);
        kills += code != 0;
    }
    assert_same_weights("straight.checkpoint", "m.checkpoint");
    assert_same_weights("straight", "m");
    program_teardown();
}
END_TEST

START_TEST(gradients_are_traced_without_changing_the_training)
{
    struct bytes trace;
    program_setup();
    write_words("t.txt", 100, 1);
    write_words("v.txt", 20, 2);
    train_quietly("--level characters --cell rnn --epochs 1 -o plain");
    train_quietly("--level characters --cell rnn --epochs 1 -o traced --trace-gradients g.jsonl "
                  "--trace-every 10");
    assert_same_weights("plain", "traced");
    program_read("g.jsonl", &trace);
    int lines = 0;
    char *save;
    for (char *line = strtok_r(trace.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char start[64];
        int commas = 0;
        snprintf(start, sizeof start, "{\"update\":%d,\"gradient_norms\":[", 1 + 10 * lines++);
        ck_assert_msg(strncmp(line, start, strlen(start)) == 0, "%s", line);
        for (const char *c = line; *c; c++)
            commas += *c == ',';
        ck_assert_int_eq(commas, 10); // one, and nine between the ten distances of --bptt 10
    }
    ck_assert_int_ge(lines, 3);
    bytes_release(&trace);
    program_teardown();
}
END_TEST

START_TEST(a_column_of_a_table_is_a_text)
{
    program_setup();
    write_lines("t.txt", "x\tabcabcabc\n", 100);
    write_lines("v.txt", "y\tabcabcabc\n", 10);
    struct said said = train("--column 2 --level characters --epochs 1 -o m");
    ck_assert_msg(strstr(said.errors.data, "training: 100 lines, 1100 pieces"), "%s",
                  said.errors.data);
    said_release(&said);
    struct said files =
        run_verso("lm score m < in > /dev/null; ls", "", 0); // no stream of pieces is left
    ck_assert_ptr_null(strstr(files.out.data, "training"));
    said_release(&files);
    program_teardown();
}
END_TEST

/* ---- mistakes ---- */

static void assert_says(const char *words, int code, const char *what)
{
    struct said said = run_verso(words, "", 0);
    ck_assert_msg(said.code == code && strstr(said.errors.data, what), "%s: %d %s", words,
                  said.code, said.errors.data);
    said_release(&said);
}

START_TEST(models_of_another_kind_are_refused)
{
    program_setup();
    write_words("t.txt", 30, 1);
    write_words("v.txt", 5, 2);
    train_quietly("--level characters --epochs 1 -o m");
    assert_says("translate --model m", 3, "m: it is a language model: use it with \"verso lm\"");
    assert_says("lm score en-fr.safetensors", 3, "it translates");
    assert_says("lm sample en-fr.safetensors", 3, "it translates");
    program_teardown();
}
END_TEST

START_TEST(mistakes_are_answered_by_what_to_do)
{
    program_setup();
    write_words("t.txt", 30, 1);
    write_words("v.txt", 5, 2);
    write_lines("blank.txt", "\n", 3);
    assert_says("lm", 2, "lm score");
    assert_says("lm scroe m", 2, "lm score");
    assert_says("lm score", 2, "usage: verso lm score MODEL");
    assert_says("lm score absent", 5, "absent");
    assert_says("lm sample m --length 0", 2, "--length: 0 is less than 1");
    assert_says("lm train t.txt --valid v.txt", 2, "--out FILE is needed");
    assert_says("lm train t.txt -o m", 2, "--valid FILE is needed");
    assert_says("lm train t.txt " TINY "--level words -o m", 2, "characters, pieces");
    assert_says("lm train t.txt " TINY "--cell lstmm -o m", 2, "rnn, rnn-logistic, lstm");
    assert_says("lm train t.txt " TINY "--level characters --streams 4000 -o m", 3,
                "too few to read as 4000 streams");
    assert_says("lm train blank.txt " TINY "-o m", 3, "no line to learn a vocabulary from");
    assert_says("lm train t.txt " TINY "--valid absent --level characters -o m", 5, "absent");
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(what_has_a_rule_is_predicted_and_continued),
    TEST(the_next_word_is_predicted),
    TEST(a_seed_gives_the_same_texts_whichever_are_asked_for),
    TEST(a_sample_has_no_control_pieces),
    TEST(a_score_is_the_validation_loss),
    TEST(a_line_scores_the_same_whatever_stands_around_it),
    TEST(scores_as_json_have_counts),
    TEST(a_line_that_is_no_text_is_said_and_has_its_place),
    TEST(a_training_that_is_killed_and_resumed_ends_with_the_same_bits),
    TEST(gradients_are_traced_without_changing_the_training),
    TEST(a_column_of_a_table_is_a_text),
    TEST(models_of_another_kind_are_refused),
    TEST(mistakes_are_answered_by_what_to_do),
};
TEST_MAIN("server/cmd/lm", cases)
