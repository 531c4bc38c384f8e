/*
 * file.h - tensors and texts in one .safetensors file, checked before use.
 *
 *     struct tensor_file *file;
 *     if (tensor_file_open(&file, "en-fr.safetensors", &err) != STATUS_OK) ...
 *     const char *config = tensor_file_text(file, "config");
 *     status = tensor_file_read(file, "embedding", rows, cols, values, &err);   // as float
 *     tensor_file_close(file);
 *
 * The format: 8 bytes little-endian header length, a JSON header, then the
 * tensors. Mapped read-only. Refused with a sentence: a header longer than the
 * file or HEADER_BYTES_MAX, JSON that is not the format's, shapes whose
 * product does not match the bytes, offsets with gaps or overlaps or beyond the
 * end, dtypes other than F32 F16 BF16 I8, and - when the metadata has a
 * "digest" - a digest that does not match. The digest is the SHA-256 of the
 * whole file with its own 64 hex digits read as '0'. An I8 tensor NAME of
 * (rows, cols) has its float32 scale a row in a tensor NAME.scale (rows).
 * Nothing is assumed about the alignment of a tensor in the file.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include <stddef.h>
#include "base/status.h"

#define HEADER_BYTES_MAX (64 << 20)

enum dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_I8 };

struct tensor_file;

MUST_CHECK enum status tensor_file_open(struct tensor_file **out, const char *path,
                                        struct error *err);
void tensor_file_close(struct tensor_file *file);                // NULL is fine

int tensor_file_count(const struct tensor_file *file);           // tensors
const char *tensor_file_name(const struct tensor_file *file, int i);
/* A metadata text, NULL if absent; borrowed until close. */
const char *tensor_file_text(const struct tensor_file *file, const char *key);
const char *tensor_file_digest(const struct tensor_file *file);  // of the file, 64 hex digits

/* Values as float32, whatever the dtype. A vector is rows x 1. STATUS_BAD_FILE if the tensor is
 * absent or has another shape (both are named). */
MUST_CHECK enum status tensor_file_read(const struct tensor_file *file, const char *name, int rows,
                                        int cols, float *values, struct error *err);

/* ---- writing ---- */

struct tensor_writer;

/* Texts and tensors are declared, then written in one go by commit; names and values are borrowed
 * until then. Written to a temporary name, synced, renamed; the digest is put in. */
MUST_CHECK enum status tensor_writer_new(struct tensor_writer **out, struct error *err);
MUST_CHECK enum status tensor_writer_text(struct tensor_writer *w, const char *key,
                                          const char *text, struct error *err);
MUST_CHECK enum status tensor_writer_tensor(struct tensor_writer *w, const char *name, int rows,
                                            int cols, enum dtype dtype, const float *values,
                                            struct error *err);
MUST_CHECK enum status tensor_writer_commit(struct tensor_writer *w, const char *path,
                                            struct error *err);
void tensor_writer_free(struct tensor_writer *w);                // NULL is fine

#endif
