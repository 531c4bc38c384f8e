/*
 * test_links.c - sets of links: text, joining, other words, error rate.
 */
#include "server/quality/links.h"

#include "base/rng.h"
#include "tests/helpers.h"

#define WORDS 12
#define ROUNDS 200
#define SAME 1e-12

static void read_ok(struct links *links, const char *text)
{
    struct error err;
    ck_assert_msg(links_read(links, text, strlen(text), &err) == STATUS_OK, "%s", err.text);
}

static void assert_links(const struct links *links, const char *wanted)
{
    struct bytes out;
    bytes_init(&out, 1 << 16);
    ck_assert(links_write(links, &out) && bytes_append(&out, "", 1));
    ck_assert_str_eq(out.data, wanted);
    bytes_release(&out);
}

START_TEST(links_are_a_set_in_the_order_of_the_target)
{
    struct links links = { 0 };
    read_ok(&links, "3-1 0-0  2-1\t0-0 65535-7\r");
    assert_links(&links, "0-0 2-1 3-1 65535-7");
    ck_assert(links_have(&links, 2, 1));
    ck_assert(!links_have(&links, 1, 2));
    read_ok(&links, "");
    ck_assert_int_eq(links.count, 0);
    links_release(&links);
}
END_TEST

START_TEST(what_is_no_link_is_refused_with_its_place)
{
    static const char *const wrong[] = { "0-0 1",       "0-0 -1",
                                         "0-0 1-",      "0-0 1-x",
                                         "0-0 1:2",     "0-0 1-2-3",
                                         "0-0 65536-0", "0-0 0-99999999999",
                                         "0-0 1 - 2" };
    struct links links = { 0 };
    struct error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(links_read(&links, wrong[i], strlen(wrong[i]), &err), STATUS_BAD_INPUT);
        ck_assert_msg(strstr(err.text, "byte 4"), "%s: %s", wrong[i], err.text);
    }
    links_release(&links);
}
END_TEST

START_TEST(more_links_than_a_sentence_may_have_are_refused)
{
    struct links links = { 0 };
    struct bytes text;
    struct error err;
    bytes_init(&text, 1 << 22);
    for (int i = 0; i <= LINKS_MAX; i++)
        bytes_printf(&text, "%d-%d ", i % 1000, i / 1000);
    ck_assert_int_eq(links_read(&links, text.data, text.len, &err), STATUS_TOO_LARGE);
    bytes_release(&text);
    links_release(&links);
}
END_TEST

static void assert_joined(enum symmetrisation method, const char *forward, const char *reverse,
                          const char *wanted)
{
    struct links a = { 0 }, b = { 0 }, out = { 0 };
    read_ok(&a, forward);
    read_ok(&b, reverse);
    read_ok(&out, "9-9"); // which is replaced
    ck_assert(links_symmetrise(method, &a, &b, &out));
    assert_links(&out, wanted);
    links_release(&a);
    links_release(&b);
    links_release(&out);
}

START_TEST(two_directions_are_joined_by_hand_reckoned_ways)
{
    const char *forward = "0-0 1-1 2-2 5-3 5-4", *reverse = "0-0 1-1 1-2 7-7";
    assert_joined(INTERSECTION, forward, reverse, "0-0 1-1");
    assert_joined(UNION, forward, reverse, "0-0 1-1 1-2 2-2 5-3 5-4 7-7");
    // 1-2 touches 1-1 and gives 2 a link, then 2-2 still gives source 2 one;
    // 5-3 touches nothing and is final, 5-4 is not: 5 has a link; 7-7 is
    assert_joined(GROW_DIAG_FINAL_AND, forward, reverse, "0-0 1-1 1-2 2-2 5-3 7-7");
    assert_joined(GROW_DIAG_FINAL_AND, "", "", "");
    assert_joined(GROW_DIAG_FINAL_AND, "0-1", "", "0-1");
    assert_joined(GROW_DIAG_FINAL_AND, "0-1 0-2", "1-1", "0-1");     // 1-1 comes too late
    assert_joined(GROW_DIAG_FINAL_AND, "1-1 2-0", "1-1", "2-0 1-1"); // a corner
}
END_TEST

static void draw(struct rng *rng, int count, struct links *links)
{
    links_clear(links);
    for (int i = 0; i < count; i++)
        ck_assert(links_add(links, (int)rng_below(rng, WORDS), (int)rng_below(rng, WORDS)));
}

static bool has_source(const struct links *links, int source)
{
    for (int i = 0; i < links->count; i++)
        if (links->items[i].source == source)
            return true;
    return false;
}

static bool has_target(const struct links *links, int target)
{
    for (int i = 0; i < links->count; i++)
        if (links->items[i].target == target)
            return true;
    return false;
}

static bool touches(const struct links *links, struct link link)
{
    for (int i = 0; i < links->count; i++)
        if (abs(links->items[i].source - link.source) <= 1 &&
            abs(links->items[i].target - link.target) <= 1)
            return true;
    return false;
}

/* Nothing is left that the rules would let in, and what is in is of the two. */
START_TEST(growing_ends_when_nothing_more_may_come_in)
{
    struct rng rng = rng_make(1, 2);
    struct links a = { 0 }, b = { 0 }, both = { 0 }, either = { 0 }, out = { 0 };
    for (int round = 0; round < ROUNDS; round++) {
        draw(&rng, 1 + round % 30, &a);
        draw(&rng, 1 + round % 17, &b);
        ck_assert(links_symmetrise(INTERSECTION, &a, &b, &both));
        ck_assert(links_symmetrise(UNION, &a, &b, &either));
        ck_assert(links_symmetrise(GROW_DIAG_FINAL_AND, &a, &b, &out));
        for (int i = 0; i < both.count; i++)
            ck_assert(links_have(&out, both.items[i].source, both.items[i].target));
        for (int i = 0; i < out.count; i++)
            ck_assert(links_have(&either, out.items[i].source, out.items[i].target));
        for (int i = 0; i < either.count; i++) {
            const struct link link = either.items[i];
            const bool s = has_source(&out, link.source), t = has_target(&out, link.target);
            ck_assert(s || t);
            const bool in = links_have(&out, link.source, link.target);
            ck_assert(in || (s && t) || both.count == 0 || !touches(&both, link));
        }
    }
    links_release(&a);
    links_release(&b);
    links_release(&both);
    links_release(&either);
    links_release(&out);
}
END_TEST

START_TEST(a_link_becomes_one_of_all_words_that_share_its_bytes)
{
    // "du pain" as one word and one; as "de" and "le", which are both "du", and "pa", "in"
    static const struct span source[] = { { 0, 2 }, { 3, 7 } };
    static const struct span fine[] = { { 0, 2 }, { 0, 2 }, { 3, 5 }, { 5, 7 } };
    static const struct span target[] = { { 0, 5 } };
    const struct word_spans from = { source, target, 2, 1 }, to = { fine, target, 4, 1 };
    struct links links = { 0 }, out = { 0 };
    read_ok(&links, "0-0");
    ck_assert(links_map(&links, &from, &to, &out));
    assert_links(&out, "0-0 1-0");
    read_ok(&links, "1-0");
    ck_assert(links_map(&links, &from, &to, &out));
    assert_links(&out, "2-0 3-0");
    read_ok(&links, "0-0 1-0 3-0");
    ck_assert(links_map(&links, &to, &from, &out));
    assert_links(&out, "0-0 1-0");
    links_release(&links);
    links_release(&out);
}
END_TEST

START_TEST(links_that_are_shifted_out_of_a_sentence_are_gone)
{
    struct links links = { 0 }, out = { 0 };
    read_ok(&links, "0-0 1-1 2-1");
    ck_assert(links_shift(&links, 0, -1, 3, 2, &out));
    assert_links(&out, "1-0 2-0");
    ck_assert(links_shift(&links, 1, 0, 3, 2, &out));
    assert_links(&out, "1-0 2-1");
    links_release(&links);
    links_release(&out);
}
END_TEST

START_TEST(error_rate_counts_sure_and_possible_as_och_and_ney_do)
{
    struct links found = { 0 }, sure = { 0 }, possible = { 0 };
    struct link_counts counts = { 0 };
    struct link_scores scores = link_scores(&counts);
    ck_assert_double_eq_tol(scores.aer, 0, SAME);
    read_ok(&found, "0-0 1-1 2-2 3-0");
    read_ok(&sure, "0-0 4-4");
    read_ok(&possible, "0-0 4-4 1-1 2-1");
    link_counts_add(&counts, &found, &sure, &possible);
    scores = link_scores(&counts);
    ck_assert_double_eq_tol(scores.precision, 2.0 / 4, SAME);
    ck_assert_double_eq_tol(scores.recall, 1.0 / 2, SAME);
    ck_assert_double_eq_tol(scores.aer, 1 - (1.0 + 2.0) / (4 + 2), SAME);
    link_counts_add(&counts, &sure, &sure, &sure); // of a corpus: sums first
    scores = link_scores(&counts);
    ck_assert_double_eq_tol(scores.aer, 1 - (3.0 + 4.0) / (6 + 4), SAME);
    links_release(&found);
    links_release(&sure);
    links_release(&possible);
}
END_TEST

static const struct test_case cases[] = {
    TEST(links_are_a_set_in_the_order_of_the_target),
    TEST(what_is_no_link_is_refused_with_its_place),
    TEST(more_links_than_a_sentence_may_have_are_refused),
    TEST(two_directions_are_joined_by_hand_reckoned_ways),
    TEST(growing_ends_when_nothing_more_may_come_in),
    TEST(a_link_becomes_one_of_all_words_that_share_its_bytes),
    TEST(links_that_are_shifted_out_of_a_sentence_are_gone),
    TEST(error_rate_counts_sure_and_possible_as_och_and_ney_do),
};

TEST_MAIN("server/quality/links", cases)
