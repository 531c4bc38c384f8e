/*
 * parts.h - the parts of a training's work, for base/stopwatch.h.
 */
#ifndef MODEL_PARTS_H
#define MODEL_PARTS_H

enum model_part {
    PART_OTHER,
    PART_INPUT,      // batches, dropout masks, embeddings
    PART_ENCODER,    // layers over the source
    PART_ATTENTION,  // keys, folded contexts, energies, weights, sums
    PART_RECURRENCE, // the decoder's layers, its start
    PART_OUTPUT,     // readout, logits, loss
    PART_OPTIMIZER,  // sums of gradients, clipping, the step, packing
    PART_COUNT
};

#endif
