/*
 * detect_data.h - what "verso detect train" learns from: files of sentences, each with its
 * language, as labelled sequences of letters.
 *
 *     status = detect_files_from_options(&files, o, "train", NULL, &err);     // LANG=FILE ...
 *     status = detect_files_alphabet(&files, &vocabulary, &err);
 *     status = detect_data_read(&data, &files, vocabulary, &options, &err);
 *
 * Every window (letters.h) of a line is a sequence. So that short texts and
 * texts of no language are known too, more are made of them, by chance, but
 * the same for the same seed:
 *
 *     fragments   a few words in a row, of the same language
 *     noise       of no language: letters exchanged for others throughout, put in
 *                 another order, drawn by lot, or taken for letters of another script
 */
#ifndef SERVER_CMD_DETECT_DATA_H
#define SERVER_CMD_DETECT_DATA_H

#include "model/train/pairs.h"
#include "server/cmd/options.h"
#include "server/detect/detector.h"
#include "tokenizer/vocabulary.h"

#define DETECT_PATH_BYTES 4096
#define DETECT_LABEL_BYTES 16
#define DETECT_LABELS_MAX (DETECTOR_LANGUAGES_MAX + 1) // DETECTOR_UNKNOWN among them

struct detect_labels {
    char names[DETECT_LABELS_MAX][DETECT_LABEL_BYTES]; // "en"
    int count;
};

struct detect_file {
    char path[DETECT_PATH_BYTES];
    int column; // of tab-separated ones, from 1
    int label;
};

struct detect_files {
    struct detect_file list[OPTION_LIST_MAX];
    int count;
};

/* Of option `name`, each LANG=FILE or LANG=FILE:COLUMN. New languages are added to the labels if
 * `adds`; otherwise they are STATUS_BAD_USAGE. */
MUST_CHECK enum status detect_files_from_options(struct detect_files *files,
                                                 const struct options *o, const char *name,
                                                 struct detect_labels *labels, bool adds,
                                                 struct error *err);

/* The index of a name; -1: there is none. */
int detect_label_find(const struct detect_labels *labels, const char *name);

struct detect_data_options {
    int64_t sentences; // most lines of a language, an equal share of each of its files
    double fragments;  // for each window, on average
    double noise;      // for each window, on average; 0 if there is no label for it
    int noise_label;   // of DETECTOR_UNKNOWN
    uint64_t seed;
    const char *what; // "training" or "validation", for messages
};

/* The alphabet of all languages but DETECTOR_UNKNOWN's files, of the lines that would be read. */
MUST_CHECK enum status detect_files_alphabet(const struct detect_files *files,
                                             const struct detect_labels *labels, int64_t sentences,
                                             struct vocabulary **out, struct error *err);

struct detect_data {
    struct pairs set;                  // see model/train/classification.h
    int64_t counts[DETECT_LABELS_MAX]; // sequences
    long bad_lines;                    // left out: too few columns or not UTF-8
};

/* STATUS_BAD_INPUT if nothing is left. */
MUST_CHECK enum status detect_data_read(struct detect_data *data, const struct detect_files *files,
                                        const struct vocabulary *vocabulary,
                                        const struct detect_data_options *options,
                                        struct error *err);
void detect_data_release(struct detect_data *data); // {0} is fine

#endif
