/*
 * picture.h - pictures as files, for the commands that draw.
 *
 *     status = picture_of_sentence("chat.svg", vocabulary, text, &answer.sentences[0], &how, &arena,
 *                                  &err);
 */
#ifndef SERVER_CMD_PICTURE_H
#define SERVER_CMD_PICTURE_H

#include "base/bytes.h"
#include "server/engine/engine.h"
#include "server/render/render.h"

struct picture_options {
    const char *source_language, *target_language; // "" if not known
    struct render_options render;
};

/* The alignment of a sentence's best translation in the form that the path ends in. `text` is what
 * was translated. */
MUST_CHECK enum status picture_of_sentence(const char *path, const struct vocabulary *vocabulary,
                                           const char *text, const struct engine_sentence *sentence,
                                           const struct picture_options *options,
                                           struct arena *arena, struct error *err);

/* The file is replaced whole or not at all. */
MUST_CHECK enum status picture_save(const char *path, const struct bytes *picture,
                                    struct error *err);

#endif
