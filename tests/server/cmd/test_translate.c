/*
 * test_translate.c - "verso translate" as its users see it: lines in, lines out.
 */
#include "tests/server/cmd/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "base/gzip.h"
#include "base/json.h"
#include "tokenizer/utf8.h"

#define MODEL "translate --model en-fr.safetensors "
#define LINES 1100      // more than are translated together
#define ANSWER_MS 30000 // of one line, on a slow machine under a sanitizer

static struct said translate(const char *options, const char *input)
{
    char words[512];
    snprintf(words, sizeof words, MODEL "%s", options);
    return run_verso(words, input, strlen(input));
}

/* The n-th line (from 0) without its end, in a buffer that the next call reuses. */
static const char *line_of(const struct bytes *text, int n)
{
    static char line[4096];
    const char *from = text->data;
    for (; n > 0; n--) {
        from = strchr(from, '\n');
        ck_assert_ptr_nonnull(from);
        from++;
    }
    snprintf(line, sizeof line, "%.*s", (int)strcspn(from, "\n"), from);
    return line;
}

START_TEST(each_line_gives_one_line)
{
    program_setup();
    struct said said = translate("", "the cat sat\n\n  \nThe end. The start!\n1984\n\ttab");
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(count_lines(&said.out), 6);
    ck_assert_str_ne(line_of(&said.out, 0), "");
    ck_assert_str_eq(line_of(&said.out, 1), "");
    ck_assert_str_eq(line_of(&said.out, 2), "  ");
    ck_assert_str_eq(line_of(&said.out, 4), "1984");
    ck_assert_int_eq(line_of(&said.out, 5)[0], '\t');
    ck_assert_str_eq(said.errors.data, "");
    said_release(&said);
    program_teardown();
}
END_TEST

/* Whether the two make something else of a line. */
static bool is_score_other(const char *options, const char *otherwise)
{
    static const char input[] = "the cat sat in the hat\nin the end an inn\n";
    struct said said = translate(options, input), other = translate(otherwise, input);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(other.code, 0);
    const bool is_other = strcmp(said.out.data, other.out.data) != 0;
    said_release(&said);
    said_release(&other);
    return is_other;
}

START_TEST(a_coverage_penalty_is_part_of_the_score)
{
    program_setup();
    ck_assert(is_score_other("--n-best 2 --coverage-penalty 2", "--n-best 2"));
    ck_assert(!is_score_other("--n-best 2 --coverage-penalty 0", "--n-best 2"));
    struct said said = translate("--coverage-penalty 11", "");
    ck_assert_int_eq(said.code, 2);
    said_release(&said);
    program_teardown();
}
END_TEST

/* The tiny model says the same again and again. */
START_TEST(how_often_it_repeats_itself_can_be_limited)
{
    program_setup();
    ck_assert(is_score_other("--repeats 1", "--repeats 0"));
    ck_assert(!is_score_other("--repeats 8", ""));
    program_teardown();
}
END_TEST

START_TEST(no_input_gives_no_output)
{
    program_setup();
    struct said said = translate("", "");
    ck_assert_int_eq(said.code, 0);
    ck_assert_uint_eq(said.out.len, 0);
    said_release(&said);
    program_teardown();
}
END_TEST

/* Lines that say their number in letters, of all lengths. */
static void make_lines(struct bytes *text, int count)
{
    bytes_init(text, 1 << 22);
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < 1 + i * 7919 % 23; k++)
            bytes_printf(text, "%c%c%c ", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + k);
        bytes_append_char(text, '\n');
    }
}

static struct said translate_as(const char *precision, const char *options, const char *input)
{
    char words[96];
    snprintf(words, sizeof words, "--beam 1 --precision %s %s", precision, options);
    return translate(words, input);
}

START_TEST(order_and_bytes_do_not_depend_on_threads_or_company)
{
    static const char *const precisions[] = { "f32", "bf16", "int8" };
    const char *precision = precisions[_i];
    struct bytes lines;
    program_setup();
    make_lines(&lines, LINES);
    struct said one = translate_as(precision, "--threads 1", lines.data);
    struct said four = translate_as(precision, "--threads 4", lines.data);
    ck_assert_int_eq(one.code, 0);
    ck_assert_int_eq(four.code, 0);
    ck_assert_int_eq(count_lines(&one.out), LINES);
    ck_assert_uint_eq(one.out.len, four.out.len);
    ck_assert_int_eq(memcmp(one.out.data, four.out.data, one.out.len), 0);
    for (int n = 0; n < LINES; n += 366) {
        struct said alone = translate_as(precision, "", line_of(&lines, n));
        char *end = strchr(alone.out.data, '\n');
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        ck_assert_str_eq(alone.out.data, line_of(&one.out, n));
        said_release(&alone);
    }
    said_release(&one);
    said_release(&four);
    bytes_release(&lines);
    program_teardown();
}
END_TEST

START_TEST(a_line_that_is_not_utf8_is_said_and_leaves_an_empty_one)
{
    program_setup();
    struct said said = translate("", "the cat\nbad \xC3( bad\nthe cat\n\xFF\n");
    ck_assert_int_eq(said.code, 3);
    ck_assert_int_eq(count_lines(&said.out), 4);
    ck_assert_str_ne(line_of(&said.out, 0), "");
    ck_assert_str_eq(line_of(&said.out, 1), "");
    ck_assert_str_ne(line_of(&said.out, 2), "");
    ck_assert_str_eq(line_of(&said.out, 3), "");
    ck_assert_int_eq(count_lines(&said.errors), 2);
    ck_assert_ptr_nonnull(strstr(line_of(&said.errors, 0), "standard input: line 2: "));
    ck_assert_ptr_nonnull(strstr(line_of(&said.errors, 0), "byte 4"));
    ck_assert_ptr_nonnull(strstr(line_of(&said.errors, 1), "line 4: "));
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(a_line_over_the_limit_is_said_and_leaves_an_empty_one)
{
    struct bytes text;
    program_setup();
    bytes_init(&text, 1 << 22);
    bytes_append_text(&text, "one\n");
    for (int i = 0; i < LINE_BYTES_MAX + 1; i++)
        bytes_append_char(&text, 'x');
    bytes_append_text(&text, "\nthe cat\n");
    struct said said = translate("", text.data);
    ck_assert_int_eq(said.code, 3);
    ck_assert_int_eq(count_lines(&said.out), 3);
    ck_assert_str_eq(line_of(&said.out, 1), "");
    ck_assert_str_ne(line_of(&said.out, 2), "");
    ck_assert_ptr_nonnull(strstr(said.errors.data, "line 2: longer than the limit of 1048576"));
    said_release(&said);
    bytes_release(&text);
    program_teardown();
}
END_TEST

START_TEST(a_very_long_line_is_one_line)
{
    struct bytes text;
    program_setup();
    bytes_init(&text, 1 << 22);
    for (int i = 0; i < 3000; i++)
        bytes_append_text(&text, i % 50 == 49 ? "then again, " : "the other ");
    struct said said = translate("--beam 1", text.data);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(count_lines(&said.out), 1);
    ck_assert_uint_gt(said.out.len, 1000);
    said_release(&said);
    bytes_release(&text);
    program_teardown();
}
END_TEST

START_TEST(carriage_returns_and_nuls_do_no_harm)
{
    program_setup();
    struct said said = run_verso(MODEL, "one\r\ntwo\0three\nfour\n", 20);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(count_lines(&said.out), 3);
    ck_assert_ptr_null(memchr(said.out.data, '\r', said.out.len));
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(files_are_read_one_after_the_other_gzipped_ones_too)
{
    program_setup();
    program_write("a.txt", "one\ntwo", 7);
    program_write("b.txt", "three\n\xFF\n", 8);
    ck_assert_int_eq(chdir(program_folder) || system("gzip -k b.txt"), 0);
    struct said said = translate("a.txt b.txt.gz b.txt", "not read\n");
    ck_assert_int_eq(said.code, 3);
    ck_assert_int_eq(count_lines(&said.out), 6);
    char three[4096];
    snprintf(three, sizeof three, "%s", line_of(&said.out, 2));
    ck_assert_str_eq(line_of(&said.out, 4), three);
    ck_assert_ptr_nonnull(strstr(said.errors.data, "b.txt.gz: line 2: "));
    ck_assert_int_eq(chdir("/"), 0);
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(what_was_read_before_a_file_breaks_is_translated)
{
    program_setup();
    program_write("a.txt", "one\ntwo\nthree\n", 14);
    ck_assert_int_eq(
        chdir(program_folder) || system("gzip -k a.txt && head -c -6 a.txt.gz > cut.gz"), 0);
    struct said said = translate("cut.gz", "");
    ck_assert_int_eq(said.code, 4);
    ck_assert_int_eq(count_lines(&said.out), 3);
    ck_assert_ptr_nonnull(strstr(said.errors.data, "cut.gz"));
    ck_assert_int_eq(chdir("/"), 0);
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(n_best_lists_carry_line_and_score)
{
    long number;
    double score, last = INFINITY;
    program_setup();
    struct said said = translate("--beam 4 --n-best 3", "the cat\n1984\n\xFF\n");
    ck_assert_int_eq(said.code, 3);
    int lines = count_lines(&said.out);
    ck_assert_int_ge(lines, 4);
    for (int i = 0; i < lines - 2; i++) {
        const char *line = line_of(&said.out, i), *bar = strstr(line + 6, " ||| ");
        ck_assert_int_eq(sscanf(line, "%ld ||| ", &number), 1);
        ck_assert_int_eq(number, 1);
        ck_assert_ptr_nonnull(bar);
        ck_assert_int_eq(sscanf(bar, " ||| %lf", &score), 1);
        ck_assert(score <= last);
        last = score;
    }
    ck_assert_str_eq(line_of(&said.out, lines - 2), "2 ||| 1984 ||| 0.0000");
    ck_assert_str_eq(line_of(&said.out, lines - 1), "3 |||  ||| 0");
    said_release(&said);
    program_teardown();
}
END_TEST

/* Words of a line as any script would split it. */
static int count_words(const char *text)
{
    char copy[4096];
    int count = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        count++;
    return count;
}

START_TEST(pharaoh_pairs_number_the_words_of_the_line)
{
    static const char input[] = "  The cat sat. 1984! The dog ate,  then slept.\n\n42\n";
    program_setup();
    struct said plain = translate("", input);
    struct said said = translate("--alignment pharaoh", input);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(count_lines(&said.out), 3);
    ck_assert_str_eq(line_of(&said.out, 1), " |||");
    ck_assert_str_eq(line_of(&said.out, 2), "42 |||");
    char answer[4096], line[4096];
    snprintf(answer, sizeof answer, "%s", line_of(&plain.out, 0));
    snprintf(line, sizeof line, "%s", line_of(&said.out, 0));
    ck_assert_int_eq(strncmp(line, answer, strlen(answer)), 0);
    const int targets = count_words(answer), sources = 9;
    int pairs = 0, last = -1;
    char *pair = strstr(line, " |||");
    ck_assert_ptr_nonnull(pair);
    for (pair = strtok(pair + 4, " "); pair; pair = strtok(NULL, " "), pairs++) {
        int source, target;
        ck_assert_int_eq(sscanf(pair, "%d-%d", &source, &target), 2);
        ck_assert(source >= 0 && source < sources && source != 3); // 1984! is nobody's
        ck_assert(target >= last && target < targets);
        last = target;
    }
    ck_assert_int_ge(pairs, 1);
    said_release(&plain);
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(a_matrix_has_a_row_a_target_word_and_rows_sum_to_one)
{
    program_setup();
    struct said plain = translate("", "the cat sat\n");
    struct said said = translate("--alignment matrix", "the cat sat\n");
    ck_assert_int_eq(said.code, 0);
    int words = count_words(line_of(&plain.out, 0));
    ck_assert_int_eq(count_lines(&said.out), words + 3); // answer, head, rows, blank
    ck_assert_str_eq(line_of(&said.out, words + 2), "");
    ck_assert_ptr_nonnull(strstr(line_of(&said.out, 1), "</s>"));
    size_t width = utf8_length(line_of(&said.out, 1), strlen(line_of(&said.out, 1)));
    for (int t = 0; t < words; t++) {
        char row[4096];
        double sum = 0;
        snprintf(row, sizeof row, "%s", line_of(&said.out, 2 + t));
        ck_assert_uint_eq(utf8_length(row, strlen(row)), width);
        const char *number = row + strlen(row) - 4 * 7; // three source words and the end
        for (int s = 0; s < 4; s++)
            sum += strtod(number + s * 7, NULL);
        ck_assert_double_eq_tol(sum, 1, 0.021); // four numbers of two digits
    }
    said_release(&plain);
    said_release(&said);
    program_teardown();
}
END_TEST

static json_t *parse_line(const struct bytes *out, int n)
{
    struct error err;
    json_t *root;
    const char *from = out->data;
    for (; n > 0; n--)
        from = strchr(from, '\n') + 1;
    assert_ok(json_parse(&root, from, strcspn(from, "\n"), &err), err);
    return root;
}

static int number_at(const json_t *list, size_t i)
{
    return (int)json_integer_value(json_array_get(list, i));
}

/* A token's span holds its text. */
static void assert_span_fits(const json_t *token, const char *text)
{
    const json_t *span = json_object_get(token, "span");
    const char *word = json_string_value(json_object_get(token, "text"));
    const int from = number_at(span, 0), to = number_at(span, 1);
    ck_assert_int_lt(from, to);
    ck_assert_int_le(to, (int)strlen(text));
    ck_assert_uint_eq(strlen(word), (size_t)(to - from));
    ck_assert_int_eq(strncmp(text + from, word, strlen(word)), 0);
}

static void assert_sentence_fits(const json_t *sentence, const char *source, const char *target)
{
    const json_t *tokens = json_object_get(sentence, "tokens");
    const json_t *source_tokens = json_object_get(sentence, "source_tokens");
    const json_t *rows = json_object_get(sentence, "alignment");
    const size_t T = json_array_size(tokens), S = json_array_size(source_tokens);
    ck_assert_uint_gt(S, 0);
    for (size_t s = 0; s < S; s++)
        assert_span_fits(json_array_get(source_tokens, s), source);
    ck_assert_uint_eq(json_array_size(rows), T);
    for (size_t t = 0; t < T; t++) {
        const json_t *token = json_array_get(tokens, t), *row = json_array_get(rows, t);
        const json_t *links = json_object_get(token, "links");
        double sum = 0;
        assert_span_fits(token, target);
        for (size_t i = 0; i < json_array_size(links); i++)
            ck_assert_int_lt(number_at(links, i), (int)S);
        ck_assert_uint_eq(json_array_size(row), S + 1);
        for (size_t s = 0; s <= S; s++)
            sum += json_real_value(json_array_get(row, s));
        ck_assert_double_eq_tol(sum, 1, 1e-4 * (double)(S + 1));
    }
}

START_TEST(an_object_a_line_whose_spans_point_into_the_texts)
{
    static const char *const lines[] = {
        "\"l\303\240\", \303\251t\303\251: the cat! 3 \342\202\254.", "1984", "",
        "The end. The \360\237\230\200 start!"
    };
    static const int sentences[] = { 1, 0, 0, 2 };
    char input[256] = "";
    for (int i = 0; i < 4; i++)
        snprintf(input + strlen(input), sizeof input - strlen(input), "%s\n", lines[i]);
    program_setup();
    struct said plain = translate("", input);
    struct said said = translate("--json --alignment matrix --n-best 2", input);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(count_lines(&said.out), 4);
    for (int i = 0; i < 4; i++) {
        json_t *root = parse_line(&said.out, i);
        const json_t *list = json_object_get(root, "sentences");
        const char *text = json_string_value(json_object_get(root, "text"));
        ck_assert_int_eq((int)json_integer_value(json_object_get(root, "line")), i + 1);
        ck_assert_str_eq(text, line_of(&plain.out, i));
        ck_assert_int_eq((int)json_array_size(list), sentences[i]);
        ck_assert(json_is_array(json_object_get(root, "warnings")));
        for (size_t k = 0; k < json_array_size(list); k++) {
            const json_t *sentence = json_array_get(list, k);
            assert_sentence_fits(sentence, lines[i], text);
            ck_assert_uint_eq(json_array_size(json_object_get(sentence, "n_best")), 1);
        }
        json_decref(root);
    }
    said_release(&plain);
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(a_line_that_fails_is_an_object_with_the_error)
{
    program_setup();
    struct said said = translate("--json", "ab\xff\nthe cat\n");
    ck_assert_int_eq(said.code, 3);
    json_t *first = parse_line(&said.out, 0), *second = parse_line(&said.out, 1);
    ck_assert_int_eq((int)json_integer_value(json_object_get(first, "line")), 1);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(first, "error")), "UTF-8"));
    ck_assert_ptr_nonnull(json_object_get(second, "text"));
    ck_assert_ptr_null(
        json_object_get(json_array_get(json_object_get(second, "sentences"), 0), "alignment"));
    json_decref(first);
    json_decref(second);
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(wrong_words_are_refused_before_anything_is_read)
{
    static const struct mistake wrong[] = {
        { "translate", "--model FILE is needed", 2 },
        { MODEL "--beam 0", "beam", 2 },
        { MODEL "--beam 65", "beam", 2 },
        { MODEL "--beam 2 --n-best 3", "needs a --beam of at least 3", 2 },
        { MODEL "--alignment picture", "matrix", 2 },
        { MODEL "--alignment matrix --n-best 2", "leave --n-best out", 2 },
        { MODEL "--json --alignment pharaoh", "with --json there is only", 2 },
        { MODEL "--length-power -1", "length-power", 2 },
        { MODEL "--precision f64", "f32, bf16, int8", 2 },
        { MODEL "none.txt", "none.txt", 5 },
        { "translate --model none.safetensors", "none.safetensors", 5 },
        { "translate --model in", "in", 4 },
    };
    program_setup();
    assert_mistakes(wrong, sizeof wrong / sizeof wrong[0], "one\n");
    program_teardown();
}
END_TEST

START_TEST(a_full_disk_is_said)
{
    char command[512];
    program_setup();
    snprintf(command, sizeof command,
             "cd '%s' && echo one | '%s/verso' " MODEL "> /dev/full 2> errors", program_folder,
             PROGRAMS_DIR);
    int status = system(command);
    ck_assert_int_eq(WEXITSTATUS(status), 1);
    struct bytes errors;
    program_read("errors", &errors);
    ck_assert_ptr_nonnull(strstr(errors.data, "No space left"));
    bytes_release(&errors);
    program_teardown();
}
END_TEST

/* The program between two pipes. */
static pid_t start_piped(int *to, int *from)
{
    int in[2], out[2];
    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(PROGRAMS_DIR "/verso", "verso", "translate", "--model", program_model, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    *to = in[1];
    *from = out[0];
    return child;
}

static void expect_a_line(int from)
{
    struct pollfd ready = { .fd = from, .events = POLLIN };
    char c = 0;
    while (c != '\n') {
        ck_assert_msg(poll(&ready, 1, ANSWER_MS) == 1, "no answer");
        ck_assert_int_eq(read(from, &c, 1), 1);
    }
}

START_TEST(a_line_is_answered_before_the_next_one_comes)
{
    int to, from, status;
    program_setup();
    pid_t child = start_piped(&to, &from);
    static const char *const lines[] = { "\n", "the cat\n", "the dog\nthe be" };
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(write(to, lines[i], strlen(lines[i])), (ssize_t)strlen(lines[i]));
        expect_a_line(from);
    }
    close(to);
    expect_a_line(from); // the unfinished line, once it cannot go on
    char c;
    ck_assert_int_eq(read(from, &c, 1), 0);
    close(from);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    program_teardown();
}
END_TEST

START_TEST(real_text_comes_out_as_a_reference_run_had_it)
{
    struct said said;
    if (access(SHARED_DIR "/models/en-fr.vocab.tsv", R_OK) != 0) {
        puts("skipped: there is no shared folder beside the checkout");
        return;
    }
    program_setup();
    said = run_verso("models import " SHARED_DIR "/models/en-fr.safetensors " SHARED_DIR
                     "/models/en-fr.vocab.tsv -o real.safetensors --source en --target fr",
                     "", 0);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    said_release(&said);
    said = run_verso("translate --beam 1 --model real.safetensors",
                     "Graham Greene is one of my favorite authors.\n", 45);
    ck_assert_str_eq(said.out.data, "Graham Gape est l'un de mes auteurs préféré.\n");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(the_alignment_of_one_sentence_can_be_drawn)
{
    static const char *const forms[] = { "svg", "png", "html", "json", "csv", "txt" };
    program_setup();
    for (int i = 0; i < 6; i++) {
        char options[64], name[32];
        struct bytes picture;
        snprintf(name, sizeof name, "drawn.%s", forms[i]);
        snprintf(options, sizeof options, "--draw %s", name);
        struct said said = translate(options, "the cat sat\n");
        ck_assert_msg(said.code == 0 && count_lines(&said.out) == 1, "%s", said.errors.data);
        program_read(name, &picture);
        ck_assert_uint_gt(picture.len, 0);
        if (i == 0)
            ck_assert_ptr_nonnull(strstr(picture.data, ">cat</text>"));
        bytes_release(&picture);
        said_release(&said);
    }
    program_teardown();
}
END_TEST

START_TEST(more_than_one_sentence_is_not_drawn_and_said)
{
    program_setup();
    struct said said = translate("--draw drawn.svg", "the cat sat\nthe end\n");
    ck_assert_int_eq(said.code, 3);
    ck_assert_ptr_nonnull(strstr(said.errors.data, "line 2: --draw shows one sentence"));
    said_release(&said);
    said = translate("--draw drawn.gif", "the cat sat\n");
    ck_assert_int_eq(said.code, 2);
    ck_assert_str_eq(said.out.data, "");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(a_page_keeps_its_markup_and_its_placeholders)
{
    char file[128], options[200];
    program_setup();
    snprintf(file, sizeof file, "%s/terms.tsv", program_folder);
    FILE *terms = fopen(file, "w");
    fputs("cat\tminou\n", terms);
    fclose(terms);
    snprintf(options, sizeof options, "--format html --glossary %s", file);
    struct said said = translate(options, "<p class=a>the <b>cat</b> of {name}\n<p>1984");
    ck_assert_int_eq(said.code, 0);
    ck_assert_ptr_eq(strstr(said.out.data, "<p class=a>"), said.out.data);
    ck_assert_ptr_nonnull(strstr(said.out.data, "<b>"));
    ck_assert_ptr_nonnull(strstr(said.out.data, "</b>"));
    ck_assert_ptr_nonnull(strstr(said.out.data, "{name}"));
    ck_assert_ptr_nonnull(strstr(said.out.data, "minou"));
    ck_assert_ptr_nonnull(strstr(said.out.data, "\n<p>1984"));
    said_release(&said);
    said = translate("--format html --json", "");
    ck_assert_int_eq(said.code, 2);
    ck_assert_ptr_nonnull(strstr(said.errors.data, "--json is for lines"));
    said_release(&said);
    said = translate("--format pdf", "");
    ck_assert_int_eq(said.code, 2);
    said_release(&said);
    said = translate("--glossary /nowhere", "");
    ck_assert_int_ne(said.code, 0);
    said_release(&said);
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_page_keeps_its_markup_and_its_placeholders),
    TEST(each_line_gives_one_line),
    TEST(a_coverage_penalty_is_part_of_the_score),
    TEST(how_often_it_repeats_itself_can_be_limited),
    TEST(no_input_gives_no_output),
    TEST_LOOP(order_and_bytes_do_not_depend_on_threads_or_company, 3),
    TEST(a_line_that_is_not_utf8_is_said_and_leaves_an_empty_one),
    TEST(a_line_over_the_limit_is_said_and_leaves_an_empty_one),
    TEST(a_very_long_line_is_one_line),
    TEST(carriage_returns_and_nuls_do_no_harm),
    TEST(files_are_read_one_after_the_other_gzipped_ones_too),
    TEST(what_was_read_before_a_file_breaks_is_translated),
    TEST(n_best_lists_carry_line_and_score),
    TEST(pharaoh_pairs_number_the_words_of_the_line),
    TEST(a_matrix_has_a_row_a_target_word_and_rows_sum_to_one),
    TEST(an_object_a_line_whose_spans_point_into_the_texts),
    TEST(a_line_that_fails_is_an_object_with_the_error),
    TEST(wrong_words_are_refused_before_anything_is_read),
    TEST(a_full_disk_is_said),
    TEST(a_line_is_answered_before_the_next_one_comes),
    TEST(the_alignment_of_one_sentence_can_be_drawn),
    TEST(more_than_one_sentence_is_not_drawn_and_said),
    TEST(real_text_comes_out_as_a_reference_run_had_it),
};
TEST_MAIN("server/cmd/translate", cases)
