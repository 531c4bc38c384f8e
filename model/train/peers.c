/*
 * peers.c - alone or not, and whether all ranks mean the same training.
 */
#include "model/train/peers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#ifdef VERSO_MPI
#include "model/train/peers_mpi.h"
#endif

#define DIGEST_WORDS 8 // of 32 bits, which a double holds exactly

static enum status sum_alone(struct peers *peers, float *block, size_t n, struct error *err)
{
    (void)peers, (void)block, (void)n, (void)err;
    return STATUS_OK;
}

static enum status sum_exact_alone(struct peers *peers, double *values, size_t n, struct error *err)
{
    (void)peers, (void)values, (void)n, (void)err;
    return STATUS_OK;
}

struct peers peers_alone(void)
{
    return (struct peers){ 0, 1, NULL, sum_alone, sum_exact_alone };
}

enum status peers_join(struct peers *out, const atomic_int *stop, struct error *err)
{
    const char *count = getenv("OMPI_COMM_WORLD_SIZE"); // Open MPI's mpirun sets it
    *out = peers_alone();
    if (!count || strcmp(count, "1") == 0)
        return STATUS_OK;
#ifdef VERSO_MPI
    return peers_mpi_join(out, stop, PEERS_SILENCE_MS, err);
#else
    (void)stop;
    return error_set(err, STATUS_BAD_USAGE,
                     "mpirun started %s processes, but this verso-train was built for one: build "
                     "it with -DVERSO_MPI=ON",
                     count);
#endif
}

void peers_leave(struct peers *peers, bool finished)
{
#ifdef VERSO_MPI
    if (peers->count > 1)
        peers_mpi_leave(peers, finished);
#else
    (void)finished;
#endif
    *peers = peers_alone();
}

/* Each rank puts its words where the others have 0: then the sum is all ranks' words. */
static enum status gather_words(struct peers *peers, const void *bytes, size_t len, double *words,
                                struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    if (!sha256_of(bytes, len, digest))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a SHA-256");
    for (size_t i = 0; i < DIGEST_WORDS; i++) {
        uint32_t word;
        memcpy(&word, digest + i * sizeof word, sizeof word);
        words[(size_t)peers->rank * DIGEST_WORDS + i] = word;
    }
    return peers->sum_exact(peers, words, (size_t)peers->count * DIGEST_WORDS, err);
}

enum status peers_check_same(struct peers *peers, const char *what, const void *bytes, size_t len,
                             struct error *err)
{
    double *words = memory_zeroed((size_t)peers->count * DIGEST_WORDS, sizeof *words);
    if (!words)
        return error_set(err, STATUS_NO_MEMORY, "no memory to compare %d processes", peers->count);
    enum status status = gather_words(peers, bytes, len, words, err);
    for (int r = 1; r < peers->count && status == STATUS_OK; r++)
        if (memcmp(words, words + (size_t)r * DIGEST_WORDS, DIGEST_WORDS * sizeof *words) != 0)
            status = error_set(err, STATUS_BAD_INPUT,
                               "rank %d differs from rank 0 in %s: give every process the same "
                               "options and files",
                               r, what);
    memory_free(words);
    return status;
}
