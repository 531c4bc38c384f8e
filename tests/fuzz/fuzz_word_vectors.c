/*
 * fuzz_word_vectors.c - any bytes as a file of word vectors: refused, or read to ones that are
 * finite, found by name, near each other by a number that is one, and the same after writing.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "server/engine/word_vectors.h"

#define NEAR 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int claim)
{
    if (!claim)
        abort();
}

static void check_neighbours(const struct word_vectors *v, int32_t word)
{
    struct neighbour near[NEAR];
    const int count = word_vectors_nearest(v, word_vectors_row(v, word), &word, 1, near, NEAR);
    require(count <= NEAR && count < word_vectors_count(v));
    for (int i = 0; i < count; i++) {
        require(near[i].word != word && fabs(near[i].cosine) <= 1 + 1e-9);
        require(i == 0 || near[i].cosine <= near[i - 1].cosine);
    }
}

static void check_written(const struct word_vectors *v)
{
    char path[64];
    struct word_vectors *again;
    const int count = word_vectors_count(v), size = word_vectors_size(v);
    const char **words = memory_alloc((size_t)count, sizeof *words);
    for (int i = 0; i < count; i++)
        words[i] = word_vectors_word(v, i);
    snprintf(path, sizeof path, "/tmp/fuzz-word-vectors-%ld", (long)getpid());
    require(word_vectors_save(path, words, word_vectors_row(v, 0), count, size, NULL) == STATUS_OK);
    require(word_vectors_load(&again, path, NULL) == STATUS_OK);
    require(word_vectors_count(again) == count && word_vectors_size(again) == size);
    require(!memcmp(word_vectors_row(v, 0), word_vectors_row(again, 0),
                    (size_t)count * (size_t)size * sizeof(float)));
    unlink(path);
    word_vectors_free(again);
    memory_free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct word_vectors *v;
    int fd = memfd_create("vectors", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (word_vectors_load(&v, path, NULL) == STATUS_OK) {
        for (int i = 0; i < word_vectors_count(v); i++) {
            const char *word = word_vectors_word(v, i);
            require(word_vectors_find(v, word, strlen(word)) == i);
        }
        check_neighbours(v, 0);
        check_written(v);
    } else {
        require(!v);
    }
    word_vectors_free(v);
    close(fd);
    return 0;
}
