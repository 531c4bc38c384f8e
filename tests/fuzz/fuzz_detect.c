/*
 * fuzz_detect.c - any bytes: refused as invalid UTF-8, or confidences that are probabilities,
 * best first, and no language where no letter is read; the same again gives the same.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/detect/detector.h"
#include "tests/fuzz/require.h"
#include "tests/tiny_detector.h"
#include "tokenizer/utf8.h"

#define ROUNDING 1e-5f

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct detector *make_detector(void)
{
    char path[] = "/tmp/verso-fuzz-detect-XXXXXX";
    struct detector *detector;
    const int file = mkstemp(path);
    REQUIRE(file >= 0);
    close(file);
    write_tiny_detector(path, "[\"en\",\"fr\",\"und\"]", 3);
    REQUIRE(detector_load(&detector, path, NULL) == STATUS_OK);
    unlink(path);
    return detector;
}

static void check_detection(const struct detection *found, const struct letters *letters)
{
    const bool known = strcmp(found->language, DETECTOR_UNKNOWN) != 0;
    float total = 0;
    REQUIRE(found->count == 2);
    for (int i = 0; i < found->count; i++) {
        REQUIRE(found->languages[i].confidence >= 0 && found->languages[i].confidence <= 1);
        REQUIRE(i == 0 || found->languages[i].confidence <= found->languages[i - 1].confidence);
        total += found->languages[i].confidence;
    }
    REQUIRE(total <= 1 + ROUNDING);
    REQUIRE(found->confidence == (known ? found->languages[0].confidence : 0));
    REQUIRE(known || found->confidence == 0);
    if (letters->letter_count == 0)
        REQUIRE(!known && total == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct detector *detector;
    static struct arena arena;
    struct detection found = { 0 }, again = { 0 };
    struct letters letters;
    if (!detector) {
        detector = make_detector();
        REQUIRE(arena_init(&arena, detector_arena_bytes(detector)));
    }
    const char *text = (const char *)data;
    const enum status status = detector_detect(detector, text, size, &arena, &found, NULL);
    REQUIRE(arena.used == 0);
    if (utf8_check(text, size, NULL) != STATUS_OK) {
        REQUIRE(status == STATUS_BAD_INPUT);
        return 0;
    }
    REQUIRE(status == STATUS_OK);
    REQUIRE(letters_of(text, size, &arena, &letters, NULL) == STATUS_OK);
    check_detection(&found, &letters);
    arena_reset(&arena);
    REQUIRE(detector_detect(detector, text, size, &arena, &again, NULL) == STATUS_OK);
    REQUIRE(memcmp(found.languages, again.languages, sizeof found.languages) == 0);
    return 0;
}
