/*
 * file_format.h - what the reader and the writer of a .safetensors file agree on.
 *
 * Private to file.c and file_write.c: the dtypes' names and sizes, the 16-bit
 * numbers, and where the digest stands in the header.
 */
#ifndef MODEL_FILE_FORMAT_H
#define MODEL_FILE_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/hash.h"
#include "model/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are stored little-endian");

#define LENGTH_BYTES 8 // of the header length in front of everything
#define METADATA_KEY "__metadata__"
#define DIGEST_DIGITS (SHA256_HEX_BYTES - 1)
#define SCALE_SUFFIX ".scale"

struct dtype_shape {
    const char *name; // as the format writes it
    size_t bytes;     // of an element
};

static const struct dtype_shape dtypes[] = {
    [DTYPE_F32] = { "F32", 4 }, [DTYPE_F16] = { "F16", 2 }, [DTYPE_BF16] = { "BF16", 2 },
    [DTYPE_I8] = { "I8", 1 },   [DTYPE_I32] = { "I32", 4 },
};
#define DTYPE_COUNT (sizeof dtypes / sizeof dtypes[0])

/* Rows and columns are below 2^31, so even 4 bytes each cannot overflow 64 bits. */
static inline uint64_t tensor_bytes(enum dtype dtype, int rows, int cols)
{
    return (uint64_t)rows * (uint64_t)cols * dtypes[dtype].bytes;
}

/* The 64 digits of the digest in a header that is valid JSON, or NULL. Inside
 * a JSON text these quotes would be escaped, so nothing else looks like this. */
static inline const char *digest_digits(const char *header, size_t len)
{
    static const char key[] = "\"digest\":\"";
    const char *found = memmem(header, len, key, sizeof key - 1);
    if (!found)
        return NULL;
    found += sizeof key - 1;
    size_t left = len - (size_t)(found - header);
    return left > DIGEST_DIGITS && found[DIGEST_DIGITS] == '"' ? found : NULL;
}

static inline uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Exponents are of 15 there and of 127 here, also those of subnormals. Without branches, so that
 * compilers vectorise a loop of it. */
static inline float float_of_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    const uint32_t special = magnitude < 0x0f800000 ? 0 : 0x7f800000; // infinite or no number
    return float_of_bits(sign | special | float_bits(float_of_bits(magnitude) * 0x1p112f));
}

/* Round to nearest, ties to even; beyond the largest half it is infinite. */
static inline uint16_t f16_of_float(float value)
{
    uint32_t bits = float_bits(value);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x47800000) // 65536 and more
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) {                    // below 2^-14: the sum with 0.5, whose last
        float sum = float_of_bits(magnitude) + 0.5f; // bit is 2^-24, rounds as it should
        return (uint16_t)(sign | (float_bits(sum) - 0x3f000000));
    }
    uint32_t odd = magnitude >> 13 & 1;
    return (uint16_t)(sign | (magnitude + 0xfff + odd - 0x38000000) >> 13);
}

static inline float float_of_bf16(uint16_t brain)
{
    return float_of_bits((uint32_t)brain << 16);
}

static inline uint16_t bf16_of_float(float value)
{
    uint32_t bits = float_bits(value);
    if ((bits & 0x7fffffff) > 0x7f800000) // rounding could carry it into infinity
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
