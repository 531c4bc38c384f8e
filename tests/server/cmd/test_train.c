/*
 * test_train.c - verso-train as a person starts it, on a corpus of a few words.
 */
#include "tests/server/cmd/train_program.h"

#include <sys/resource.h>

#include "model/model.h"
#include "server/cmd/run_log.h"
#include "tokenizer/vocabulary.h"

START_TEST(a_training_writes_a_model_with_its_card)
{
    struct model *model;
    struct error err;
    begin();
    ck_assert_msg(train(in_folder("m"), "--epochs", "2") == EXIT_OK, "%s", told);
    assert_told("training: 240 pairs");
    assert_told("validation: 24 pairs");
    assert_told("validation loss");
    assert_told("BLEU");
    assert_ok(model_load(&model, in_folder("m"), KIND_TRANSLATE, &err), err);
    const char *card = model_texts(model).card;
    ck_assert_msg(strstr(card, "\"name\":\"en-fr\"") && strstr(card, "\"files\":[\"train.tsv\"]") &&
                      strstr(card, "\"validation_loss\"") && !strstr(card, folder),
                  "%s", card);
    ck_assert_int_eq(model_config(model)->hidden, 8);
    ck_assert_int_ne(access(in_folder("m.candidate"), F_OK), 0);
    model_free(model);
    remove_folder(folder);
}
END_TEST

static int files_in(const char *path, const char *name)
{
    int count = 0;
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strncmp(entry->d_name, name, strlen(name)) == 0;
    closedir(dir);
    return count;
}

START_TEST(at_each_validation_the_alignments_of_the_same_five_pairs_are_drawn)
{
    begin();
    ck_assert_msg(train(in_folder("m"), "--epochs", "2", "--bleu-sentences", "0", "--pictures",
                        in_folder("pictures")) == EXIT_OK,
                  "%s", told);
    const int validations = files_in(in_folder("pictures"), "sentence-1-update-");
    ck_assert_int_ge(validations, 2);
    ck_assert_int_eq(files_in(in_folder("pictures"), "sentence-"), 5 * validations);
    ck_assert_int_ne(access(in_folder("m.candidate"), F_OK), 0);
    remove_folder(folder);
}
END_TEST

START_TEST(pictures_that_can_go_nowhere_are_said_before_the_training)
{
    begin();
    ck_assert_int_eq(
        train(in_folder("m"), "--epochs", "1", "--pictures", in_folder("train.tsv/pictures")),
        EXIT_FAILED);
    assert_told("no pictures can be put into");
    remove_folder(folder);
}
END_TEST

START_TEST(what_the_card_option_gives_is_in_the_card)
{
    struct model *model;
    struct error err;
    begin();
    FILE *file = fopen(in_folder("card.json"), "w");
    fputs("{\"name\": \"toy\", \"licence\": \"none\"}", file);
    fclose(file);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1", "--card", in_folder("card.json")),
                     EXIT_OK);
    assert_ok(model_load(&model, in_folder("m"), KIND_TRANSLATE, &err), err);
    const char *card = model_texts(model).card;
    ck_assert_msg(strstr(card, "\"name\":\"toy\"") && strstr(card, "\"licence\":\"none\"") &&
                      strstr(card, "\"source\":\"en\""),
                  "%s", card);
    model_free(model);
    remove_folder(folder);
}
END_TEST

/* ---- stopping ---- */

static const int signals[] = { SIGTERM, SIGINT };

START_TEST(a_signal_saves_and_resume_gives_the_same_bytes)
{
    begin();
    ck_assert_int_eq(train(in_folder("straight"), "--epochs", "6"), EXIT_OK);
    int stops = 0, code = -1;
    for (int tries = 0; tries < 50 && code != EXIT_OK; tries++) {
        pid_t pid = start_training(in_folder("broken"), "--epochs", "6", "--checkpoint-every", "3",
                                   stops > 0 ? "--resume" : NULL, NULL);
        /* Into the training, not before it: the checkpoint's time changes. */
        struct stat before = { 0 }, now = { 0 };
        stat(in_folder("broken.checkpoint"), &before);
        for (int i = 0;
             i < 1000 && waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOHANG | WNOWAIT) == 0; i++) {
            pause_ms(2);
            if (stat(in_folder("broken.checkpoint"), &now) == 0 &&
                (now.st_ino != before.st_ino || now.st_mtim.tv_nsec != before.st_mtim.tv_nsec))
                break;
        }
        kill(pid, signals[_i]);
        code = finish(pid);
        if (code != EXIT_OK) {
            ck_assert_msg(code == 128 + signals[_i], "%d: %s", code, told);
            assert_told("--resume");
            stops++;
        }
    }
    ck_assert_int_eq(code, EXIT_OK);
    ck_assert_int_ge(stops, 1);
    assert_same_tensors(in_folder("straight"), in_folder("broken"));
    assert_same_tensors(in_folder("straight.checkpoint"), in_folder("broken.checkpoint"));
    remove_folder(folder);
}
END_TEST

/* Threads of a process that would run a handler of SIGTERM, of *all. */
static int threads_open_to_sigterm(pid_t pid, int *all)
{
    char path[300], line[256];
    int open_count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    ck_assert_ptr_nonnull(tasks);
    *all = 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, task->d_name);
        FILE *status = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        unsigned long long blocked;
        while (status && fgets(line, sizeof line, status)) {
            if (sscanf(line, "SigBlk: %llx", &blocked) == 1) {
                open_count += (blocked >> (SIGTERM - 1) & 1) == 0;
                ++*all;
            }
        }
        if (status)
            fclose(status);
    }
    closedir(tasks);
    return open_count;
}

/* A handler in the middle of a library's float32 product once damaged the heap. */
START_TEST(threads_that_compute_take_no_signals)
{
    begin();
    pid_t pid = start_training(in_folder("m"), "--epochs", "100000", "--checkpoint-every", "3",
                               "--patience", "0", "--threads", "2", NULL);
    for (int i = 0; i < 5000 && access(in_folder("m.checkpoint"), F_OK) != 0; i++)
        pause_ms(2);
    int all;
    ck_assert_int_le(threads_open_to_sigterm(pid, &all), 1);
    ck_assert_int_ge(all, 3);
    kill(pid, SIGTERM);
    ck_assert_int_eq(finish(pid), 128 + SIGTERM);
    remove_folder(folder);
}
END_TEST

START_TEST(an_earlier_training_is_not_overwritten)
{
    begin();
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_OK);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_USAGE);
    assert_told("--resume");
    assert_told(in_folder("m.checkpoint"));
    remove_folder(folder);
}
END_TEST

START_TEST(resuming_with_other_options_names_the_difference)
{
    begin();
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_OK);
    ck_assert_int_eq(train(in_folder("m"), "--resume", "--rate", "0.01"), EXIT_BAD_INPUT);
    assert_told("rate 0.001");
    remove_folder(folder);
}
END_TEST

START_TEST(resuming_what_is_not_there_is_refused)
{
    begin();
    ck_assert_int_eq(train(in_folder("m"), "--resume"), EXIT_NOT_FOUND);
    assert_told(in_folder("m.checkpoint"));
    remove_folder(folder);
}
END_TEST

START_TEST(a_damaged_checkpoint_is_refused)
{
    begin();
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_OK);
    ck_assert_int_eq(truncate(in_folder("m.checkpoint"), 30000), 0);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "2", "--resume"), EXIT_BAD_FILE);
    assert_told(in_folder("m.checkpoint"));
    remove_folder(folder);
}
END_TEST

START_TEST(resuming_with_other_data_is_refused)
{
    begin();
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_OK);
    write_corpus(in_folder("train.tsv"), 240, 77, NULL);
    ck_assert_int_eq(train(in_folder("m"), "--resume"), EXIT_BAD_INPUT);
    assert_told("training data");
    remove_folder(folder);
}
END_TEST

/* ---- the file of training pairs ---- */

/* Trains until there is a checkpoint of this run, and stops it. */
static void train_and_stop(const char *more)
{
    struct stat before = { 0 }, now;
    stat(in_folder("m.checkpoint"), &before);
    pid_t pid = start_training(in_folder("m"), "--epochs", "100000", "--checkpoint-every", "3",
                               "--patience", "0", more, NULL);
    for (int i = 0; i < 10000; i++) {
        if (stat(in_folder("m.checkpoint"), &now) == 0 && now.st_ino != before.st_ino)
            break;
        pause_ms(2);
    }
    kill(pid, SIGTERM);
    ck_assert_msg(finish(pid) == 128 + SIGTERM, "%s", told);
}

static ino_t file_number(const char *path)
{
    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    return info.st_ino;
}

START_TEST(pairs_are_kept_for_the_next_run_and_removed_at_the_end)
{
    begin();
    train_and_stop(NULL);
    const ino_t made = file_number(in_folder("m.pairs"));
    train_and_stop("--resume");
    ck_assert(file_number(in_folder("m.pairs")) == made);
    ck_assert_msg(train(in_folder("m"), "--epochs", "1", "--resume") == EXIT_OK, "%s", told);
    ck_assert_int_ne(access(in_folder("m.pairs"), F_OK), 0);
    remove_folder(folder);
}
END_TEST

START_TEST(pairs_that_are_damaged_or_missing_are_made_again)
{
    begin();
    train_and_stop(NULL);
    if (_i == 0)
        ck_assert_int_eq(truncate(in_folder("m.pairs"), 1000), 0);
    else
        ck_assert_int_eq(unlink(in_folder("m.pairs")), 0);
    train_and_stop("--resume");
    assert_told("training: 240 pairs");
    ck_assert_int_eq(access(in_folder("m.pairs"), F_OK), 0);
    remove_folder(folder);
}
END_TEST

START_TEST(gradients_are_traced_without_changing_the_training)
{
    char line[RUN_LOG_LINE_MAX], wanted[64];
    begin();
    ck_assert_int_eq(train(in_folder("plain"), "--epochs", "2"), EXIT_OK);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1", "--trace-gradients", in_folder("g"),
                           "--trace-every", "4"),
                     EXIT_OK);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "2", "--resume", "--trace-gradients",
                           in_folder("g"), "--trace-every", "4"),
                     EXIT_OK);
    assert_same_tensors(in_folder("plain"), in_folder("m"));
    FILE *file = fopen(in_folder("g"), "r");
    ck_assert_ptr_nonnull(file);
    int count = 0;
    for (; fgets(line, sizeof line, file); count++) {
        snprintf(wanted, sizeof wanted, "{\"update\":%d,\"gradient_norms\":[", 1 + 4 * count);
        ck_assert_msg(strncmp(line, wanted, strlen(wanted)) == 0, "%s", line);
        ck_assert_ptr_nonnull(strchr(line, ','));
    }
    ck_assert_int_ge(count, 6);
    fclose(file);
    remove_folder(folder);
}
END_TEST

/* ---- data ---- */

START_TEST(a_bad_line_is_left_out_and_said_once)
{
    begin();
    write_corpus(in_folder("train.tsv"), 240, 1, "there is no tab here");
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_OK);
    assert_told("train.tsv:7: ");
    assert_told("240 pairs");
    assert_told("1 bad lines left out");
    const char *first = strstr(told, "train.tsv:7: ");
    ck_assert_ptr_null(strstr(first + 1, "train.tsv:7: "));
    remove_folder(folder);
}
END_TEST

START_TEST(a_bad_line_is_refused_if_wanted)
{
    begin();
    write_corpus(in_folder("train.tsv"), 240, 1, "there is\ta\ttab too many");
    ck_assert_int_eq(train(in_folder("m"), "--on-bad-line", "refuse"), EXIT_BAD_INPUT);
    assert_told("train.tsv:7: ");
    remove_folder(folder);
}
END_TEST

START_TEST(an_empty_corpus_is_refused)
{
    begin();
    write_corpus(in_folder(_i == 0 ? "train.tsv" : "valid.tsv"), 0, 1, NULL);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_BAD_INPUT);
    assert_told(_i == 0 ? "no line to learn a vocabulary from" : "no sentence pair");
    remove_folder(folder);
}
END_TEST

START_TEST(long_pairs_are_left_out_and_counted)
{
    begin();
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1", "--max-pieces", "4"), EXIT_OK);
    assert_told("pairs longer than 4 pieces left out");
    remove_folder(folder);
}
END_TEST

START_TEST(parallel_files_and_the_other_direction_work)
{
    begin();
    char both[300], command[600];
    snprintf(command, sizeof command, "cd %s && cut -f1 train.tsv >t.en && cut -f2 train.tsv >t.fr",
             folder);
    ck_assert_int_eq(system(command), 0);
    snprintf(both, sizeof both, "%s/t.en,%s/t.fr", folder, folder);
    char *const arguments[] = { PROGRAM,
                                "train",
                                "--source",
                                "fr",
                                "--target",
                                "en",
                                "--swap",
                                "--train",
                                both,
                                "--valid",
                                (char *)in_folder("valid.tsv"),
                                "--out",
                                (char *)in_folder("m"),
                                "--embedding",
                                "8",
                                "--hidden",
                                "8",
                                "--epochs",
                                "1",
                                "--vocab-size",
                                "280",
                                NULL };
    ck_assert_msg(finish(start(arguments)) == EXIT_OK, "%s", told);
    assert_told("240 pairs");
    remove_folder(folder);
}
END_TEST

/* ---- mistakes and disks ---- */

START_TEST(a_missing_file_is_named)
{
    begin();
    unlink(in_folder("valid.tsv"));
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_NOT_FOUND);
    assert_told(in_folder("valid.tsv"));
    remove_folder(folder);
}
END_TEST

/* Files of the program, which inherits them, may have so many bytes from now on. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_full_disk_leaves_a_checkpoint_to_go_on_from)
{
    struct rlimit before;
    begin();
    ck_assert_int_eq(train(in_folder("straight"), "--epochs", "3"), EXIT_OK);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_OK);
    const ino_t saved = file_number(in_folder("m.checkpoint"));
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit_files(_i == 0 ? 20000 : 2000); // less than a checkpoint; less than the pairs
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "3", "--resume"), EXIT_FAILED);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_told(_i == 0 ? "m" : "m.pairs");
    ck_assert(file_number(in_folder("m.checkpoint")) == saved);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "3", "--resume"), EXIT_OK);
    assert_same_tensors(in_folder("straight"), in_folder("m"));
    assert_same_tensors(in_folder("straight.checkpoint"), in_folder("m.checkpoint"));
    remove_folder(folder);
}
END_TEST

static const struct {
    const char *words[4];
    enum cell_kind cell;
    enum encoder_kind encoder;
    enum attention_kind attention;
    int encoder_layers, decoder_layers;
} systems[] = {
    { { "--cell", "rnn" }, CELL_RNN, ENCODER_BIDIRECTIONAL, ATTENTION_BAHDANAU, 1, 1 },
    { { "--cell", "gru" }, CELL_GRU, ENCODER_BIDIRECTIONAL, ATTENTION_BAHDANAU, 1, 1 },
    { { "--encoder", "reversed", "--attention", "none" },
      CELL_LSTM,
      ENCODER_REVERSED,
      ATTENTION_NONE,
      1,
      1 },
    { { "--encoder-layers", "3", "--decoder-layers", "2" },
      CELL_LSTM,
      ENCODER_BIDIRECTIONAL,
      ATTENTION_BAHDANAU,
      3,
      2 },
};

START_TEST(options_choose_the_model)
{
    struct model *model;
    struct error err;
    begin();
    ck_assert_msg(train(in_folder("m"), "--epochs", "1", systems[_i].words[0], systems[_i].words[1],
                        systems[_i].words[2], systems[_i].words[3]) == EXIT_OK,
                  "%s", told);
    assert_ok(model_load(&model, in_folder("m"), KIND_TRANSLATE, &err), err);
    const struct config *config = model_config(model);
    ck_assert_int_eq(config->cell, systems[_i].cell);
    ck_assert_int_eq(config->encoder, systems[_i].encoder);
    ck_assert_int_eq(config->attention_kind, systems[_i].attention);
    ck_assert_int_eq(config->encoder_layers, systems[_i].encoder_layers);
    ck_assert_int_eq(config->decoder_layers, systems[_i].decoder_layers);
    model_free(model);
    remove_folder(folder);
}
END_TEST

static const struct {
    const char *option, *value, *part;
} mistakes[] = {
    { "--cell", "lstmm", "rnn, rnn-logistic, lstm, peephole, gru, gru-unbiased" },
    { "--attention", "256", "bahdanau, none" },

    { "--rate", "fast", "--rate" },
    { "--dropout", "1.5", "--dropout" },
    { "--store", "f64", "f32, f16, bf16, i8" },
    { "--on-bad-line", "cry", "refuse, skip" },
    { "--source", "e n", "language code" },
    { "--frobnicate", "1", "--frobnicate" },
};

START_TEST(a_mistake_on_the_command_line_is_said)
{
    begin();
    ck_assert_int_eq(train(in_folder("m"), mistakes[_i].option, mistakes[_i].value), EXIT_USAGE);
    assert_told(mistakes[_i].part);
    remove_folder(folder);
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_is_said_before_training)
{
    begin();
    ck_assert_int_ne(train("/nowhere/at/all/m.safetensors", "--epochs", "1"), EXIT_OK);
    assert_told("/nowhere/at/all/m.safetensors");
    ck_assert_ptr_null(strstr(told, "240 pairs"));
    remove_folder(folder);
}
END_TEST

/* ---- verso vocab ---- */

START_TEST(a_vocabulary_is_learnt_and_used)
{
    struct vocabulary *vocabulary;
    struct error err;
    begin();
    char *const arguments[] = { PROGRAM,      "vocab",  "--train", (char *)in_folder("train.tsv"),
                                "--size",     "290",    "--out",   (char *)in_folder("v.tsv"),
                                "--casefold", "--form", "nfc",     "--threads",
                                "2",          NULL };
    ck_assert_msg(finish(start(arguments)) == EXIT_OK, "%s", told);
    assert_told("290 pieces");
    assert_ok(vocabulary_load_tsv(&vocabulary, in_folder("v.tsv"), &err), err);
    ck_assert_int_eq(vocabulary_size(vocabulary), 290);
    ck_assert(vocabulary_options(vocabulary).casefold);
    ck_assert_int_eq(vocabulary_options(vocabulary).form, FORM_NFC);
    vocabulary_free(vocabulary);
    ck_assert_int_eq(train(in_folder("m"), "--epochs", "1", "--vocab", in_folder("v.tsv")),
                     EXIT_OK);
    assert_told("290 pieces");
    remove_folder(folder);
}
END_TEST

START_TEST(a_vocabulary_of_nothing_is_refused)
{
    begin();
    write_corpus(in_folder("train.tsv"), 0, 1, NULL);
    char *const arguments[] = { PROGRAM,   "vocab",
                                "--train", (char *)in_folder("train.tsv"),
                                "--out",   (char *)in_folder("v.tsv"),
                                NULL };
    ck_assert_int_eq(finish(start(arguments)), EXIT_BAD_INPUT);
    assert_told("no line to learn a vocabulary from");
    ck_assert_int_ne(access(in_folder("v.tsv"), F_OK), 0);
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_training_writes_a_model_with_its_card),
    TEST(at_each_validation_the_alignments_of_the_same_five_pairs_are_drawn),
    TEST(pictures_that_can_go_nowhere_are_said_before_the_training),
    TEST(what_the_card_option_gives_is_in_the_card),
    TEST_LOOP(a_signal_saves_and_resume_gives_the_same_bytes, 2),
    TEST(threads_that_compute_take_no_signals),
    TEST(an_earlier_training_is_not_overwritten),
    TEST(resuming_with_other_options_names_the_difference),
    TEST(resuming_what_is_not_there_is_refused),
    TEST(resuming_with_other_data_is_refused),
    TEST(pairs_are_kept_for_the_next_run_and_removed_at_the_end),
    TEST_LOOP(pairs_that_are_damaged_or_missing_are_made_again, 2),
    TEST(gradients_are_traced_without_changing_the_training),
    TEST_LOOP(a_full_disk_leaves_a_checkpoint_to_go_on_from, 2),
    TEST_LOOP(options_choose_the_model, 4),
    TEST(a_damaged_checkpoint_is_refused),
    TEST(a_bad_line_is_left_out_and_said_once),
    TEST(a_bad_line_is_refused_if_wanted),
    TEST_LOOP(an_empty_corpus_is_refused, 2),
    TEST(long_pairs_are_left_out_and_counted),
    TEST(parallel_files_and_the_other_direction_work),
    TEST(a_missing_file_is_named),
    TEST_LOOP(a_mistake_on_the_command_line_is_said, 8),
    TEST(a_folder_that_cannot_be_written_is_said_before_training),
    TEST(a_vocabulary_is_learnt_and_used),
    TEST(a_vocabulary_of_nothing_is_refused),
};

int main(void)
{
    if (access(PROGRAM, X_OK) != 0) {
        puts("skipped: verso-train is not built");
        return TEST_SKIPPED;
    }
    return test_run("server/cmd/train", cases, sizeof cases / sizeof *cases);
}
