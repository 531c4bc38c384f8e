/*
 * random_text.h - valid UTF-8 that nobody would write: twenty scripts, what
 * combines and joins, controls, spaces, noncharacters and unassigned code points.
 */
#ifndef TESTS_TOKENIZER_RANDOM_TEXT_H
#define TESTS_TOKENIZER_RANDOM_TEXT_H

#include <stdint.h>
#include "base/rng.h"
#include "tokenizer/utf8.h"

struct code_range {
    int32_t from, to; // both included
};

static const struct code_range random_ranges[] = {
    { 'a', 'z' },         { 'A', 'Z' },         { ' ', ' ' },           { ' ', '~' },
    { 0, 0x1F },          { 0x7F, 0xA0 },       { 0xC0, 0x17F },        { 0x300, 0x36F }, // marks
    { 0x370, 0x3FF },     { 0x400, 0x4FF },     { 0x531, 0x587 },       { 0x591, 0x5F4 },
    { 0x600, 0x6FF },     { 0x900, 0x97F },     { 0x980, 0x9FF },       { 0xB80, 0xBFF },
    { 0xC80, 0xCFF },     { 0xD00, 0xD7F },     { 0xE01, 0xE5B },       { 0xF00, 0xFFF },
    { 0x1000, 0x109F },   { 0x10A0, 0x10FF },   { 0x1100, 0x11FF }, // jamo
    { 0x1200, 0x137F },   { 0x1780, 0x17FF },   { 0x1E00, 0x1FFF },     { 0x2000, 0x206F },
    { 0x2070, 0x218F },   { 0x2460, 0x24FF },   { 0x2581, 0x2581 }, // the space mark itself
    { 0x3000, 0x30FF },   { 0x3300, 0x33FF },   { 0x4E00, 0x4FFF },     { 0xAC00, 0xD7A3 },
    { 0xF900, 0xFAFF },   { 0xFB00, 0xFDFF },   { 0xFDD0, 0xFDEF },     { 0xFE00, 0xFE0F },
    { 0xFF00, 0xFFEF },   { 0xFFF0, 0xFFFF },   { 0x11100, 0x1114F },   { 0x1D100, 0x1D1FF },
    { 0x1F1E6, 0x1F1FF }, { 0x1F3FB, 0x1F64F }, { 0x200D, 0x200D },     { 0x378, 0x379 },
    { 0x2F800, 0x2FA1F }, { 0xE0000, 0xE007F }, { 0x10FFFE, 0x10FFFF },
};

#define RANDOM_RANGES (sizeof random_ranges / sizeof random_ranges[0])

/* Up to `count` code points, often several of one range in a row; returns the bytes. */
static inline size_t random_text(struct rng *rng, size_t count, char *text)
{
    size_t len = 0;
    struct code_range range = random_ranges[0];
    for (size_t i = 0; i < count; i++) {
        if (rng_below(rng, 3) == 0)
            range = random_ranges[rng_below(rng, RANDOM_RANGES)];
        uint64_t width = (uint64_t)(range.to - range.from + 1);
        len += (size_t)utf8_put(range.from + (int32_t)rng_below(rng, width), text + len);
    }
    return len;
}

#endif
