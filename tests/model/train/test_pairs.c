/*
 * test_pairs.c - sets of sentence pairs: what goes in comes out, and the digest tells them apart.
 */
#include "model/train/pairs.h"

#include "tests/helpers.h"

START_TEST(sentences_come_back_with_their_end_mark)
{
    struct pairs pairs = { 0 };
    struct error err;
    const int32_t a[] = { 5, 6, 7 }, b[] = { 8 };
    assert_ok(pairs_add(&pairs, a, 3, b, 1, &err), err);
    assert_ok(pairs_add(&pairs, b, 1, NULL, 0, &err), err);
    ck_assert_int_eq(pairs.count, 2);
    ck_assert_int_eq(pairs.list[0].source_len, 4);
    ck_assert_int_eq(pairs_source(&pairs, 0)[2], 7);
    ck_assert_int_eq(pairs_source(&pairs, 0)[3], 3);
    ck_assert_int_eq(pairs_target(&pairs, 0)[0], 8);
    ck_assert_int_eq(pairs_target(&pairs, 0)[1], 3);
    ck_assert_int_eq(pairs.list[1].target_len, 1);
    ck_assert_int_eq(pairs_target(&pairs, 1)[0], 3);
    ck_assert_int_eq(pairs_target_pieces(&pairs), 3);
    pairs_release(&pairs);
}
END_TEST

START_TEST(a_sentence_over_the_limit_is_refused_and_nothing_is_added)
{
    struct pairs pairs = { 0 };
    struct error err;
    int32_t *ids = calloc(PAIR_LENGTH_MAX, sizeof *ids);
    assert_ok(pairs_add(&pairs, ids, PAIR_LENGTH_MAX - 1, ids, 1, &err), err);
    assert_status(pairs_add(&pairs, ids, 1, ids, PAIR_LENGTH_MAX, &err), STATUS_TOO_LARGE);
    ck_assert_int_eq(pairs.count, 1);
    pairs_release(&pairs);
    free(ids);
}
END_TEST

START_TEST(the_digest_tells_corpora_apart)
{
    struct pairs one = { 0 }, two = { 0 };
    struct error err;
    char a[SHA256_HEX_BYTES], b[SHA256_HEX_BYTES];
    const int32_t ids[] = { 5, 6, 7 };
    assert_ok(pairs_add(&one, ids, 3, ids, 1, &err), err);
    assert_ok(pairs_add(&two, ids, 3, ids, 1, &err), err);
    assert_ok(pairs_digest(&one, a, &err), err);
    assert_ok(pairs_digest(&two, b, &err), err);
    ck_assert_str_eq(a, b);
    assert_ok(pairs_add(&two, ids, 1, ids, 1, &err), err);
    assert_ok(pairs_digest(&two, b, &err), err);
    ck_assert_str_ne(a, b);
    pairs_release(&one);
    pairs_release(&two);
}
END_TEST

START_TEST(no_memory_is_a_status_and_what_was_there_stays)
{
    const int32_t ids[] = { 5, 6, 7 };
    for (int nth = 1;; nth++) {
        struct pairs pairs = { 0 };
        struct error err;
        enum status status = STATUS_OK;
        memory_fail_at(nth);
        int added = 0;
        while (status == STATUS_OK && added < 3000)
            status = pairs_add(&pairs, ids, 3, ids, 2, &err), added += status == STATUS_OK;
        bool failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        ck_assert_int_eq(pairs.count, added);
        pairs_release(&pairs);
        if (!failed)
            break;
    }
    ck_assert_int_eq(memory_live(), 0);
}
END_TEST

static const struct test_case cases[] = {
    TEST(sentences_come_back_with_their_end_mark),
    TEST(a_sentence_over_the_limit_is_refused_and_nothing_is_added),
    TEST(the_digest_tells_corpora_apart),
    TEST(no_memory_is_a_status_and_what_was_there_stays),
};
TEST_MAIN("model/train/pairs", cases)
