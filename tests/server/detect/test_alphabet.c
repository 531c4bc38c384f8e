/*
 * test_alphabet.c - a letter that a language has gets an id, others share one.
 */
#include "server/detect/alphabet.h"

#include "tests/helpers.h"

static struct letters letters_in(const char *text, struct arena *arena)
{
    struct letters letters;
    struct error err;
    assert_ok(letters_of(text, strlen(text), arena, &letters, &err), err);
    return letters;
}

START_TEST(frequent_letters_of_any_language_are_known)
{
    struct alphabet_learner *learner;
    struct vocabulary *vocabulary;
    struct arena arena;
    struct error err;
    int32_t ids[8];
    ck_assert(arena_init(&arena, LETTERS_ARENA_BYTES));
    assert_ok(alphabet_learner_new(&learner, 2, &err), err);
    const struct letters first = letters_in("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", &arena);
    const struct letters second = letters_in("ñ ñ'ñ", &arena);
    const struct letters once = letters_in("ж", &arena);
    for (int i = 0; i < 2 * ALPHABET_RARE / 40; i++)
        alphabet_learner_add(learner, &first, 0);
    alphabet_learner_add(learner, &once, 0); // one in 100,000
    alphabet_learner_add(learner, &second, 1);
    assert_ok(alphabet_learner_finish(learner, &vocabulary, &err), err);

    ck_assert_int_eq(vocabulary_size(vocabulary), ALPHABET_SPACE + 1 + 4); // ' a b ñ
    const struct letters text = letters_in("A bñ'ñж", &arena);
    alphabet_ids(vocabulary, &text, 0, text.count, ids);
    const int32_t known = ALPHABET_SPACE + 1;
    const int32_t wanted[] = { known + 1, ALPHABET_SPACE, known + 2, known + 3,
                               known,     known + 3,      ID_UNK };
    ck_assert_int_eq(text.count, 7);
    ck_assert_mem_eq(ids, wanted, sizeof wanted);
    alphabet_learner_free(learner);
    vocabulary_free(vocabulary);
    arena_release(&arena);
}
END_TEST

static const struct test_case cases[] = {
    TEST(frequent_letters_of_any_language_are_known),
};
TEST_MAIN("server/detect/alphabet", cases)
