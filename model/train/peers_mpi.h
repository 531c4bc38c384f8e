/*
 * peers_mpi.h - peers over Open MPI, for a program that mpirun started.
 */
#ifndef MODEL_TRAIN_PEERS_MPI_H
#define MODEL_TRAIN_PEERS_MPI_H

#include <stdint.h>
#include "model/train/peers.h"

/* After so long without a word from a rank it counts as gone. Generous, because a validation of
 * rank 0 is silence as well: a process that dies and a machine that is lost are noticed, much
 * sooner, by mpirun, which then ends the others. */
#define PEERS_SILENCE_MS (60 * 60 * 1000)

MUST_CHECK enum status peers_mpi_join(struct peers *out, const atomic_int *stop, int64_t silence_ms,
                                      struct error *err);
void peers_mpi_leave(struct peers *peers, bool finished);

#endif
