/*
 * alphabet.h - the letters that a detector knows, as a vocabulary, and letters to ids.
 *
 *     struct alphabet_learner *learner;
 *     status = alphabet_learner_new(&learner, languages, &err);
 *     alphabet_learner_add(learner, &letters, language);             // each text
 *     status = alphabet_learner_finish(learner, &vocabulary, &err);
 *     alphabet_learner_free(learner);
 *
 *     alphabet_ids(vocabulary, &letters, from, to, ids);
 *
 * A letter is known if it is at least one of ALPHABET_RARE letters of some
 * language. All others share the id of <unk>, whatever their script: that a
 * text has many of them is what is to be learnt of them.
 */
#ifndef SERVER_DETECT_ALPHABET_H
#define SERVER_DETECT_ALPHABET_H

#include "server/detect/letters.h"
#include "tokenizer/vocabulary.h"

#define ALPHABET_RARE 50000
#define ALPHABET_SPACE 260 // its id; those of the letters follow

struct alphabet_learner;

MUST_CHECK enum status alphabet_learner_new(struct alphabet_learner **out, int languages,
                                            struct error *err);
void alphabet_learner_free(struct alphabet_learner *learner); // NULL is fine
void alphabet_learner_add(struct alphabet_learner *learner, const struct letters *letters,
                          int language);
MUST_CHECK enum status alphabet_learner_finish(const struct alphabet_learner *learner,
                                               struct vocabulary **out, struct error *err);

/* ids has room for to - from. */
void alphabet_ids(const struct vocabulary *vocabulary, const struct letters *letters, int from,
                  int to, int32_t *ids);

#endif
