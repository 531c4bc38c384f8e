/*
 * test_embed.c - "verso embed" as a person starts it, on a made-up text in which rank, age and
 * gender each have words of their own around them.
 */
#include <dirent.h>
#include <signal.h>
#include <time.h>

#include "base/json.h"
#include "base/rng.h"
#include "tests/server/cmd/program.h"

#define LINES 3000
#define CORPUS_BYTES (LINES * 64)
#define TRAIN "embed train --corpus corpus.txt -o v.txt --size 20 --sample 0 --epochs 8 "

/* What a word means is what it stands with. */
static const char *const nouns[2][2][2] = {
    // royal, young, female
    { { "man", "woman" }, { "boy", "girl" } },
    { { "king", "queen" }, { "prince", "princess" } },
};
static const char *const ranks[2][3] = { { "shop", "street", "field" },
                                         { "crown", "throne", "palace" } };
static const char *const ages[2][3] = { { "grey", "wise", "old" }, { "small", "school", "toy" } };
static const char *const genders[2][3] = { { "he", "his", "him" }, { "she", "her", "hers" } };

static const char *any_of(struct rng *rng, const char *const words[3])
{
    return words[rng_below(rng, 3)];
}

static size_t make_corpus(char *text)
{
    struct rng rng = rng_make(2, 7);
    size_t used = 0;
    for (int i = 0; i < LINES; i++) {
        const uint64_t kind = rng_below(&rng, 8), royal = kind & 1, young = kind >> 1 & 1;
        const uint64_t female = kind >> 2;
        const char *rank = any_of(&rng, ranks[royal]), *age = any_of(&rng, ages[young]);
        const char *gender = any_of(&rng, genders[female]);
        used += (size_t)snprintf(text + used, CORPUS_BYTES - used, "%s %s %s %s\n", rank, gender,
                                 nouns[royal][young][female], age);
    }
    return used;
}

static void begin(void)
{
    static char text[CORPUS_BYTES];
    program_setup();
    program_write("corpus.txt", text, make_corpus(text));
}

static void write_text(const char *name, const char *text)
{
    program_write(name, text, strlen(text));
}

static void assert_says(const struct bytes *said, const char *words)
{
    ck_assert_msg(strstr(said->data, words), "\"%s\" is not in: %s", words, said->data);
}

/* Runs and looks at the exit code. */
static struct said run_to(const char *words, int code)
{
    struct said said = run_verso(words, "", 0);
    ck_assert_msg(said.code == code, "verso %s: code %d, not %d: %s", words, said.code, code,
                  said.errors.data);
    return said;
}

static void run_silently(const char *words)
{
    struct said said = run_to(words, 0);
    said_release(&said);
}

static void assert_same_file(const char *a, const char *b)
{
    struct bytes x, y;
    program_read(a, &x);
    program_read(b, &y);
    ck_assert_uint_eq(x.len, y.len);
    ck_assert_mem_eq(x.data, y.data, x.len);
    bytes_release(&x);
    bytes_release(&y);
}

static void assert_file_starts(const char *name, const char *text)
{
    struct bytes file;
    program_read(name, &file);
    ck_assert_msg(strncmp(file.data, text, strlen(text)) == 0, "%s: %.60s", name, file.data);
    bytes_release(&file);
}

/* Whether the folder has anything of this output but the output itself. */
static bool something_is_left_beside(const char *name)
{
    bool found = false;
    DIR *folder = opendir(program_folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        found |= strncmp(entry->d_name, name, strlen(name)) == 0 && strcmp(entry->d_name, name);
    closedir(folder);
    return found;
}

/* ---- training ---- */

START_TEST(king_and_woman_less_man_is_queen)
{
    static const struct {
        const char *words, *answer;
    } analogies[] = {
        { "man king woman", "queen" },
        { "king queen prince", "princess" },
        { "girl woman boy", "man" },
    };
    begin();
    run_silently(_i ? TRAIN "--kind cbow --rate 0.2" : TRAIN);
    for (size_t i = 0; i < sizeof analogies / sizeof analogies[0]; i++) {
        char words[100];
        snprintf(words, sizeof words, "embed analogy v.txt %s --top 1", analogies[i].words);
        struct said said = run_to(words, 0);
        const char *word = strstr(said.out.data, "  ");
        ck_assert_ptr_nonnull(word);
        ck_assert_msg(strncmp(word + 2, analogies[i].answer, strlen(analogies[i].answer)) == 0,
                      "%s: %s", words, said.out.data);
        said_release(&said);
    }
    program_teardown();
}
END_TEST

START_TEST(two_runs_write_the_same_bytes_and_leave_nothing_else)
{
    begin();
    run_silently(TRAIN "--sample 0.01");
    run_silently(TRAIN "--sample 0.01 -o w.txt");
    assert_same_file("v.txt", "w.txt");
    ck_assert(!something_is_left_beside("v.txt"));
    run_silently(TRAIN "--sample 0.01 --seed 2 -o w.txt");
    struct bytes v, w;
    program_read("v.txt", &v);
    program_read("w.txt", &w);
    ck_assert_str_ne(v.data, w.data);
    bytes_release(&v);
    bytes_release(&w);
    program_teardown();
}
END_TEST

START_TEST(words_that_are_too_rare_are_left_out)
{
    program_setup();
    write_text("corpus.txt", "a b c\nb a\nc rare b b\n");
    struct said said = run_to(TRAIN "--min-count 2", 0);
    assert_says(&said.errors,
                "9 words in 3 lines, 4 different ones; 3 of them occur 2 times or more");
    said_release(&said);
    assert_file_starts("v.txt", "3 20\nb ");
    said = run_to("embed nearest v.txt rare", 5);
    assert_says(&said.errors, "no word \"rare\"");
    said_release(&said);
    run_silently(TRAIN "--min-count 1");
    assert_file_starts("v.txt", "4 20\nb ");
    program_teardown();
}
END_TEST

/* Ties by byte order: "b" four times, then "a" before "c". */
START_TEST(words_stand_by_frequency_whatever_the_order_of_lines)
{
    struct bytes file;
    program_setup();
    write_text("corpus.txt", "c b\nb a b\nb\n");
    run_silently(TRAIN "--min-count 1 --size 1");
    program_read("v.txt", &file);
    const char *b = strstr(file.data, "\nb "), *a = strstr(file.data, "\na ");
    const char *c = strstr(file.data, "\nc ");
    ck_assert(b && a && c && b < a && a < c);
    bytes_release(&file);
    program_teardown();
}
END_TEST

START_TEST(words_are_those_of_the_tokenizer)
{
    struct bytes file;
    program_setup();
    write_text("corpus.txt", "\xEF\xBB\xBF(It's) \xEF\xAC\x81ne, 42nd\t\xE2\x96\x81 E\xCC\x81t\n");
    run_silently(TRAIN "--min-count 1 --size 1");
    program_read("v.txt", &file);
    static const char *const words[] = { "\n( ",    "\nIt ", "\n' ",  "\ns ",  "\n) ",
                                         "\nfine ", "\n, ",  "\n42 ", "\nnd ", "\n\xC3\x89t " };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_says(&file, words[i]);
    ck_assert_int_eq(strncmp(file.data, "10 1\n", 5), 0);
    bytes_release(&file);
    program_teardown();
}
END_TEST

START_TEST(a_column_of_a_table_is_as_good_as_a_file_of_its_own)
{
    char table[300] = "", plain[300] = "";
    program_setup();
    for (int i = 0; i < 8; i++) {
        snprintf(table + strlen(table), 300 - strlen(table), "x y\tDas %d Haus\tz\n", i % 3);
        snprintf(plain + strlen(plain), 300 - strlen(plain), "Das %d Haus\n", i % 3);
    }
    write_text("table.tsv", table);
    write_text("corpus.txt", plain);
    run_silently(TRAIN "--min-count 2");
    run_silently("embed train table.tsv --column 2 -o w.txt --size 20 --sample 0 --epochs 8 "
                 "--min-count 2");
    assert_same_file("v.txt", "w.txt");
    ck_assert_int_eq(system("gzip -h > /dev/null 2>&1"), 0);
    char zip[128];
    snprintf(zip, sizeof zip, "gzip '%s/corpus.txt'", program_folder);
    ck_assert_int_eq(system(zip), 0);
    run_silently("embed train corpus.txt.gz -o w.txt --size 20 --sample 0 --epochs 8 "
                 "--min-count 2");
    assert_same_file("v.txt", "w.txt");
    program_teardown();
}
END_TEST

START_TEST(casefold_makes_one_word_of_two)
{
    program_setup();
    write_text("corpus.txt", "Haus haus HAUS Stra\xC3\x9F"
                             "e STRASSE\n");
    run_silently(TRAIN "--min-count 1 --casefold");
    assert_file_starts("v.txt", "2 20\nhaus ");
    struct said said = run_to("embed nearest v.txt Haus", 5);
    assert_says(&said.errors, "did you mean \"haus\"?");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(bad_lines_are_counted_or_refused)
{
    program_setup();
    write_text("corpus.txt", "a\tb c\nno tab\n\xFF\td\nb\tc b\n");
    struct said said = run_to(TRAIN "--min-count 1 --column 2", 0);
    assert_says(&said.errors, "corpus.txt:2: it has 1 column, so none is --column 2");
    assert_says(&said.errors, "5 words in 3 lines, 3 different ones");
    ck_assert_ptr_null(strstr(said.errors.data, "corpus.txt:3")); // its second column is good
    assert_says(&said.errors, "bad lines left out: 1");
    said_release(&said);
    said = run_to(TRAIN "--min-count 1 --on-bad-line refuse", 3);
    assert_says(&said.errors, "corpus.txt:3: invalid UTF-8");
    said_release(&said);
    program_teardown();
}
END_TEST

/* Killed in the middle, it has written nothing, and what was there is there. */
START_TEST(a_killed_training_leaves_the_old_vectors_alone)
{
    char errors[192], path[192];
    begin();
    write_text("v.txt", "old");
    write_text("errors", "");
    snprintf(errors, sizeof errors, "%s/errors", program_folder);
    snprintf(path, sizeof path, "%s/corpus.txt", program_folder);
    const pid_t pid = fork();
    if (pid == 0) {
        if (chdir(program_folder) != 0 || !freopen(errors, "w", stderr))
            _exit(126);
        execl(PROGRAMS_DIR "/verso-train", "verso-train", "embed", "train", path, "-o", "v.txt",
              "--epochs", "1000000", (char *)NULL);
        _exit(127);
    }
    struct bytes said;
    bool begun = false;
    for (int i = 0; i < 3000 && !begun; i++) {
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
        program_read("errors", &said);
        begun = strstr(said.data, "corpus: ");
        bytes_release(&said);
    }
    ck_assert(begun);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_file_starts("v.txt", "old");
    ck_assert(!something_is_left_beside("v.txt"));
    program_teardown();
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_never_written)
{
    begin();
    write_text("v.txt", "old");
    struct said said = run_to(TRAIN "--rate 10 --epochs 400 --window 50 --negative 50", 6);
    assert_says(&said.errors, "too high");
    said_release(&said);
    assert_file_starts("v.txt", "old");
    program_teardown();
}
END_TEST

/* ---- a model that starts from vectors ---- */

#define MODEL                                                                                      \
    "train --source en --target xx --train pairs.tsv --valid pairs.tsv --vocab-size 600 "          \
    "--hidden 4 --attention-width 4 --epochs 1 --bleu-sentences 0 --threads 1 --embedding "

/* A few lines of the corpus, each its own translation. */
static void write_pairs(int lines)
{
    static char text[CORPUS_BYTES], pairs[2 * CORPUS_BYTES];
    size_t used = 0;
    make_corpus(text);
    char *rest = NULL, *line = strtok_r(text, "\n", &rest);
    for (int i = 0; i < lines; i++, line = strtok_r(NULL, "\n", &rest))
        used += (size_t)snprintf(pairs + used, sizeof pairs - used, "%s\t%s\n", line, line);
    program_write("pairs.tsv", pairs, used);
}

START_TEST(a_translation_model_starts_from_vectors)
{
    begin();
    write_pairs(300);
    run_silently(TRAIN);
    run_silently(MODEL "20 -o plain.safetensors");
    struct said said = run_to(MODEL "20 -o m.safetensors --embeddings v.txt", 0);
    assert_says(&said.errors, "embedding: 26 of ");
    said_release(&said);
    struct bytes plain, started;
    program_read("plain.safetensors", &plain);
    program_read("m.safetensors", &started);
    ck_assert(plain.len != started.len || memcmp(plain.data, started.data, plain.len) != 0);
    bytes_release(&plain);
    bytes_release(&started);
    program_teardown();
}
END_TEST

START_TEST(vectors_that_do_not_fit_a_model_are_refused)
{
    begin();
    write_pairs(50);
    write_text("v.txt", "1 2\nking 1 2\n");
    struct said said = run_to(MODEL "20 -o m.safetensors --embeddings v.txt", 2);
    assert_says(&said.errors, "vectors of 2 numbers, and the embedding has 20");
    said_release(&said);
    said = run_to(MODEL "20 -o m.safetensors --embeddings none.txt", 5);
    assert_says(&said.errors, "none.txt");
    said_release(&said);
    program_teardown();
}
END_TEST

/* ---- questions ---- */

#define VECTORS "4 2\nking 1 1\nqueen 0.9 1\nman 1 -1\nkings 1 0\n"

START_TEST(the_nearest_are_shown_in_order)
{
    program_setup();
    write_text("v.txt", VECTORS);
    struct said said = run_to("embed nearest v.txt king", 0);
    ck_assert_str_eq(said.out.data, "0.9986  queen\n0.7071  kings\n0.0000  man\n");
    said_release(&said);
    said = run_to("embed nearest v.txt king --top 1", 0);
    ck_assert_str_eq(said.out.data, "0.9986  queen\n");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(json_has_the_words_and_their_cosines)
{
    json_t *root;
    struct error err;
    program_setup();
    write_text("v.txt", VECTORS);
    struct said said = run_to("embed analogy v.txt king man queen --json", 0);
    assert_ok(json_parse(&root, said.out.data, said.out.len, &err), err);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(root, "words"), 2)), "queen");
    const json_t *nearest = json_object_get(root, "nearest");
    ck_assert_uint_eq(json_array_size(nearest), 1);
    const json_t *word = json_object_get(json_array_get(nearest, 0), "word");
    ck_assert_str_eq(json_string_value(word), "kings");
    json_decref(root);
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(mistakes_are_answered_by_what_to_do)
{
    static const struct mistake wrong[] = {
        { "embed", "usage", 2 },
        { "embed paint", "embed nearest", 2 },
        { "embed train -o v.txt", "--corpus FILE is needed", 2 },
        { "embed train corpus.txt", "--out FILE is needed", 2 },
        { "embed train corpus.txt -o v.txt --kind glove", "skipgram, cbow", 2 },
        { "embed train corpus.txt -o v.txt --size 0", "0 is less than 1", 2 },
        { "embed train none.txt -o v.txt", "none.txt", 5 },
        { "embed train corpus.txt -o none/v.txt", "none/v.txt", 5 },
        { "embed train in -o v.txt", "lower --min-count", 3 },
        { "embed train corpus.txt -o v.txt --min-count 100000", "lower --min-count", 3 },
        { "embed nearest v.txt", "VECTORS WORD", 2 },
        { "embed nearest none.txt king", "none.txt", 5 },
        { "embed nearest corpus.txt king", "corpus.txt: no word vectors: line 1", 4 },
        { "embed nearest v.txt kimg", "did you mean \"king\"", 5 },
        { "embed nearest v.txt xylophone", "--min-count", 5 },
        { "embed analogy v.txt man king", "VECTORS A B C", 2 },
        { "embed analogy v.txt man king womam", "no word \"womam\"", 5 },
    };
    begin();
    write_text("v.txt", VECTORS);
    assert_mistakes(wrong, sizeof wrong / sizeof wrong[0], "");
    assert_file_starts("v.txt", VECTORS);
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(king_and_woman_less_man_is_queen, 2),
    TEST(two_runs_write_the_same_bytes_and_leave_nothing_else),
    TEST(words_that_are_too_rare_are_left_out),
    TEST(words_stand_by_frequency_whatever_the_order_of_lines),
    TEST(words_are_those_of_the_tokenizer),
    TEST(a_column_of_a_table_is_as_good_as_a_file_of_its_own),
    TEST(casefold_makes_one_word_of_two),
    TEST(bad_lines_are_counted_or_refused),
    TEST(a_killed_training_leaves_the_old_vectors_alone),
    TEST(numbers_that_are_not_finite_are_never_written),
    TEST(a_translation_model_starts_from_vectors),
    TEST(vectors_that_do_not_fit_a_model_are_refused),
    TEST(the_nearest_are_shown_in_order),
    TEST(json_has_the_words_and_their_cosines),
    TEST(mistakes_are_answered_by_what_to_do),
};
TEST_MAIN("server/cmd/embed", cases)
