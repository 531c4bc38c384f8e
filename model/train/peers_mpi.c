/*
 * peers_mpi.c - sums over ranks, in the order of the ranks whatever MPI does.
 *
 * A block is cut into rounds, a round into a slice a rank. Each rank collects
 * the others' parts of its own slice, adds them up in the order of the ranks
 * and sends the sum to all: 2(K-1)/K of the block to and from each rank, and
 * bits that depend on nothing but the numbers. The sums of a round travel
 * together with the parts of the next one:
 *
 *     step          0        1        2      ...    rounds
 *     parts of      0        1        2
 *     sums of                0        1             rounds - 1
 *
 * One thread makes every call of MPI, from the first to the last, and waits in
 * a loop over MPI_Testsome, which a stop or silence ends. The trainer's thread
 * waits for that thread, but not when it is told to stop: Open MPI's report of
 * a peer that is gone does not return while mpirun is busy ending the others,
 * and in that very second the training has to be saved.
 */
#include "model/train/peers_mpi.h"

#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define PARTS_BYTES ((size_t)16 << 20) // of all others' parts of a slice, at most
#define SLICE_BYTES ((size_t)1 << 20)  // of one part, at most
#define SPIN_MS 2                      // a wait is eager for so long, then it sleeps between looks
#define SLEEP_NS 200000
#define AGREE_MS 100        // after a stop, for ranks that come to agree on it
#define LOOK_MS 20          // between looks of the trainer's thread for a stop
#define LOOKS_AFTER_STOP 10 // for the other thread to end its task: AGREE_MS and more
#define LINGER_S 2          // of a rank but 0 that mpirun ends

enum tag { TAG_PART, TAG_SUM };

/* What is being summed. */
struct block {
    char *at;
    size_t n; // elements
    size_t element_bytes;
    size_t round; // elements of a round, at most
    MPI_Datatype type;
    void (*add)(void *sum, const void *part, size_t n);
};

enum task { TASK_NONE, TASK_START, TASK_SUM, TASK_FINISH };

struct mpi {
    int rank, count;
    const atomic_int *stop;
    int64_t silence_ms;
    bool is_broken; // a task failed: there is no way to go on

    /* between the two threads */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    enum task task; // given, and not done yet
    struct block block;
    enum status status; // of the last task
    struct error err;

    /* of the thread that calls MPI */
    size_t slice_bytes;
    char *parts;           // (count, slice_bytes) of the slice that is this rank's
    MPI_Request *requests; // (4 count) of a step
    int *ranks;            // (4 count) with whom
    int *finished;         // (4 count) scratch of MPI_Testsome
    int pending;           // requests of this step
    int64_t stop_seen;     // when a wait first saw the stop; 0: not yet
};

static void add_floats(void *sum, const void *part, size_t n)
{
    float *restrict a = sum;
    const float *restrict b = part;
    for (size_t i = 0; i < n; i++)
        a[i] += b[i];
}

static void add_doubles(void *sum, const void *part, size_t n)
{
    double *restrict a = sum;
    const double *restrict b = part;
    for (size_t i = 0; i < n; i++)
        a[i] += b[i];
}

static bool is_stopped(const struct mpi *m)
{
    return atomic_load(m->stop) != 0;
}

static enum status refuse_stopped(struct error *err)
{
    return error_set(err, STATUS_CANCELLED, "training was stopped");
}

static enum status refuse_mpi(int code, struct error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown";
    int len;
    MPI_Error_string(code, text, &len);
    return error_set(err, STATUS_CANCELLED, "lost touch with the other processes: %.200s", text);
}

/* ---- waiting ---- */

static void pause_after(int64_t idle_ms)
{
    const struct timespec nap = { .tv_nsec = SLEEP_NS };
    if (idle_ms < SPIN_MS)
        sched_yield();
    else
        nanosleep(&nap, NULL);
}

/* Of the ranks that a request is waiting for, the first. */
static int silent_rank(const struct mpi *m)
{
    int i = 0;
    while (i < m->pending - 1 && m->requests[i] == MPI_REQUEST_NULL)
        i++;
    return m->ranks[i];
}

/* Until all requests of the step are done. */
static enum status wait_for_step(struct mpi *m, struct error *err)
{
    for (int64_t now = clock_now_ms(), heard = now;; now = clock_now_ms()) {
        int finished;
        int code =
            MPI_Testsome(m->pending, m->requests, &finished, m->finished, MPI_STATUSES_IGNORE);
        if (code != MPI_SUCCESS)
            return refuse_mpi(code, err);
        if (finished == MPI_UNDEFINED)
            return STATUS_OK;
        if (finished > 0)
            heard = now;
        if (m->stop_seen == 0 && is_stopped(m))
            m->stop_seen = now;
        if (m->stop_seen > 0 && now - m->stop_seen > AGREE_MS)
            return refuse_stopped(err);
        if (now - heard > m->silence_ms)
            return error_set(err, STATUS_CANCELLED,
                             "rank %d was silent for %g s: look at its machine and the network",
                             silent_rank(m), (double)m->silence_ms / 1000);
        pause_after(now - heard);
    }
}

/* ---- a step ---- */

/* The slice of a rank in a round: its first element and how many. */
static size_t slice_of(const struct mpi *m, const struct block *b, size_t round, int rank,
                       size_t *first)
{
    const size_t start = round * b->round;
    const size_t n = b->n - start < b->round ? b->n - start : b->round;
    const size_t count = (size_t)m->count, r = (size_t)rank;
    *first = start + n * r / count;
    return start + n * (r + 1) / count - *first;
}

static char *part_of(const struct mpi *m, int rank)
{
    return m->parts + (size_t)rank * m->slice_bytes;
}

static int receive(struct mpi *m, const struct block *b, void *at, size_t n, int rank, enum tag tag)
{
    if (n == 0)
        return MPI_SUCCESS;
    m->ranks[m->pending] = rank;
    return MPI_Irecv(at, (int)n, b->type, rank, (int)tag, MPI_COMM_WORLD,
                     &m->requests[m->pending++]);
}

static int send(struct mpi *m, const struct block *b, const void *at, size_t n, int rank,
                enum tag tag)
{
    if (n == 0)
        return MPI_SUCCESS;
    m->ranks[m->pending] = rank;
    return MPI_Isend(at, (int)n, b->type, rank, (int)tag, MPI_COMM_WORLD,
                     &m->requests[m->pending++]);
}

/* This rank's parts to their owners, the others' parts of its slice from them. */
static int exchange_parts(struct mpi *m, const struct block *b, size_t round, int other)
{
    size_t own_first, first;
    const size_t own = slice_of(m, b, round, m->rank, &own_first);
    const size_t n = slice_of(m, b, round, other, &first);
    int code = receive(m, b, part_of(m, other), own, other, TAG_PART);
    return code == MPI_SUCCESS ? send(m, b, b->at + first * b->element_bytes, n, other, TAG_PART)
                               : code;
}

static int exchange_sums(struct mpi *m, const struct block *b, size_t round, int other)
{
    size_t own_first, first;
    const size_t own = slice_of(m, b, round, m->rank, &own_first);
    const size_t n = slice_of(m, b, round, other, &first);
    int code = receive(m, b, b->at + first * b->element_bytes, n, other, TAG_SUM);
    return code == MPI_SUCCESS
               ? send(m, b, b->at + own_first * b->element_bytes, own, other, TAG_SUM)
               : code;
}

static void add_parts(const struct mpi *m, const struct block *b, size_t round)
{
    size_t first;
    const size_t n = slice_of(m, b, round, m->rank, &first);
    char *own = b->at + first * b->element_bytes;
    char *sum = m->rank == 0 ? own : part_of(m, 0);
    for (int r = 1; r < m->count; r++)
        b->add(sum, r == m->rank ? own : part_of(m, r), n);
    if (sum != own)
        memcpy(own, sum, n * b->element_bytes);
}

static enum status take_step(struct mpi *m, const struct block *b, size_t step, size_t rounds,
                             struct error *err)
{
    int code = MPI_SUCCESS;
    m->pending = 0;
    for (int d = 1; d < m->count && code == MPI_SUCCESS; d++) {
        const int other = (m->rank + d) % m->count; // so that not all speak to rank 0 at once
        if (step > 0)
            code = exchange_sums(m, b, step - 1, other);
        if (step < rounds && code == MPI_SUCCESS)
            code = exchange_parts(m, b, step, other);
    }
    if (code != MPI_SUCCESS)
        return refuse_mpi(code, err);
    enum status status = wait_for_step(m, err);
    if (status == STATUS_OK && step < rounds)
        add_parts(m, b, step);
    return status;
}

static enum status sum_block(struct mpi *m, struct error *err)
{
    struct block *b = &m->block;
    b->round = m->slice_bytes / b->element_bytes * (size_t)m->count;
    const size_t rounds = (b->n + b->round - 1) / b->round;
    enum status status = STATUS_OK;
    for (size_t step = 0; step <= rounds && rounds > 0 && status == STATUS_OK; step++)
        status = take_step(m, b, step, rounds, err);
    return status;
}

/* ---- the thread that calls MPI ---- */

static enum status make_room(struct mpi *m, struct error *err)
{
    const size_t ranks = (size_t)m->count;
    m->slice_bytes = PARTS_BYTES / ranks / sizeof(double) * sizeof(double);
    if (m->slice_bytes > SLICE_BYTES)
        m->slice_bytes = SLICE_BYTES;
    m->parts = memory_alloc(ranks, m->slice_bytes);
    m->requests = memory_alloc(4 * ranks, sizeof *m->requests);
    m->ranks = memory_alloc(4 * ranks, sizeof *m->ranks);
    m->finished = memory_alloc(4 * ranks, sizeof *m->finished);
    if (m->parts && m->requests && m->ranks && m->finished)
        return STATUS_OK;
    return error_set(err, STATUS_NO_MEMORY, "no memory to join %d processes", m->count);
}

static enum status start_mpi(struct mpi *m, struct error *err)
{
    int level;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS ||
        level < MPI_THREAD_FUNNELED)
        return error_set(err, STATUS_IO, "MPI does not start: look at what mpirun says");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &m->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &m->count);
    if (m->count > PEERS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "%d processes are more than %d", m->count,
                         PEERS_MAX);
    return make_room(m, err);
}

static enum status do_task(struct mpi *m, struct error *err)
{
    switch (m->task) {
    case TASK_START:
        return start_mpi(m, err);
    case TASK_SUM:
        return sum_block(m, err);
    default:
        MPI_Finalize();
        return STATUS_OK;
    }
}

static void *speak(void *context)
{
    struct mpi *m = context;
    pthread_mutex_lock(&m->lock);
    for (bool is_over = false; !is_over;) {
        while (m->task == TASK_NONE)
            pthread_cond_wait(&m->changed, &m->lock);
        pthread_mutex_unlock(&m->lock);
        struct error err;
        const enum status status = do_task(m, &err);
        pthread_mutex_lock(&m->lock);
        is_over = m->task == TASK_FINISH;
        m->status = status;
        m->err = err;
        m->task = TASK_NONE;
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* ---- the trainer's thread ---- */

static void wait_a_little(struct mpi *m)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&m->changed, &m->lock, &until);
}

/* Until the task is done, or a stop could not end it: then the thread is left to itself. */
static enum status perform(struct mpi *m, enum task task, struct error *err)
{
    int looks = 0; // since the stop
    pthread_mutex_lock(&m->lock);
    m->task = task;
    pthread_cond_broadcast(&m->changed);
    while (m->task != TASK_NONE && looks <= LOOKS_AFTER_STOP) {
        wait_a_little(m);
        looks += is_stopped(m);
    }
    enum status status = m->task == TASK_NONE ? m->status : refuse_stopped(err);
    if (m->task == TASK_NONE && status != STATUS_OK)
        *err = m->err;
    m->is_broken = status != STATUS_OK;
    pthread_mutex_unlock(&m->lock);
    return status;
}

static enum status perform_sum(struct mpi *m, struct block block, struct error *err)
{
    if (m->is_broken)
        return error_set(err, STATUS_CANCELLED, "the other processes are gone");
    m->block = block;
    return perform(m, TASK_SUM, err);
}

static enum status sum(struct peers *peers, float *block, size_t n, struct error *err)
{
    return perform_sum(peers->context,
                       (struct block){ .at = (char *)block,
                                       .n = n,
                                       .element_bytes = sizeof *block,
                                       .type = MPI_FLOAT,
                                       .add = add_floats },
                       err);
}

static enum status sum_exact(struct peers *peers, double *values, size_t n, struct error *err)
{
    return perform_sum(peers->context,
                       (struct block){ .at = (char *)values,
                                       .n = n,
                                       .element_bytes = sizeof *values,
                                       .type = MPI_DOUBLE,
                                       .add = add_doubles },
                       err);
}

/* Without signals: also SIGPIPE, which a peer that is gone sends to who writes to it. */
static bool start_thread(struct mpi *m)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&m->thread, NULL, speak, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

static void mpi_free(struct mpi *m)
{
    memory_free(m->parts);
    memory_free(m->requests);
    memory_free(m->ranks);
    memory_free(m->finished);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    memory_free(m);
}

enum status peers_mpi_join(struct peers *out, const atomic_int *stop, int64_t silence_ms,
                           struct error *err)
{
    struct mpi *m = memory_zeroed(1, sizeof *m);
    if (!m)
        return error_set(err, STATUS_NO_MEMORY, "no memory to join other processes");
    m->stop = stop;
    m->silence_ms = silence_ms;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->changed, NULL);
    if (!start_thread(m)) {
        mpi_free(m);
        return error_set(err, STATUS_NO_MEMORY, "no thread for MPI");
    }
    enum status status = perform(m, TASK_START, err);
    if (status == STATUS_OK)
        *out = (struct peers){ m->rank, m->count, m, sum, sum_exact };
    return status;
}

/* After an end that is not everyone's, MPI_Finalize would wait for ever, and the thread may still
 * be at work. mpirun waits a second between SIGTERM and SIGKILL, but less when a process ends
 * meanwhile: that second is rank 0's, to save. */
void peers_mpi_leave(struct peers *peers, bool finished)
{
    struct mpi *m = peers->context;
    struct error err;
    if (!finished || m->is_broken) {
        if (m->rank != 0 && is_stopped(m))
            sleep(LINGER_S);
    } else if (perform(m, TASK_FINISH, &err) == STATUS_OK) {
        pthread_join(m->thread, NULL);
        mpi_free(m);
    }
}
