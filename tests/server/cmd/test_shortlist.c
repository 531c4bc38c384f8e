/*
 * test_shortlist.c - "verso-train shortlist", and what trains and translates with it.
 */
#include "tests/server/cmd/train_program.h"

#include "model/model.h"

static int train_model(const char *out)
{
    return train(out, "--epochs", "1", NULL);
}

static int run_shortlist(const char *model, const char *more, const char *value)
{
    char *arguments[] = { (char *)(uintptr_t)PROGRAM,    (char *)(uintptr_t) "shortlist",
                          (char *)(uintptr_t) "--train", (char *)(uintptr_t)in_folder("train.tsv"),
                          (char *)(uintptr_t)model,      (char *)(uintptr_t)more,
                          (char *)(uintptr_t)value,      NULL };
    return finish(start(arguments));
}

static void read_file(const char *path, struct bytes *out)
{
    struct error err;
    bytes_init(out, 1 << 24);
    assert_ok(bytes_read_file(out, path, &err), err);
}

static bool files_are_equal(const char *one, const char *two)
{
    struct bytes a, b;
    read_file(one, &a);
    read_file(two, &b);
    const bool equal = a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
    bytes_release(&a);
    bytes_release(&b);
    return equal;
}

START_TEST(a_training_puts_a_shortlist_into_its_model)
{
    struct error err;
    struct model *model;
    begin();
    ck_assert_int_eq(train_model(in_folder("m")), EXIT_OK);
    assert_told("a shortlist of");
    assert_ok(model_load(&model, in_folder("m"), KIND_TRANSLATE, &err), err);
    ck_assert_ptr_nonnull(model_shortlist(model));
    model_free(model);
    remove_folder(folder);
}
END_TEST

START_TEST(the_command_learns_from_the_same_pairs_what_the_training_learnt)
{
    begin();
    ck_assert_int_eq(train_model(in_folder("m")), EXIT_OK);
    ck_assert_int_eq(run_shortlist(in_folder("m"), "-o", in_folder("again")), EXIT_OK);
    ck_assert(files_are_equal(in_folder("m"), in_folder("again")));
    ck_assert_int_ne(access(in_folder("again.pairs"), F_OK), 0);
    remove_folder(folder);
}
END_TEST

START_TEST(another_size_takes_the_place_of_the_one_that_was_there)
{
    struct error err;
    struct model *model;
    begin();
    ck_assert_int_eq(train_model(in_folder("m")), EXIT_OK);
    ck_assert_int_eq(run_shortlist(in_folder("m"), "--least", "0.5"), EXIT_OK);
    ck_assert_int_eq(run_shortlist(in_folder("m"), "--row", "2"), EXIT_OK);
    assert_ok(model_load(&model, in_folder("m"), KIND_TRANSLATE, &err), err);
    const struct shortlist *s = model_shortlist(model);
    for (int i = 4; i < s->vocabulary; i++)
        ck_assert_int_le(s->offsets[i + 1] - s->offsets[i], 2);
    model_free(model);
    remove_folder(folder);
}
END_TEST

START_TEST(mistakes_are_said_and_leave_the_model)
{
    begin();
    ck_assert_int_eq(run_shortlist(in_folder("none"), "--row", "2"), EXIT_NOT_FOUND);
    assert_told("none");
    ck_assert_int_eq(run_shortlist(in_folder("train.tsv"), "--row", "2"), EXIT_BAD_FILE);
    assert_told("train.tsv");
    ck_assert_int_eq(run_shortlist(in_folder("m"), "--row", "0"), EXIT_USAGE);
    assert_told("--row");
    remove_folder(folder);
}
END_TEST

START_TEST(how_much_of_it_is_used_is_off_or_a_number)
{
    static const struct {
        const char *value;
        int code;
    } runs[] = { { "off", EXIT_OK },  { "1", EXIT_OK },     { "4096", EXIT_OK },
                 { "0", EXIT_USAGE }, { "-3", EXIT_USAGE }, { "4097", EXIT_USAGE },
                 { "7x", EXIT_USAGE } };
    char command[512];
    begin();
    ck_assert_int_eq(train_model(in_folder("m")), EXIT_OK);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        snprintf(command, sizeof command,
                 "echo one | '%s/verso' translate -m '%s' --shortlist=%s > /dev/null 2>&1",
                 PROGRAMS_DIR, in_folder("m"), runs[i].value);
        const int ended = system(command);
        ck_assert(WIFEXITED(ended));
        ck_assert_int_eq(WEXITSTATUS(ended), runs[i].code);
    }
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_training_puts_a_shortlist_into_its_model),
    TEST(the_command_learns_from_the_same_pairs_what_the_training_learnt),
    TEST(another_size_takes_the_place_of_the_one_that_was_there),
    TEST(mistakes_are_said_and_leave_the_model),
    TEST(how_much_of_it_is_used_is_off_or_a_number),
};

TEST_MAIN("server/cmd/shortlist", cases)
