/*
 * mpi_rank.c - one of the processes that test_mpi.py has mpirun start: it joins, and does what it is told.
 *
 *     mpi_rank sum       sums of many sizes have the bits of a loop over the ranks
 *     mpi_rank silent    rank 1 joins and says nothing; the others give it up
 *     mpi_rank stop      nobody answers rank 0, which is told to stop while it waits
 *     mpi_rank differ    the last rank means something else
 *
 * It says how that ended, "RANK: STATUS: TEXT".
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/rng.h"
#include "model/train/peers.h"
#include "model/train/peers_mpi.h"

#define SILENCE_MS 500
#define PATIENCE_S 60 // of a rank that says nothing

static atomic_int stop;

/* The number that a rank brings to place i: of very different sizes, so that the order matters. */
static double number_of(int rank, size_t i)
{
    struct rng rng = rng_make(7, (uint64_t)i * PEERS_MAX + (uint64_t)rank);
    return ldexp(rng_uniform(&rng) - 0.5, (int)(rng_next(&rng) % 24));
}

static enum status check_floats(struct peers *peers, size_t n, struct error *err)
{
    float *block = memory_alloc(n + 1, sizeof *block);
    if (!block)
        return error_set(err, STATUS_NO_MEMORY, "no memory");
    for (size_t i = 0; i < n; i++)
        block[i] = (float)number_of(peers->rank, i);
    enum status status = peers->sum(peers, block, n, err);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        float wanted = (float)number_of(0, i);
        for (int r = 1; r < peers->count; r++)
            wanted += (float)number_of(r, i);
        if (memcmp(&wanted, &block[i], sizeof wanted) != 0)
            status = error_set(err, STATUS_DIVERGED, "%zu of %zu is %.9g, not %.9g", i, n,
                               (double)block[i], (double)wanted);
    }
    memory_free(block);
    return status;
}

static enum status check_doubles(struct peers *peers, size_t n, struct error *err)
{
    double *values = memory_alloc(n + 1, sizeof *values);
    if (!values)
        return error_set(err, STATUS_NO_MEMORY, "no memory");
    for (size_t i = 0; i < n; i++)
        values[i] = number_of(peers->rank, i);
    enum status status = peers->sum_exact(peers, values, n, err);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        double wanted = number_of(0, i);
        for (int r = 1; r < peers->count; r++)
            wanted += number_of(r, i);
        if (memcmp(&wanted, &values[i], sizeof wanted) != 0)
            status = error_set(err, STATUS_DIVERGED, "%zu of %zu doubles is %.17g, not %.17g", i, n,
                               values[i], wanted);
    }
    memory_free(values);
    return status;
}

/* The last one takes several rounds. */
static enum status check_sums(struct peers *peers, struct error *err)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 5, 1000, 300001, 3000017 };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == STATUS_OK; i++) {
        status = check_floats(peers, sizes[i], err);
        if (status == STATUS_OK)
            status = check_doubles(peers, sizes[i] / 4, err);
    }
    return status;
}

static void *stop_soon(void *context)
{
    (void)context;
    sleep(1);
    atomic_store(&stop, 1);
    return NULL;
}

/* The sum of those ranks that take part in it. */
static enum status sum_without(struct peers *peers, bool takes_part, struct error *err)
{
    float block[64] = { 0 };
    if (takes_part)
        return peers->sum(peers, block, 64, err);
    sleep(PATIENCE_S);
    return error_set(err, STATUS_BUSY, "nothing ended its sleep");
}

static enum status do_as_told(struct peers *peers, const char *what, struct error *err)
{
    pthread_t thread;
    if (strcmp(what, "sum") == 0)
        return check_sums(peers, err);
    if (strcmp(what, "silent") == 0)
        return sum_without(peers, peers->rank != 1, err);
    if (strcmp(what, "stop") == 0) {
        if (pthread_create(&thread, NULL, stop_soon, NULL) != 0)
            return error_set(err, STATUS_NO_MEMORY, "no thread");
        pthread_detach(thread);
        return sum_without(peers, peers->rank == 0, err);
    }
    const bool differs = peers->rank == peers->count - 1;
    return peers_check_same(peers, "the seed", differs ? "2" : "1", 1, err);
}

int main(int argc, char **argv)
{
    struct error err = { .text = "" };
    struct peers peers;
    if (argc != 2)
        return 2;
    enum status status = strcmp(argv[1], "silent") == 0
                             ? peers_mpi_join(&peers, &stop, SILENCE_MS, &err)
                             : peers_join(&peers, &stop, &err);
    if (status == STATUS_OK)
        status = do_as_told(&peers, argv[1], &err);
    printf("%d: %s: %s\n", peers.rank, status_name(status), err.text);
    fflush(stdout);
    peers_leave(&peers, status == STATUS_OK);
    return status == STATUS_OK ? 0 : 1;
}
