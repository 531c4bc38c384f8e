/*
 * test_initial_embeddings.c - which rows start from word vectors, and how long they are then.
 */
#include "server/engine/initial_embeddings.h"

#include "base/rng.h"
#include "tests/helpers.h"
#include "tests/tokenizer/pieces.h"

#define E 3
#define PIECES 6

static const char *const texts[PIECES] = {
    "\xE2\x96\x81king", "king", "\xE2\x96\x81que",
    "\xE2\x96\x81",     "a",    "\xE2\x96\x81\xC3\xA9t\xC3\xA9",
};
enum { KING = FIXED_PIECES, ETE = FIXED_PIECES + 5, COUNT = FIXED_PIECES + PIECES };

static char folder[64], path[96];
static struct vocabulary *vocabulary;
static real rows[COUNT * E], first[COUNT * E];

static void begin(const char *vectors)
{
    struct piece pieces[COUNT];
    struct error err;
    struct rng rng = rng_make(1, 1);
    make_folder(folder);
    snprintf(path, sizeof path, "%s/vectors.txt", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(vectors, file);
    ck_assert_int_eq(fclose(file), 0);
    make_pieces(pieces, texts, PIECES);
    assert_ok(vocabulary_new(&vocabulary, pieces, COUNT, (struct vocabulary_options){ 0 }, &err),
              err);
    for (int i = 0; i < COUNT * E; i++)
        first[i] = i < E ? 0 : (real)(0.2 * rng_normal(&rng));
    memcpy(rows, first, sizeof rows);
}

static void end(void)
{
    vocabulary_free(vocabulary);
    remove_folder(folder);
}

START_TEST(pieces_that_are_whole_words_get_their_vector_and_no_others)
{
    struct error err;
    int found = 0;
    begin("4 3\nking 1 2 3\nque 0 0 7\n\xC3\xA9t\xC3\xA9 -1 0 1\na 9 9 9\n");
    assert_ok(initial_embeddings(path, vocabulary, rows, E, &found, &err), err);
    ck_assert_int_eq(found, 3); // king, que and été; "a" stands only inside words
    const real scale = rows[KING * E];
    for (int id = 0; id < COUNT; id++) {
        const bool changed = memcmp(rows + id * E, first + id * E, E * sizeof(real)) != 0;
        ck_assert_msg(changed == (id == KING || id == KING + 2 || id == ETE), "piece %d", id);
    }
    ck_assert_float_eq_tol(rows[KING * E + 2], 3 * scale, 1e-6f);
    ck_assert_float_eq_tol(rows[ETE * E], -scale, 1e-6f);
    end();
}
END_TEST

START_TEST(their_deviation_is_the_one_rows_had)
{
    struct error err;
    int found;
    double before = 0, after = 0;
    begin("2 3\nking 100 -200 300\n\xC3\xA9t\xC3\xA9 -100 0 100\n");
    assert_ok(initial_embeddings(path, vocabulary, rows, E, &found, &err), err);
    for (int i = E; i < COUNT * E; i++)
        before += (double)first[i] * (double)first[i] / (COUNT * E - E);
    for (int i = 0; i < E; i++) {
        after += (double)rows[KING * E + i] * (double)rows[KING * E + i] / (2 * E);
        after += (double)rows[ETE * E + i] * (double)rows[ETE * E + i] / (2 * E);
    }
    ck_assert_double_eq_tol(sqrt(after), sqrt(before), 1e-6);
    end();
}
END_TEST

START_TEST(what_cannot_be_used_is_refused_and_changes_nothing)
{
    static const struct {
        const char *vectors, *says;
        enum status status;
    } wrong[] = {
        { "1 4\nking 1 2 3 4\n", "embedding 4 wide", STATUS_BAD_USAGE },
        { "1 3\nqueen 1 2 3\n", "same language", STATUS_BAD_INPUT },
        { "1 3\nking 0 0 0\n", "same language", STATUS_BAD_INPUT },
        { "1 3\nking 0 nan 0\n", "finite", STATUS_BAD_FILE },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err;
        int found = -7;
        begin(wrong[i].vectors);
        assert_status(initial_embeddings(path, vocabulary, rows, E, &found, &err), wrong[i].status);
        ck_assert_msg(strstr(err.text, wrong[i].says), "%s", err.text);
        ck_assert_mem_eq(rows, first, sizeof rows);
        ck_assert_int_eq(found, -7);
        end();
    }
}
END_TEST

static const struct test_case cases[] = {
    TEST(pieces_that_are_whole_words_get_their_vector_and_no_others),
    TEST(their_deviation_is_the_one_rows_had),
    TEST(what_cannot_be_used_is_refused_and_changes_nothing),
};
TEST_MAIN("server/engine/initial_embeddings", cases)
