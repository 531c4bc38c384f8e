/*
 * wanted.h - phrases that a sentence's translation must contain: which are its own, as pieces, and
 * where they ended up.
 *
 * Private to server/engine.
 */
#ifndef SERVER_ENGINE_WANTED_H
#define SERVER_ENGINE_WANTED_H

#include "server/engine/engine.h"

/* Those of the text's phrases that begin in the sentence; they are looked at from *next on, which
 * then is the first behind it. At most `pieces_max` pieces of them go into the source. */
MUST_CHECK enum status wanted_choose(const struct vocabulary *vocabulary,
                                     const struct engine_text *text, int pieces_max, int *next,
                                     struct arena *arena, struct engine_sentence *sentence,
                                     struct source *source, struct error *err);

/* Sets sentence->phrase_places; its hypotheses and their texts are set. */
MUST_CHECK enum status wanted_find(const struct source *source, struct arena *arena,
                                   struct engine_sentence *sentence, struct error *err);

#endif
