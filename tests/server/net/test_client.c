/* test_client.c - tickets: answered once, or told that nobody waits any more. */
#include "server/net/client.h"
#include "tests/helpers.h"

static uint64_t replied[8];
static int reply_count, gone_count;

static void on_reply(struct client *client, const struct reply *reply)
{
    (void)client;
    replied[reply_count++] = reply->number;
}

static void on_gone(struct ticket *ticket)
{
    ck_assert_ptr_null(ticket->client);
    gone_count++;
}

static void answer(struct ticket *ticket)
{
    client_answer(ticket, &(struct reply){ .code = 200, .body = "" });
}

START_TEST(an_answer_carries_the_number_of_its_message)
{
    struct client client = { .reply = on_reply };
    struct ticket tickets[3];
    reply_count = gone_count = 0;
    for (uint64_t i = 0; i < 3; i++)
        client_wait(&client, &tickets[i], i + 10, on_gone);
    answer(&tickets[1]);
    answer(&tickets[0]);
    answer(&tickets[2]);
    ck_assert_int_eq(reply_count, 3);
    ck_assert_uint_eq(replied[0], 11);
    ck_assert_uint_eq(replied[1], 10);
    ck_assert_uint_eq(replied[2], 12);
    ck_assert_ptr_null(client.tickets);
}
END_TEST

START_TEST(answering_twice_is_answering_once)
{
    struct client client = { .reply = on_reply };
    struct ticket ticket;
    reply_count = 0;
    client_wait(&client, &ticket, 1, on_gone);
    answer(&ticket);
    answer(&ticket);
    ck_assert_int_eq(reply_count, 1);
}
END_TEST

START_TEST(when_the_client_leaves_every_ticket_is_told_and_no_answer_sent)
{
    struct client client = { .reply = on_reply };
    struct ticket tickets[3];
    reply_count = gone_count = 0;
    for (uint64_t i = 0; i < 3; i++)
        client_wait(&client, &tickets[i], i, on_gone);
    client_gone(&client);
    ck_assert_int_eq(gone_count, 3);
    for (int i = 0; i < 3; i++)
        answer(&tickets[i]);
    ck_assert_int_eq(reply_count, 0);
    client_gone(&client);
    ck_assert_int_eq(gone_count, 3);
}
END_TEST

static const struct test_case cases[] = {
    TEST(an_answer_carries_the_number_of_its_message),
    TEST(answering_twice_is_answering_once),
    TEST(when_the_client_leaves_every_ticket_is_told_and_no_answer_sent),
};
TEST_MAIN("server/net/client", cases)
