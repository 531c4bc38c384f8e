/*
 * journal_row.h - what is stored of a translation, as the columns of its rows.
 *
 * A unit is the rows of one request, in one block of memory: they are queued,
 * written and given up together.
 *
 * Private to server/store.
 */
#ifndef SERVER_STORE_JOURNAL_ROW_H
#define SERVER_STORE_JOURNAL_ROW_H

#include "server/engine/pack.h"
#include "server/store/journal.h"

struct journal_row {
    long long id, model_id;
    long long first_model_id, suggestion_id, key_id; // 0: none
    struct blob source, target, model_source, model_target;
    struct blob source_language, target_language; // of the model, for its words
    int source_length, target_length, beam;
    long long took_us;
    struct packed_hypothesis *hypotheses; // (hypothesis_count)
    int hypothesis_count;
    struct packed_link *links; // (link_count)
    int link_count;
};

struct journal_unit {
    struct journal_unit *next;
    struct journal_stored stored; // whom to tell; on_stored is NULL: nobody
    size_t bytes;                 // of this block
    int row_count;
    struct journal_row *rows; // (row_count) all they point to is in the block
};

/* Everything but the ids. Scratch is rewound; memory_free() the unit. */
MUST_CHECK enum status journal_unit_new(struct journal_unit **out,
                                        const struct journal_entry *entries, int count,
                                        bool keep_text, struct arena *scratch, struct error *err);

/* A copy of the row in an arena; false: it is full. */
MUST_CHECK bool journal_row_copy(const struct journal_row *row, struct arena *arena,
                                 struct journal_row *out);

#endif
