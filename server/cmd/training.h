/*
 * training.h - what "verso train", "verso lm train" and "verso detect train" share: options,
 * files, signals, the ranks of mpirun, what is said and logged, and the model that is kept.
 *
 *     static const struct option_spec specs[] = { { "corpus", ... }, TRAINING_OPTIONS, { 0 } };
 *
 *     struct my_training { struct training training; ... };            // begins with it
 *
 *     static enum status train(void *command, const struct options *o, struct error *err)
 *     {
 *         struct my_training *c = command;
 *         status = training_begin(&c->training, o, err);   // options, files can be written
 *         ...                                              // data, vocabulary, card, the task
 *         return training_run(&c->training, task, err);    // resume, train, keep the best model
 *     }
 *     return training_command(o, sizeof(struct my_training), train, release);
 *
 * Ctrl-C and SIGTERM finish the update under way, save and leave with 130 and
 * 143; a second one kills at once. Before training_run the first one kills.
 *
 */
#ifndef SERVER_CMD_TRAINING_H
#define SERVER_CMD_TRAINING_H

#include "base/bytes.h"
#include "base/json.h"
#include "model/file.h"
#include "model/train/trainer.h"
#include "server/cmd/corpora.h"
#include "server/cmd/options.h"
#include "server/cmd/progress.h"
#include "server/cmd/run_log.h"
#include "tokenizer/vocabulary.h"

#define TRAINING_PATH_BYTES 4096
#define TRAINING_TEXT_BYTES_MAX (64u << 20) // of a vocabulary or a card

struct training {
    /* from the command line */
    struct trainer_options trainer;
    const char *out;
    bool resume;
    enum dtype store;
    struct peers peers;

    /* the command's, before training_run */
    struct bytes vocabulary; // text: kept in checkpoint and model
    const char *labels;      // JSON list of a classifier's classes, else NULL; borrowed
    json_t *card;            // what the command says of the model; facts and --card are put over it
    /* Another measure of the weights than their loss; NULL: none. */
    enum status (*measure)(void *context, const struct training_validation *validation,
                           double *bleu, struct error *err);
    /* Changes the first weights of a training that does not go on from another; NULL: stays. */
    enum status (*change_first_values)(void *context, real *values, struct error *err);
    void *context; // of both

    /* while it runs */
    struct task *task;
    json_t *given_card; // of --card, or NULL
    const char *log_path;
    struct run_log *log; // NULL: none is wanted, or it could not be written
    const char *trace_path;
    struct run_log *trace; // NULL as log
    struct progress progress;
    double bleu;                      // of the last validation, NaN without
    double mean_loss;                 // running, of the updates
    double recent_rate;               // pieces a second
    int64_t recent_ms, recent_pieces; // when recent_rate was taken
    int64_t update_ns;                // when the last update ended
    char checkpoint[TRAINING_PATH_BYTES];
};

/* Under mpirun this joins the other ranks. */
MUST_CHECK enum status training_begin(struct training *t, const struct options *o,
                                      struct error *err);
MUST_CHECK enum status training_run(struct training *t, struct task *task, struct error *err);
/* The whole command, in `bytes` of zeroed memory. What the program exits with. */
int training_command(const struct options *o, size_t bytes,
                     enum status (*run)(void *command, const struct options *o, struct error *err),
                     void (*release)(void *command));

/* Of a command that has TRACE_OPTIONS: gradients by distance in time are written, see run_log.h. */
void training_trace(struct training *t, const struct options *o);

/* The vocabulary that a training which is resumed began with. */
MUST_CHECK enum status training_resumed_vocabulary(const struct training *t,
                                                   struct vocabulary **out, struct error *err);

/* That one, else the one at `path`, else (NULL) one learnt from the corpora: size and characters of
 * `learn` are the command's. Its text becomes t->vocabulary. */
MUST_CHECK enum status training_vocabulary(struct training *t, const char *path,
                                           struct corpora *corpora, struct learn_options learn,
                                           struct vocabulary **out, struct error *err);

/* Of all ranks the first alone speaks. */
static inline bool training_speaks(const struct training *t)
{
    return t->peers.rank == 0;
}

/* Write the weights as a model file with card and vocabulary. */
MUST_CHECK enum status training_save_model(const struct training *t,
                                           const struct training_validation *validation,
                                           const char *path, struct error *err);

/* Whether a file can be written there, before hours of training. */
MUST_CHECK enum status training_check_writable(const char *path, struct error *err);

/* clang-format off */
#define TRAINING_OPTIONS                                                                            \
    { "out", OPTION_TEXT, .letter = 'o', .value = "FILE",                                           \
      .help = "model file to write whenever validation gets better" },                              \
    { "store", OPTION_TEXT, .value = "TYPE", .fallback = "bf16",                                    \
      .help = "how matrices are stored: f32, f16, bf16 or i8" },                                    \
    { "card", OPTION_TEXT, .value = "FILE",                                                         \
      .help = "JSON object to put into the model's card: data, licences and the like" },            \
    { "log", OPTION_TEXT, .value = "FILE",                                                          \
      .help = "write each update and validation there, one JSON object a line" },                   \
    { "dropout", OPTION_REAL, .value = "P", .fallback = "0.2", .min = 0, .max = 0.9,                \
      .help = "share of values dropped" },                                                          \
    { "rate", OPTION_REAL, .value = "R", .fallback = "0.001", .min = 1e-9, .max = 1,                \
      .help = "learning rate of Adam" },                                                            \
    { "warmup", OPTION_INT, .value = "N", .fallback = "500", .min = 0, .max = 1e9,                  \
      .help = "updates until the rate is reached" },                                                \
    { "decay", OPTION_REAL, .value = "F", .fallback = "0.6", .min = 0.01, .max = 1,                 \
      .help = "factor of the rate after a validation that is no better" },                          \
    { "cooldown", OPTION_REAL, .value = "N", .fallback = "0", .min = 0, .max = 1e6,                 \
      .help = "epochs at the end over which the rate falls to nothing; 0: none" },                  \
    { "clip", OPTION_REAL, .value = "N", .fallback = "1", .min = 0, .max = 1e9,                     \
      .help = "greatest norm of the gradient; 0: no limit" },                                       \
    { "epochs", OPTION_INT, .value = "N", .fallback = "30", .min = 1, .max = 1e6,                   \
      .help = "times through the training data, at most" },                                         \
    { "patience", OPTION_INT, .value = "N", .fallback = "5", .min = 0, .max = 1e6,                  \
      .help = "end after so many validations in a row that are no better; 0: never" },              \
    { "validate-every", OPTION_INT, .value = "N", .fallback = "0", .min = 0, .max = 1e15,           \
      .help = "updates between validations; 0: at the end of each epoch" },                         \
    { "checkpoint", OPTION_TEXT, .value = "FILE",                                                   \
      .help = "where the training is saved; OUT.checkpoint by default" },                           \
    { "checkpoint-every", OPTION_INT, .value = "N", .fallback = "1000", .min = 0, .max = 1e15,      \
      .help = "updates between savings, besides each validation; 0: none" },                        \
    { "precision", OPTION_TEXT, .value = "TYPE", .fallback = "f32",                                 \
      .help = "of the matrix products: f32, or bf16 where the processor has it (weights and sums "  \
              "stay f32)" },                                                                        \
    { "resume", OPTION_FLAG, .help = "go on from the checkpoint as if it had never stopped" },      \
    { "threads", OPTION_INT, .environment = true, .value = "N", .min = 1,                           \
      .max = TRAINER_THREADS_MAX, .help = "threads; by default one a core" },                       \
    { "seed", OPTION_INT, .value = "N", .fallback = "1", .min = 0, .max = 9e15,                     \
      .help = "the same seed and threads give the same model" }
#define TRACE_OPTIONS                                                                               \
    { "trace-gradients", OPTION_TEXT, .value = "FILE",                                              \
      .help = "write there how gradients fade or grow on their way back in time, one JSON object "  \
              "a line" },                                                                           \
    { "trace-every", OPTION_INT, .value = "N", .fallback = "100", .min = 1, .max = 1e15,            \
      .help = "updates between two of those lines; the first is of update 1" }
/* clang-format on */

#endif
