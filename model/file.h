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
 * file or HEADER_BYTES_MAX, JSON that is not the format's, tensors that are
 * neither matrices nor vectors, shapes whose product does not match the bytes,
 * offsets with gaps or overlaps or beyond the end, dtypes other than F32 F16
 * BF16 I8 I32, and a digest that is missing or does not match where the metadata
 * says "format": FILE_FORMAT (there it is required) or has a "digest" at all.
 * The digest is the SHA-256 of the whole file with its own 64 hex digits read
 * as '0'. An I8 tensor NAME of (rows, cols) has its float32 scale a row in a
 * tensor NAME.scale (rows). I32 tensors are vectors of integers, never weights.
 * Nothing is assumed about the alignment of a tensor in the file. An open file
 * may be shared between threads once it is verified.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

#define HEADER_BYTES_MAX (64 << 20)
#define FILE_TENSORS_MAX 1024
#define FILE_FORMAT "verso-1" // metadata "format" of the files we write

enum dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_I8, DTYPE_I32 };

struct tensor_info {
    const char *name; // borrowed until close
    enum dtype dtype;
    int rows, cols; // cols is 1 for a vector
};

struct tensor_file;

MUST_CHECK enum status tensor_file_open(struct tensor_file **out, const char *path,
                                        struct error *err);
/* Everything but the digest is checked: that is computed by a thread of its own while the file is
 * read. What was read counts only once tensor_file_verify has said that the digest is right; what
 * goes wrong before may be the damage. */
MUST_CHECK enum status tensor_file_open_unverified(struct tensor_file **out, const char *path,
                                                   struct error *err);
MUST_CHECK enum status tensor_file_verify(struct tensor_file *file, struct error *err);
void tensor_file_close(struct tensor_file *file); // NULL is fine

int tensor_file_count(const struct tensor_file *file); // tensors, scales included
struct tensor_info tensor_file_info(const struct tensor_file *file, int i); // in file order
const void *tensor_file_bytes(const struct tensor_file *file, int i);       // of any alignment
bool tensor_file_find(const struct tensor_file *file, const char *name, struct tensor_info *info);
/* A metadata text, NULL if absent; borrowed until close. */
const char *tensor_file_text(const struct tensor_file *file, const char *key);
const char *tensor_file_digest(const struct tensor_file *file); // verified, 64 hex digits

/* STATUS_BAD_FILE if the tensor is absent or has another shape (both are named). */
MUST_CHECK enum status tensor_file_check(const struct tensor_file *file, const char *name, int rows,
                                         int cols, struct error *err);
/* Values as float32, whatever the dtype but I32. A vector is rows x 1. Checked as above. */
MUST_CHECK enum status tensor_file_read(const struct tensor_file *file, const char *name, int rows,
                                        int cols, float *values, struct error *err);
/* Rows of a tensor that tensor_file_check has found right. */
void tensor_file_rows(const struct tensor_file *file, const char *name, int from, int count,
                      float *values);
/* Of an I32 vector; checked as above. */
MUST_CHECK enum status tensor_file_integers(const struct tensor_file *file, const char *name,
                                            int rows, int32_t *values, struct error *err);

/* ---- writing ---- */

struct tensor_writer;

/* Texts and tensors are declared, then written in one go by commit; tensor names and values are
 * borrowed until then. "format" and "digest" are put in by commit. Written to a temporary name,
 * synced, renamed. */
MUST_CHECK enum status tensor_writer_new(struct tensor_writer **out, struct error *err);
MUST_CHECK enum status tensor_writer_text(struct tensor_writer *w, const char *key,
                                          const char *text, struct error *err);
/* Rounds to nearest even. cols 1 is written as a vector. Of any dtype but I32. */
MUST_CHECK enum status tensor_writer_tensor(struct tensor_writer *w, const char *name, int rows,
                                            int cols, enum dtype dtype, const float *values,
                                            struct error *err);
/* As it stands in memory, or in another file: scales of I8 tensors are tensors of their own. */
MUST_CHECK enum status tensor_writer_bytes(struct tensor_writer *w, const char *name, int rows,
                                           int cols, enum dtype dtype, const void *bytes,
                                           struct error *err);
/* STATUS_BAD_INPUT naming the tensor if a dtype cannot hold its values: F16 a finite one above
 * 65504, I8 one that is not finite. */
MUST_CHECK enum status tensor_writer_commit(struct tensor_writer *w, const char *path,
                                            struct error *err);
void tensor_writer_free(struct tensor_writer *w); // NULL is fine

#endif
