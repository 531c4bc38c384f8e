/*
 * config.h - what a model is: every choice, its bounds and its JSON, in one place.
 *
 *     struct config config = config_default();
 *     status = config_parse(&config, json, len, &err);        // {"kind":"translate","cell":"lstm",...}
 *     status = config_check(&config, &err);
 *
 * Stored in a model file's metadata under "config".
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/bytes.h"
#include "base/status.h"

struct config {
    int vocabulary; // V: pieces, joint for both languages
    int embedding;  // E; the output matrix is the embedding, so also R
    int hidden;     // H, of each encoder direction and of the decoder
    int attention;  // A
};

#define CONFIG_VOCABULARY_MAX 200000
#define CONFIG_WIDTH_MAX 4096 // most of E, H, A

struct config config_default(void); // V 0 (must be set), E 256, H 512, A 256

/* STATUS_BAD_INPUT naming the field, its value and its bounds. */
MUST_CHECK enum status config_check(const struct config *config, struct error *err);

/* JSON object; unknown keys and kinds this version does not know are STATUS_BAD_INPUT. Checked. */
MUST_CHECK enum status config_parse(struct config *config, const char *json, size_t len,
                                    struct error *err);
MUST_CHECK enum status config_write(const struct config *config, struct bytes *out,
                                    struct error *err);
#endif
