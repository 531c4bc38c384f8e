/*
 * test_golden.c - every conversation in tests/golden, however its bytes are cut.
 */
#include <dirent.h>

#include "tests/server/protocol/script.h"

#define ALL_CUTS_UP_TO 3000 // bytes of input; longer scripts are cut at some places
#define SOME_CUTS_STEP 37

static void play_and_compare(const struct script *s, const struct protocol *protocol,
                             const char *name, long cut, struct guard *guard)
{
    struct bytes log = script_run(s, protocol, cut, guard);
    const char *got = log.data ? log.data : "";
    const char *expected = s->expected.data ? s->expected.data : "";
    if (strcmp(got, expected) != 0)
        ck_abort_msg("%s, cut %ld:\n---- expected\n%s---- got\n%s", name, cut, expected, got);
    bytes_release(&log);
}

static void replay(const char *path, const struct protocol *protocol)
{
    struct script script;
    struct guard guard;
    script_load(&script, path);
    guard_init(&guard, SCRIPT_BYTES_MAX);
    play_and_compare(&script, protocol, path, CUT_NOWHERE, &guard);
    play_and_compare(&script, protocol, path, CUT_EVERYWHERE, &guard);
    long step = script.input_bytes <= ALL_CUTS_UP_TO ? 1 : SOME_CUTS_STEP;
    for (long cut = 1; cut < (long)script.input_bytes; cut += step)
        play_and_compare(&script, protocol, path, cut, &guard);
    guard_release(&guard);
    script_release(&script);
}

static int replay_folder(const char *folder, const struct protocol *protocol)
{
    int count = 0;
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[600];
        if (!strstr(entry->d_name, ".txt"))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        replay(path, protocol);
        count++;
    }
    closedir(dir);
    return count;
}

START_TEST(http_conversations_do_not_depend_on_how_the_bytes_are_cut)
{
    ck_assert_int_ge(replay_folder(TESTS_DIR "/golden/http", &protocol_http), 20);
}
END_TEST

START_TEST(line_conversations_do_not_depend_on_how_the_bytes_are_cut)
{
    ck_assert_int_ge(replay_folder(TESTS_DIR "/golden/line", &protocol_line), 8);
}
END_TEST

static const struct test_case cases[] = {
    TEST(http_conversations_do_not_depend_on_how_the_bytes_are_cut),
    TEST(line_conversations_do_not_depend_on_how_the_bytes_are_cut),
};
TEST_MAIN("server/protocol/golden", cases)
