/*
 * test_threads.c - every member works once a round, and what it wrote is there afterwards.
 *
 * Members write plain memory on purpose: under ThreadSanitizer this proves the ordering.
 */
#include "tests/helpers.h"

#include <pthread.h>
#include <signal.h>

#include "base/threads.h"

#define MEMBERS_MAX 8
#define ROUNDS 20000

struct job {
    long round;
    long seen[MEMBERS_MAX];
    long runs[MEMBERS_MAX];
};

static void work(void *argument, int member)
{
    struct job *job = argument;
    job->seen[member] = job->round;
    job->runs[member]++;
}

START_TEST(every_member_works_once_a_round)
{
    static const int sizes[] = { 1, 2, 3, MEMBERS_MAX };
    int size = sizes[_i];
    struct job job = { 0 };
    struct team *team = team_new(size);
    ck_assert_ptr_nonnull(team);
    ck_assert_int_eq(team_size(team), size);
    for (job.round = 1; job.round <= ROUNDS / size; job.round++) {
        team_run(team, work, &job);
        for (int i = 0; i < size; i++)
            if (job.seen[i] != job.round || job.runs[i] != job.round)
                ck_abort_msg("member %d is not there in round %ld", i, job.round);
    }
    team_free(team);
}
END_TEST

START_TEST(jobs_may_change_from_round_to_round)
{
    struct team *team = team_new(2);
    struct job *before = memory_zeroed(1, sizeof *before);
    for (int i = 0; i < 1000; i++) {
        struct job *job = memory_zeroed(1, sizeof *job);
        team_run(team, work, job);
        memory_free(before); // nobody looks at an old job any more
        before = job;
        ck_assert_int_eq(job->runs[0] + job->runs[1], 2);
    }
    memory_free(before);
    team_free(team);
}
END_TEST

static void work_unevenly(void *argument, int member)
{
    struct job *job = argument;
    if (member == job->round % 3)
        usleep(2000); // the others fall asleep, the caller too
    work(argument, member);
}

START_TEST(a_slow_member_is_waited_for)
{
    struct job job = { 0 };
    struct team *team = team_new(3);
    for (job.round = 1; job.round <= 60; job.round++) {
        team_run(team, work_unevenly, &job);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(job.seen[i], job.round);
        if (job.round % 10 == 0)
            usleep(5000);
    }
    team_free(team);
}
END_TEST

START_TEST(a_team_that_never_worked_can_be_freed)
{
    long before = memory_live();
    for (int i = 0; i < 50; i++)
        team_free(team_new(1 + i % 4));
    team_free(NULL);
    ck_assert_int_eq(memory_live(), before);
}
END_TEST

static void *use_own_team(void *argument)
{
    struct job *job = argument;
    struct team *team = team_new(2);
    for (job->round = 1; job->round <= 2000; job->round++)
        team_run(team, work, job);
    team_free(team);
    return NULL;
}

START_TEST(teams_of_different_threads_do_not_meet)
{
    struct job jobs[2] = { 0 };
    pthread_t other;
    ck_assert_int_eq(pthread_create(&other, NULL, use_own_team, &jobs[0]), 0);
    use_own_team(&jobs[1]);
    pthread_join(other, NULL);
    for (int i = 0; i < 2; i++)
        ck_assert(jobs[i].runs[0] == 2000 && jobs[i].runs[1] == 2000);
}
END_TEST

static void note_blocked_signals(void *argument, int member)
{
    sigset_t *masks = argument;
    pthread_sigmask(SIG_SETMASK, NULL, &masks[member]);
}

START_TEST(signals_stay_with_the_caller)
{
    sigset_t masks[2];
    struct team *team = team_new(2);
    team_run(team, note_blocked_signals, masks);
    ck_assert(!sigismember(&masks[0], SIGTERM));
    ck_assert(sigismember(&masks[1], SIGTERM));
    team_free(team);
}
END_TEST

START_TEST(no_memory_is_no_team)
{
    long before = memory_live();
    memory_fail_at(1);
    ck_assert_ptr_null(team_new(2));
    memory_fail_at(0);
    ck_assert_int_eq(memory_live(), before);
}
END_TEST

START_TEST(there_is_a_core_to_run_on)
{
    ck_assert_int_ge(threads_available(), 1);
    ck_assert_int_le(threads_available(), 1 << 16);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(every_member_works_once_a_round, 4),
    TEST(jobs_may_change_from_round_to_round),
    TEST(a_slow_member_is_waited_for),
    TEST(a_team_that_never_worked_can_be_freed),
    TEST(teams_of_different_threads_do_not_meet),
    TEST(signals_stay_with_the_caller),
    TEST(no_memory_is_no_team),
    TEST(there_is_a_core_to_run_on),
};
TEST_MAIN("base/threads", cases)
