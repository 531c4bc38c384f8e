/*
 * hash.c - libcrypto's SHA-256 and comparison, and the kernel's random bytes.
 */
#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include "base/memory.h"

struct sha256 {
    EVP_MD_CTX *context;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *hash = memory_alloc(1, sizeof *hash);
    if (!hash)
        return NULL;
    hash->context = EVP_MD_CTX_new();
    if (hash->context && EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) == 1)
        return hash;
    sha256_free(hash);
    return NULL;
}

/* Once begun, libcrypto's own SHA-256 has nothing left that could fail. */
void sha256_add(struct sha256 *hash, const void *bytes, size_t len)
{
    int done = EVP_DigestUpdate(hash->context, bytes, len);
    assert(done == 1);
    (void)done;
}

void sha256_finish(struct sha256 *hash, uint8_t out[SHA256_BYTES])
{
    unsigned len = 0;
    int done = EVP_DigestFinal_ex(hash->context, out, &len);
    assert(done == 1 && len == SHA256_BYTES);
    (void)done;
}

void sha256_free(struct sha256 *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->context);
    memory_free(hash);
}

bool sha256_of(const void *bytes, size_t len, uint8_t out[SHA256_BYTES])
{
    struct sha256 *hash = sha256_new();
    if (!hash)
        return false;
    sha256_add(hash, bytes, len);
    sha256_finish(hash, out);
    sha256_free(hash);
    return true;
}

void sha256_to_hex(const uint8_t digest[SHA256_BYTES], char out[SHA256_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * SHA256_BYTES] = '\0';
}

bool equal_in_constant_time(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

bool random_bytes(void *out, size_t len)
{
    char *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
    return true;
}
