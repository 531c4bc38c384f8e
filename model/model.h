/*
 * model.h - a trained model: its file, its weights ready for inference.
 *
 *     struct model *model;
 *     if (model_load(&model, "en-fr.safetensors", KIND_TRANSLATE, &err) != STATUS_OK) ...
 *     struct translator *tr = translator_new(model, limits, &err);    // model/search/translator.h, per thread
 *     model_free(model);
 *
 * A model never changes after loading: share it between threads. It knows
 * nothing of text: the vocabulary it carries is a text for tokenizer/.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/status.h"
#include "model/classifier.h"
#include "model/config.h"
#include "model/file.h"
#include "model/lm.h"
#include "model/params.h"
#include "model/seq2seq.h"
#include "model/shortlist.h"

struct model;

/* What a file says besides weights; all JSON or TSV texts, borrowed from the model. */
struct model_texts {
    const char *vocabulary; // the format of tokenizer/vocabulary.h
    const char *card; // JSON object: name, source, target, data, licences, scores ...; may be NULL
    const char *labels; // JSON list, the names of a classifier's classes in their order, else NULL
};

/* Matrices are packed as float32, or as `type`. On failure *model is NULL and err says which field of
 * the file is wrong, or that it is a model of another kind. */
MUST_CHECK enum status model_load(struct model **model, const char *path, enum model_kind kind,
                                  struct error *err);
MUST_CHECK enum status model_load_as(struct model **model, const char *path, enum model_kind kind,
                                     enum weight_type type, struct error *err);
MUST_CHECK enum status model_load_any(struct model **model, const char *path, enum weight_type type,
                                      struct error *err);
/* Of any kind, to write it again: all values are there and nothing is packed. */
MUST_CHECK enum status model_load_values(struct model **model, const char *path, struct error *err);
void model_free(struct model *model); // NULL is fine

const struct config *model_config(const struct model *model);
const struct seq2seq *model_seq2seq(const struct model *model);       // of KIND_TRANSLATE
const struct classifier *model_classifier(const struct model *model); // of KIND_CLASSIFY
const struct lm *model_lm(const struct model *model);                 // of KIND_LM
const struct weights *model_weights(const struct model *model);       // packed for this processor
const struct shortlist *model_shortlist(const struct model *model);   // NULL: its file has none
struct model_texts model_texts(const struct model *model);
const char *model_digest(const struct model *model); // 64 hex digits

/* Write a model file. values is a block as params says; matrices are stored as `dtype`, vectors
 * (cols 1) as F32. */
MUST_CHECK enum status model_save(const char *path, const struct config *config,
                                  const struct params *params, const float *values,
                                  enum dtype dtype, const struct model_texts *texts,
                                  struct error *err);

/* Write the model file at `path` to `out` (which may be the same), its tensors byte for byte, with
 * another card or another shortlist; NULL: as it has. */
MUST_CHECK enum status model_rewrite(const char *path, const char *out, const char *card,
                                     const struct shortlist *shortlist, struct error *err);

/* Make a model file of plain tensors named as PyTorch reference runs name them (emb fW fU fb bW bU
 * bb Winit binit Wq Wk bk v dW dU db Wr br bo; gate order i f g o). The tensors keep their dtype's
 * precision. */
MUST_CHECK enum status model_import(const char *weights_path, const struct model_texts *texts,
                                    const char *out_path, struct error *err);
#endif
