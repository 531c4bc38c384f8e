/*
 * hash.h - SHA-256 and comparison in constant time, by libcrypto (its only user).
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 65 // 64 digits and a NUL

struct sha256; // a digest under way; one thread

struct sha256 *sha256_new(void); // NULL: no memory
void sha256_add(struct sha256 *hash, const void *bytes, size_t len);
void sha256_finish(struct sha256 *hash, uint8_t out[SHA256_BYTES]); // usable once
void sha256_free(struct sha256 *hash);                              // NULL is fine

MUST_CHECK bool sha256_of(const void *bytes, size_t len, uint8_t out[SHA256_BYTES]);
void sha256_to_hex(const uint8_t digest[SHA256_BYTES], char out[SHA256_HEX_BYTES]);

/* Time depends on len alone. */
bool equal_in_constant_time(const void *a, const void *b, size_t len);

/* From the system's source of secrets; false if it has none to give. */
MUST_CHECK bool random_bytes(void *out, size_t len);

#endif
