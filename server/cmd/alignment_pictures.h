/*
 * alignment_pictures.h - how attention forms while a model trains: a few validation pairs, drawn at
 * each validation.
 *
 *     status = alignment_pictures_init(&pictures, "pictures", vocabulary, &data.pairs, "en", "fr", &err);
 *     alignment_pictures_draw(&pictures, "en-fr.safetensors.candidate", updates);
 *     alignment_pictures_release(&pictures);
 *
 * The pairs are the same in every training with this data. The model follows
 * their given targets, so that pictures of different updates have the same rows
 * and columns: pictures/sentence-1-update-00000400.svg.
 */
#ifndef SERVER_CMD_ALIGNMENT_PICTURES_H
#define SERVER_CMD_ALIGNMENT_PICTURES_H

#include "base/arena.h"
#include "model/train/pairs.h"
#include "tokenizer/vocabulary.h"

#define ALIGNMENT_PICTURES 5

struct alignment_pictures {
    const char *folder;
    const struct vocabulary *vocabulary;
    const char *source_language, *target_language;
    const char *sources[ALIGNMENT_PICTURES], *targets[ALIGNMENT_PICTURES]; // (count), in texts
    int count;
    struct arena texts;
    bool given_up; // they cannot be drawn: it has been said
};

/* Makes the folder if it is not there. All but the pairs is borrowed until the release. */
MUST_CHECK enum status alignment_pictures_init(struct alignment_pictures *p, const char *folder,
                                               const struct vocabulary *vocabulary,
                                               const struct pairs *pairs,
                                               const char *source_language,
                                               const char *target_language, struct error *err);
void alignment_pictures_release(struct alignment_pictures *p); // {0} is fine

/* A training does not end because of a picture: what goes wrong is said once on standard error. */
void alignment_pictures_draw(struct alignment_pictures *p, const char *model_path, int64_t updates);

#endif
