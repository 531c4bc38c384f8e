/*
 * piece_stream.h - a text as one long stream of piece ids, on disk and not in memory.
 *
 *     struct piece_stream *stream;
 *     status = piece_stream_open(&stream, "en.safetensors", &err);
 *     status = piece_stream_add(stream, ids, count, &err);      // a line and its </s>, as often as needed
 *     status = piece_stream_finish(stream, &err);
 *     const int32_t *ids = piece_stream_ids(stream);            // (piece_stream_count)
 *     piece_stream_close(stream);
 *
 * The file is made in the folder of what is trained and has no name: nothing is
 * left behind, whatever happens. It is mapped, so the pages in memory are the
 * kernel's to give away. Four bytes a piece. Once finished it may be shared by
 * threads.
 */
#ifndef MODEL_TRAIN_PIECE_STREAM_H
#define MODEL_TRAIN_PIECE_STREAM_H

#include <stdint.h>
#include "base/hash.h"
#include "base/status.h"

struct piece_stream;

MUST_CHECK enum status piece_stream_open(struct piece_stream **out, const char *beside,
                                         struct error *err);
MUST_CHECK enum status piece_stream_add(struct piece_stream *stream, const int32_t *ids, int count,
                                        struct error *err);
MUST_CHECK enum status piece_stream_finish(struct piece_stream *stream, struct error *err);
void piece_stream_close(struct piece_stream *stream); // NULL is fine

int64_t piece_stream_count(const struct piece_stream *stream);
const int32_t *piece_stream_ids(const struct piece_stream *stream);
const char *piece_stream_digest(const struct piece_stream *stream); // SHA-256 of the ids, in hex

#endif
