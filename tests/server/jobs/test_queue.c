/* test_queue.c - requests between the loop and the workers, without either. */
#include "server/jobs/queue.h"
#include "tests/helpers.h"

static struct queue queue;
static struct request requests[8];
static struct request *taken[8];
static int notified;
static unsigned calls; // heard by the one worker that the tests are

static void on_notify(void *context)
{
    (void)context;
    notified++;
}

static void open_queue(int max, int workers)
{
    notified = 0;
    calls = 0;
    memset(requests, 0, sizeof requests);
    for (int i = 0; i < 8; i++) {
        requests[i].hop_count = 1;
        requests[i].n_best = 1;
    }
    queue_init(&queue, max, workers, on_notify, NULL);
}

static void add(int i)
{
    struct error err;
    assert_ok(queue_add(&queue, &requests[i], &err), err);
}

/* What a worker gets that is idle and has room for so many. */
static void assert_taken(int room, int count, const int *expected)
{
    ck_assert_int_eq(queue_take(&queue, taken, room, true, &calls), count);
    for (int i = 0; i < count; i++) {
        ck_assert_msg(taken[i] == &requests[expected[i]], "place %d has request %d", i,
                      (int)(taken[i] - requests));
        ck_assert_int_eq(taken[i]->state, REQUEST_RUNNING);
    }
}
#define ASSERT_TAKEN(room, ...)                                                                    \
    assert_taken(room, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)), (int[]){ __VA_ARGS__ })

START_TEST(each_worker_takes_its_share_of_what_waits_in_order)
{
    open_queue(8, 2);
    for (int i = 0; i < 5; i++)
        add(i);
    ASSERT_TAKEN(8, 0, 1, 2);
    ASSERT_TAKEN(8, 3);
    ASSERT_TAKEN(8, 4);
    ck_assert_int_eq(queue_waiting_count(&queue), 0);
    queue_release(&queue);
}
END_TEST

START_TEST(no_more_is_taken_than_there_is_room_for)
{
    open_queue(8, 1);
    for (int i = 0; i < 5; i++)
        add(i);
    ASSERT_TAKEN(3, 0, 1, 2);
    ck_assert_int_eq(queue_take(&queue, taken, 0, false, &calls), 0);
    ASSERT_TAKEN(3, 3, 4);
    queue_release(&queue);
}
END_TEST

START_TEST(a_worker_with_something_in_flight_does_not_wait)
{
    open_queue(8, 1);
    ck_assert_int_eq(queue_take(&queue, taken, 8, false, &calls), 0);
    add(0);
    ck_assert_int_eq(queue_take(&queue, taken, 8, false, &calls), 1);
    queue_release(&queue);
}
END_TEST

START_TEST(a_full_queue_refuses)
{
    struct error err;
    open_queue(2, 1);
    add(0);
    add(1);
    assert_status(queue_add(&queue, &requests[2], &err), STATUS_BUSY);
    ck_assert_int_eq(requests[2].state, REQUEST_NEW);
    ASSERT_TAKEN(1, 0);
    add(2);
    queue_release(&queue);
}
END_TEST

START_TEST(a_request_between_two_hops_goes_to_the_front)
{
    open_queue(2, 1);
    requests[0].hop_count = 2;
    add(0);
    add(1);
    ASSERT_TAKEN(1, 0);
    add(2); // full again, and yet it may come back
    queue_give(&queue, taken[0]);
    ck_assert_int_eq(requests[0].hop, 1);
    ck_assert_ptr_null(queue_done(&queue));
    ASSERT_TAKEN(1, 0);
    queue_give(&queue, taken[0]);
    ck_assert_ptr_eq(queue_done(&queue), &requests[0]);
    ck_assert_ptr_null(requests[0].next);
    queue_release(&queue);
}
END_TEST

START_TEST(only_the_last_hop_looks_for_alternatives)
{
    open_queue(2, 1);
    requests[0].hop_count = 2;
    requests[0].n_best = 4;
    ck_assert_int_eq(request_n_best(&requests[0]), 1);
    requests[0].hop = 1;
    ck_assert_int_eq(request_n_best(&requests[0]), 4);
    queue_release(&queue);
}
END_TEST

START_TEST(a_failed_hop_is_the_last)
{
    open_queue(2, 1);
    requests[0].hop_count = 2;
    add(0);
    ASSERT_TAKEN(1, 0);
    requests[0].status = STATUS_TOO_LARGE;
    queue_give(&queue, taken[0]);
    ck_assert_ptr_eq(queue_done(&queue), &requests[0]);
    queue_release(&queue);
}
END_TEST

START_TEST(cancelling_what_waits_is_done_at_once)
{
    open_queue(4, 1);
    add(0);
    add(1);
    add(2);
    queue_cancel(&queue, &requests[1]);
    ck_assert_int_eq(notified, 1);
    ck_assert_int_eq(queue_waiting_count(&queue), 2);
    ck_assert_ptr_eq(queue_done(&queue), &requests[1]);
    ck_assert_int_eq(requests[1].status, STATUS_CANCELLED);
    ASSERT_TAKEN(8, 0, 2);
    queue_release(&queue);
}
END_TEST

START_TEST(cancelling_what_runs_only_says_so)
{
    open_queue(4, 1);
    add(0);
    ASSERT_TAKEN(1, 0);
    queue_cancel(&queue, &requests[0]);
    ck_assert(atomic_load(&requests[0].cancelled));
    ck_assert_int_eq(notified, 0);
    ck_assert_ptr_null(queue_done(&queue));
    queue_give(&queue, taken[0]);
    queue_cancel(&queue, &requests[0]); // done already: no harm
    ck_assert_ptr_eq(queue_done(&queue), &requests[0]);
    queue_release(&queue);
}
END_TEST

START_TEST(stopping_sends_workers_home_and_cancels_what_waits)
{
    open_queue(4, 1);
    requests[0].hop_count = 2;
    add(0);
    add(1);
    ASSERT_TAKEN(1, 0);
    queue_stop(&queue);
    queue_give(&queue, taken[0]); // its second hop will not be
    ck_assert_int_eq(queue_take(&queue, taken, 8, true, &calls), -1);
    ck_assert_ptr_eq(queue_done(&queue), &requests[1]);
    ck_assert_ptr_eq(requests[1].next, &requests[0]);
    ck_assert_int_eq(requests[0].status, STATUS_CANCELLED);
    ck_assert_int_eq(requests[1].status, STATUS_CANCELLED);
    queue_release(&queue);
}
END_TEST

START_TEST(a_call_gets_every_worker_up_once)
{
    unsigned other_calls = 0;
    open_queue(4, 2);
    queue_call(&queue);
    ck_assert_int_eq(queue_take(&queue, taken, 8, true, &calls), 0);
    ck_assert_int_eq(queue_take(&queue, taken, 8, true, &other_calls), 0);
    queue_call(&queue);
    queue_call(&queue);
    ck_assert_int_eq(queue_take(&queue, taken, 8, true, &calls), 0);
    ck_assert_uint_eq(calls, 3);
    queue_stop(&queue);
    ck_assert_int_eq(queue_take(&queue, taken, 8, true, &calls), -1);
    queue_release(&queue);
}
END_TEST

static const struct test_case cases[] = {
    TEST(each_worker_takes_its_share_of_what_waits_in_order),
    TEST(no_more_is_taken_than_there_is_room_for),
    TEST(a_worker_with_something_in_flight_does_not_wait),
    TEST(a_full_queue_refuses),
    TEST(a_request_between_two_hops_goes_to_the_front),
    TEST(only_the_last_hop_looks_for_alternatives),
    TEST(a_failed_hop_is_the_last),
    TEST(cancelling_what_waits_is_done_at_once),
    TEST(cancelling_what_runs_only_says_so),
    TEST(stopping_sends_workers_home_and_cancels_what_waits),
    TEST(a_call_gets_every_worker_up_once),
};
TEST_MAIN("server/jobs/queue", cases)
