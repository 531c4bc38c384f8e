/*
 * test_train_kills.c - a training that is killed again and again ends with the bytes of one that
 * was left alone.
 */
#include "tests/server/cmd/train_program.h"

#include "base/clock.h"
#include "base/json.h"

#define KILLS 12
#define STARTS_MAX 100 // to be killed so often; those that come to their end do not count
#define SEED 20
#define EPOCHS "5"
#define LINES 112
#define UPDATES 35 // batches of 16 pairs
#define WAIT_MS 20000

/* Where a kill falls. */
enum moment { AT_RANDOM, IN_CHECKPOINT, IN_PAIRS };

static bool has_ended(pid_t pid)
{
    siginfo_t info = { 0 };
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    return info.si_pid == pid;
}

/* Whether there is "NAME.tmp-...". */
static bool is_being_written(const char *name)
{
    char start[64];
    bool found = false;
    snprintf(start, sizeof start, "%s.tmp-", name);
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; !found && (entry = readdir(dir));)
        found = strncmp(entry->d_name, start, strlen(start)) == 0;
    closedir(dir);
    return found;
}

static void wait_for(enum moment moment, pid_t pid, int64_t delay_ms)
{
    const int64_t start = clock_now_ms(), longest = moment == AT_RANDOM ? delay_ms : WAIT_MS;
    while (!has_ended(pid) && clock_now_ms() - start < longest) {
        if (moment == AT_RANDOM)
            pause_ms(1);
        else if (is_being_written(moment == IN_PAIRS ? "broken.pairs" : "broken.checkpoint"))
            return;
    }
}

/* Whether the program was killed; otherwise it has come to its end, and well. */
static bool kill_program(pid_t pid)
{
    int ended;
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
    if (WIFSIGNALED(ended))
        return true;
    ck_assert_msg(WIFEXITED(ended) && WEXITSTATUS(ended) == EXIT_OK, "it ended with %d", ended);
    return false;
}

/* Each update once, in order, whatever was killed. */
static void assert_log_is_whole(const char *path)
{
    char line[4096];
    json_int_t updates = 0, validated = 0;
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        json_t *root;
        struct error err;
        assert_ok(json_parse(&root, line, strlen(line), &err), err);
        const json_int_t update = json_integer_value(json_object_get(root, "update"));
        if (json_object_get(root, "validation_loss")) {
            ck_assert_int_eq(update, updates);
            ck_assert_int_gt(update, validated);
            validated = update;
        } else {
            ck_assert_int_eq(update, ++updates);
            ck_assert(json_is_number(json_object_get(root, "norm")));
            ck_assert(json_is_number(json_object_get(root, "speed")));
        }
        json_decref(root);
    }
    fclose(file);
    ck_assert_int_eq(updates, UPDATES);
    ck_assert_int_eq(validated, UPDATES);
}

static pid_t start_broken(bool resume)
{
    return start_training(in_folder("broken"), "--epochs", EPOCHS, "--checkpoint-every", "2",
                          "--log", in_folder("broken.jsonl"), resume ? "--resume" : NULL, NULL);
}

static void assert_broken_is_as_straight(void)
{
    assert_same_tensors(in_folder("straight"), in_folder("broken"));
    assert_same_tensors(in_folder("straight.checkpoint"), in_folder("broken.checkpoint"));
    assert_log_is_whole(in_folder("broken.jsonl"));
    ck_assert(!is_being_written("broken.checkpoint") && !is_being_written("broken.pairs") &&
              !is_being_written("broken"));
}

static void remove_broken(void)
{
    unlink(in_folder("broken"));
    unlink(in_folder("broken.checkpoint"));
    unlink(in_folder("broken.jsonl"));
    unlink(in_folder("broken.pairs"));
}

static bool has_checkpoint(void)
{
    return access(in_folder("broken.checkpoint"), F_OK) == 0;
}

static bool start_and_kill(enum moment moment, int64_t delay_ms)
{
    const bool resume = has_checkpoint();
    if (moment == IN_PAIRS)
        unlink(in_folder("broken.pairs")); // so that it is written again
    pid_t pid = start_broken(resume);
    wait_for(moment, pid, delay_ms);
    const bool killed = kill_program(pid);
    ck_assert(!resume || has_checkpoint());
    return killed;
}

/* A training that is not killed in time (other programs may keep this one waiting) begins anew, and
 * the next kill comes sooner. */
START_TEST(a_training_that_is_killed_ends_with_the_same_bytes)
{
    static const enum moment moments[] = { AT_RANDOM, IN_CHECKPOINT, AT_RANDOM, IN_PAIRS };
    struct rng rng = rng_make(SEED, 0);
    bool killed = true;
    begin();
    write_corpus(in_folder("train.tsv"), LINES, 1, NULL);
    printf("kills at random moments, seed %d\n", SEED);
    const int64_t start = clock_now_ms();
    ck_assert_int_eq(train(in_folder("straight"), "--epochs", EPOCHS, "--checkpoint-every", "2"),
                     EXIT_OK);
    int64_t longest_ms = (clock_now_ms() - start) / 3;
    for (int kills = 0, starts = 0; kills < KILLS; starts++) {
        ck_assert_int_lt(starts, STARTS_MAX);
        killed = start_and_kill(killed ? moments[kills % 4] : AT_RANDOM,
                                (int64_t)rng_below(&rng, (uint64_t)longest_ms + 1));
        kills += killed;
        if (killed)
            continue;
        assert_broken_is_as_straight();
        remove_broken();
        longest_ms /= 2;
    }
    ck_assert_msg(finish(start_broken(has_checkpoint())) == EXIT_OK, "%s", told);
    assert_broken_is_as_straight();
    remove_folder(folder);
}
END_TEST

START_TEST(two_trainings_of_one_seed_are_the_same_to_the_bit)
{
    begin();
    write_corpus(in_folder("train.tsv"), LINES, 1, NULL);
    ck_assert_int_eq(train(in_folder("one"), "--epochs", "2"), EXIT_OK);
    ck_assert_int_eq(train(in_folder("two"), "--epochs", "2"), EXIT_OK);
    assert_same_tensors(in_folder("one"), in_folder("two"));
    assert_same_tensors(in_folder("one.checkpoint"), in_folder("two.checkpoint"));
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_training_that_is_killed_ends_with_the_same_bytes),
    TEST(two_trainings_of_one_seed_are_the_same_to_the_bit),
};

int main(void)
{
    if (access(PROGRAM, X_OK) != 0) {
        puts("skipped: verso-train is not built");
        return TEST_SKIPPED;
    }
    return test_run("server/cmd/train_kills", cases, sizeof cases / sizeof *cases);
}
