/*
 * config.h - what a model is: every choice, its bounds and its JSON, in one place.
 *
 *     struct config config = config_default(KIND_TRANSLATE);
 *     status = config_parse(&config, json, len, &err);        // {"kind":"translate","cell":"lstm",...}
 *     status = config_check(&config, &err);
 *
 * Stored in a model file's metadata under "config". A field that a kind does
 * not have is 0 and is not written.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/bytes.h"
#include "base/status.h"

enum model_kind {
    KIND_TRANSLATE, // seq2seq.h
    KIND_LM,        // lm.h
    KIND_CLASSIFY,  // classifier.h
};

/* What they compute: layers/cell.h. */
enum cell_kind {
    CELL_RNN,
    CELL_RNN_LOGISTIC,
    CELL_LSTM,
    CELL_PEEPHOLE,
    CELL_GRU,
    CELL_GRU_UNBIASED,
};

/* How the lowest encoder layer reads; those above it read forward unless it is reversed. */
enum encoder_kind {
    ENCODER_BIDIRECTIONAL,  // both ways, Bahdanau 2015
    ENCODER_UNIDIRECTIONAL, // from the first piece to the last
    ENCODER_REVERSED,       // from the last piece to the first, Sutskever 2014
};

enum attention_kind {
    ATTENTION_BAHDANAU,
    ATTENTION_NONE, // the decoder starts from the encoder's last state, Sutskever 2014
};

struct config {
    enum model_kind kind;
    enum cell_kind cell;
    enum encoder_kind encoder;
    enum attention_kind attention_kind;
    int vocabulary;     // V: pieces, joint for both languages
    int embedding;      // E; the output matrix is the embedding, so also R
    int hidden;         // H, of each encoder direction, of the decoder, of every layer
    int attention;      // A
    int encoder_layers; // of a translator and of a classifier
    int decoder_layers; // of a translator and of a language model
    int classes;        // of a classifier
};

#define CONFIG_VOCABULARY_MAX 200000
#define CONFIG_WIDTH_MAX 4096 // most of E, H, A
#define CONFIG_LAYERS_MAX 8   // of each side
#define CONFIG_CLASSES_MAX 1000

/* V 0 (must be set), E 256, H 512, A 256, one layer a side, LSTM, bidirectional, Bahdanau. */
struct config config_default(enum model_kind kind);

/* STATUS_BAD_INPUT naming the field, its value and its bounds. */
MUST_CHECK enum status config_check(const struct config *config, struct error *err);

/* JSON object; unknown keys and choices this version does not know are STATUS_BAD_INPUT. Checked. */
MUST_CHECK enum status config_parse(struct config *config, const char *json, size_t len,
                                    struct error *err);
MUST_CHECK enum status config_write(const struct config *config, struct bytes *out,
                                    struct error *err);

/* The words of a choice ("cell", "encoder", "attention_kind"), in the order of their enum, ended by
 * NULL; for options and messages. */
const char *const *config_choices(const char *name);

#endif
