/*
 * shard.h - the sentence pairs of a corpus as ids on disk, read a block at a time.
 *
 *     struct shard_writer *w;
 *     status = shard_writer_open(&w, "en-fr.safetensors.pairs", made_of, &err);
 *     status = shard_writer_add(w, source, source_len, target, target_len, &err);  // as often as needed
 *     status = shard_writer_commit(w, left_out, &err);              // the file is there, whole
 *     shard_writer_close(w);                                        // without commit: nothing happened
 *
 *     struct shard *shard;
 *     status = shard_open(&shard, "en-fr.safetensors.pairs", &err);
 *     for (int i = 0; i < shard_block_count(shard); i++)
 *         status = shard_read(shard, i, &pairs, &err);              // appended
 *     shard_close(shard);
 *
 * Memory is that of one block, whatever the corpus. Format, little-endian:
 *
 *     header  8 bytes "versopr1", or "versopr2" where pairs have links, then 64-bit numbers: pairs, ids, target pieces, blocks,
 *             bad lines, pairs that were too long; 32 bytes made_of, 32 of the index' SHA-256,
 *             32 of the SHA-256 of the header before them
 *     blocks  a pair: 16 bits source length, 16 bits target length, and with links 16 bits their
 *             number; then of all pairs in turn the source's ids and the target's, 32 bits each,
 *             </s> included, and its links as pairs.h says, which count as ids, too
 *     index   a block: 64 bits offset, 32 bits pairs, 32 bits ids, 32 bytes SHA-256
 *
 * A block ends at SHARD_BLOCK_PAIRS or before it would have more than
 * SHARD_BLOCK_IDS. Header and index are checked when a file is opened, a block
 * when it is read. One thread.
 */
#ifndef MODEL_TRAIN_SHARD_H
#define MODEL_TRAIN_SHARD_H

#include "base/hash.h"
#include "model/train/pairs.h"

#define SHARD_BLOCK_PAIRS 4096
#define SHARD_BLOCK_IDS (1 << 19)  // 2 MiB
#define SHARD_BLOCKS_MAX (1 << 20) // and so about 4 thousand million pairs

struct shard_facts {
    int64_t pairs, ids, target_pieces;
    int64_t bad_lines, too_long;   // left out of it
    uint8_t made_of[SHA256_BYTES]; // whatever its maker calls the corpus, vocabulary and options
};

struct shard_block {
    int64_t offset;
    int32_t pairs, ids;
    uint8_t digest[SHA256_BYTES];
};

/* ---- writing ---- */

struct shard_writer;

MUST_CHECK enum status shard_writer_open(struct shard_writer **out, const char *path,
                                         const uint8_t made_of[SHA256_BYTES], struct error *err);
/* Ids come without </s>. STATUS_TOO_LARGE: a side over PAIR_LENGTH_MAX, or SHARD_BLOCKS_MAX. */
MUST_CHECK enum status shard_writer_add(struct shard_writer *w, const int32_t *source,
                                        int source_len, const int32_t *target, int target_len,
                                        struct error *err);
/* The last pair's, each as pair_link says, in the order of the target: of a writer that was told of
 * them before its first pair. STATUS_TOO_LARGE: more than PAIR_LINKS_MAX. */
void shard_writer_expect_links(struct shard_writer *w);
MUST_CHECK enum status shard_writer_add_links(struct shard_writer *w, const int32_t *links,
                                              int count, struct error *err);
MUST_CHECK enum status shard_writer_commit(struct shard_writer *w, int64_t bad_lines,
                                           int64_t too_long, struct error *err);
void shard_writer_close(struct shard_writer *w); // NULL is fine

/* ---- reading ---- */

struct shard;

/* STATUS_NOT_FOUND, or STATUS_BAD_FILE if it is damaged or none of these. */
MUST_CHECK enum status shard_open(struct shard **out, const char *path, struct error *err);
void shard_close(struct shard *shard); // NULL is fine

const struct shard_facts *shard_facts(const struct shard *shard);
void shard_digest(const struct shard *shard, char hex[SHA256_HEX_BYTES]); // of all pairs
int shard_block_count(const struct shard *shard);
const struct shard_block *shard_block(const struct shard *shard, int i);

/* The pairs of a block behind those that are there. STATUS_BAD_FILE: it is damaged. */
MUST_CHECK enum status shard_read(struct shard *shard, int i, struct pairs *pairs,
                                  struct error *err);

#endif
