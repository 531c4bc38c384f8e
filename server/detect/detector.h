/*
 * detector.h - the language of a text.
 *
 *     struct detector *detector;
 *     status = detector_load(&detector, "detect.safetensors", &err);
 *     struct detection found;
 *     status = detector_detect(detector, text, len, &arena, &found, &err);
 *     printf("%s %.2f\n", found.language, found.confidence);       // "fr 0.98"
 *     detector_free(detector);
 *
 * Only the first LETTERS_BYTES_MAX bytes of a text count, and of these the
 * words (letters.h): they are cut into windows, of which DETECTOR_WINDOWS_MAX
 * evenly spread ones are classified, each heard by its length. A text half
 * English and half French is so half of each.
 *
 * A confidence is a probability: of all texts that are said to be French with
 * 0.9, nine in ten should be. Those of the languages and of "none of them" add
 * up to 1. A text without letters, or most likely in none of the languages, is
 * DETECTOR_UNKNOWN with confidence 0.
 *
 * A detector never changes after loading: share it between threads. Scratch
 * comes from an arena of the calling thread, of detector_arena_bytes, and is
 * rewound. Equal texts give equal bits.
 */
#ifndef SERVER_DETECT_DETECTOR_H
#define SERVER_DETECT_DETECTOR_H

#include <stddef.h>
#include "base/arena.h"
#include "base/status.h"
#include "server/detect/letters.h"

#define DETECTOR_LANGUAGES_MAX 64
#define DETECTOR_WINDOWS_MAX 4
#define DETECTOR_UNKNOWN "und" // ISO 639: undetermined. A label of it is "none of the others"

struct detector;

/* STATUS_BAD_FILE: labels or vocabulary are not a detector's. */
MUST_CHECK enum status detector_load(struct detector **out, const char *path, struct error *err);
void detector_free(struct detector *detector); // NULL is fine

/* The languages it tells apart, in the model's order, without DETECTOR_UNKNOWN. */
int detector_language_count(const struct detector *detector);
const char *detector_language(const struct detector *detector, int i); // "en"; borrowed from it

size_t detector_arena_bytes(const struct detector *detector);

struct language_confidence {
    const char *language; // borrowed from the detector
    float confidence;     // 0..1
};

struct detection {
    const char *language; // the best one, or DETECTOR_UNKNOWN
    float confidence;
    int count;                                                        // all languages
    struct language_confidence languages[DETECTOR_LANGUAGES_MAX + 1]; // best first
};

/* STATUS_BAD_INPUT: not valid UTF-8. STATUS_NO_MEMORY: the arena is too small. */
MUST_CHECK enum status detector_detect(const struct detector *detector, const char *text,
                                       size_t len, struct arena *scratch, struct detection *out,
                                       struct error *err);
#endif
