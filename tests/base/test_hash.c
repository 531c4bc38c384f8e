/*
 * test_hash.c - the digests of FIPS 180-2's examples, however the bytes arrive.
 */
#include "tests/helpers.h"

#include "base/hash.h"

#define MILLION 1000000

static const struct {
    const char *text, *hex;
} known[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(digests_are_the_standards)
{
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    ck_assert(sha256_of(known[_i].text, strlen(known[_i].text), digest));
    sha256_to_hex(digest, hex);
    ck_assert_str_eq(hex, known[_i].hex);
}
END_TEST

/* The standard's third example: a million times "a", in parts of different lengths. */
START_TEST(parts_make_the_same_digest_as_the_whole)
{
    static char text[MILLION];
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    struct sha256 *hash = sha256_new();
    memset(text, 'a', sizeof text);
    for (size_t at = 0, part = 0; at < MILLION; at += part, part++) {
        if (part > MILLION - at)
            part = MILLION - at;
        sha256_add(hash, text + at, part);
    }
    sha256_finish(hash, digest);
    sha256_free(hash);
    sha256_to_hex(digest, hex);
    ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(no_memory_is_said)
{
    uint8_t digest[SHA256_BYTES];
    memory_fail_at(1);
    ck_assert_ptr_null(sha256_new());
    memory_fail_at(1);
    ck_assert(!sha256_of("abc", 3, digest));
    memory_fail_at(0);
    sha256_free(NULL);
}
END_TEST

START_TEST(comparison_sees_every_byte)
{
    unsigned char a[64], b[64];
    memset(a, 7, sizeof a);
    memset(b, 7, sizeof b);
    ck_assert(equal_in_constant_time(a, b, sizeof a));
    ck_assert(equal_in_constant_time(a, b, 0));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x80;
        ck_assert(!equal_in_constant_time(a, b, sizeof a));
        ck_assert(equal_in_constant_time(a, b, i));
        b[i] ^= 0x80;
    }
}
END_TEST

START_TEST(secrets_do_not_repeat)
{
    unsigned char a[300], b[300], zeros[16] = { 0 };
    ck_assert(random_bytes(a, sizeof a));
    ck_assert(random_bytes(b, sizeof b));
    ck_assert_mem_ne(a, b, 16);
    ck_assert_mem_ne(a + sizeof a - 16, zeros, 16);
    ck_assert(random_bytes(a, 0));
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(digests_are_the_standards, sizeof known / sizeof known[0]),
    TEST(parts_make_the_same_digest_as_the_whole),
    TEST(no_memory_is_said),
    TEST(comparison_sees_every_byte),
    TEST(secrets_do_not_repeat),
};
TEST_MAIN("base/hash", cases)
