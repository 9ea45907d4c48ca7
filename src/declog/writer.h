/* Writes the decision log of a run. One writer per file, used by one thread of
 * one rank.
 *
 * Rows are collected in memory and written in whole chunks; a flushing commit
 * writes the rest and, last of all, a row of /commits that counts what is
 * there. Whatever happens to the process, a reader has everything up to the
 * last such row (docs/decision-log.md).
 *
 * Append rows of a table in order of (seq, position): readers merge the tables
 * by it and the writer does not sort. Strings and lists of rows are numbers in
 * the dictionary given at creation; each flush writes their texts first, so
 * that committed rows never name a missing string.
 *
 * After a failure (disk full) the writer does nothing more: every later call
 * returns the first failure's code, dfopt_declog_error has its text, and
 * dfopt_declog_close releases everything. */
#ifndef DFOPT_DECLOG_WRITER_H
#define DFOPT_DECLOG_WRITER_H

#include "declog/format.h"

#include <stdbool.h>

struct dfopt_declog;

/* The attributes of the run. Texts are borrowed for the call of create; NULL is
 * stored as "". Zero-initialise. */
struct dfopt_declog_options {
    const char *path;
    int compression; /* deflate level 0 (none) .. 9; 1 is a good choice */
    enum dfopt_declog_detail detail; /* zero means PLANS: set it */
    int64_t created_ns;              /* wall clock */
    int ranks;
    uint64_t pid;       /* this process's */
    double min_effect;  /* the policy's: threshold for `certain` in /outcomes */
    int format_version; /* for a copy; 0: this program's */
    /* program_version, mpi_library, transport, command_line, policy (JSON),
     * preset, acks_mode, relay_hostname, host, run_id */
#define DFOPT_RUN_TEXT_MEMBER(name, text) const char *name;
    DFOPT_RUN_TEXT_LIST(DFOPT_RUN_TEXT_MEMBER)
#undef DFOPT_RUN_TEXT_MEMBER
};

/* Creates the file with everything that it will hold, beside its path
 * (PATH.new.XXXXXXXX), and renames it once it is readable. An existing file at
 * the path is replaced if it is a decision log or empty; anything else is
 * refused. `dict` is borrowed until close and must be an authority. Returns
 * owned: close. Errors: ARG (no path; compression or detail out of range), IO
 * (names path and reason), FORMAT (the path holds something else), STATE (a run
 * is writing the log there, or has just created one), NOMEM. */
enum dfopt_err dfopt_declog_create(struct dfopt_declog **out,
                                   const struct dfopt_dict *dict,
                                   const struct dfopt_declog_options *options,
                                   struct dfopt_error *err);

/* Resumes the log that `r` has open, as a new run: replaces the file with one
 * that holds what its last commit counts, made beside it and renamed once it is
 * complete and on disk. Path, compression and detail are the log's, not those
 * of `options`; the rest describes the new run. `dict` must have the log's
 * strings and lists at their numbers. `r` stays with the old file: close it.
 * Returns owned: close. Errors: IO, FORMAT, NOMEM; the old file is then
 * unchanged. */
struct dfopt_declog_reader;
enum dfopt_err dfopt_declog_resume(struct dfopt_declog **out,
                                   const struct dfopt_dict *dict,
                                   struct dfopt_declog_reader *r,
                                   const struct dfopt_declog_options *options,
                                   struct dfopt_error *err);

/* Copies what the reader's last commit counts to a new file that any HDF5 program
 * can open: the intact part of a log that is truncated or whose writer was killed.
 * It is marked complete if its source is. Errors: IO (it already exists, or cannot
 * be written), those of reading, NOMEM; no file is left then. */
enum dfopt_err dfopt_declog_copy(struct dfopt_declog_reader *r, const char *path,
                                 struct dfopt_error *err);

/* Rows of a table so far; deflate level; detail. */
uint64_t dfopt_declog_rows(const struct dfopt_declog *w,
                           enum dfopt_declog_table table);
int dfopt_declog_compression(const struct dfopt_declog *w);
enum dfopt_declog_detail dfopt_declog_detail(const struct dfopt_declog *w);

/* The functions that append rows return OK, IO or NOMEM, or the error that made
 * an earlier call fail. Rows are copied. n may be 0. */

/* Findings; skipped unless the detail is FINDINGS. */
enum dfopt_err dfopt_declog_findings(struct dfopt_declog *w,
                                     const struct dfopt_finding_row *rows,
                                     size_t n);

/* Objectives. */
enum dfopt_err dfopt_declog_objectives(struct dfopt_declog *w,
                                       const struct dfopt_numbered_objective *rows,
                                       size_t n);

/* The verdicts (unless the detail is PLANS), plans, suppressions, timeouts,
 * seen windows and outcomes of d. Ignores its acks and relays: see
 * dfopt_declog_ack, dfopt_declog_relay. */
enum dfopt_err dfopt_declog_decisions(struct dfopt_declog *w,
                                      const struct dfopt_decisions *d);

/* The origins of events: adds a row wherever the sequence breaks. */
enum dfopt_err dfopt_declog_origins(struct dfopt_declog *w,
                                    const struct dfopt_declog_origin_row *rows,
                                    size_t n);

/* An unusable record. */
enum dfopt_err dfopt_declog_reject(struct dfopt_declog *w,
                                   const struct dfopt_declog_reject_row *row);

/* An ack as received, and its outcome. Texts are borrowed for the call. */
struct dfopt_declog_ack {
    uint64_t seq;
    const struct dfopt_ack *given;
    const struct dfopt_ack_row *outcome; /* NULL: no rank knew the plan */
    uint32_t tally;                      /* enum dfopt_ack_tally */
    const char *plan_id;                 /* as received; NULL is "" */
    size_t plan_id_len;
    const char *reason; /* NULL is "" */
    size_t reason_len;
};

enum dfopt_err dfopt_declog_ack(struct dfopt_declog *w,
                                const struct dfopt_declog_ack *ack);

/* A global optimizer's plan, and its outcome. */
enum dfopt_err dfopt_declog_relay(struct dfopt_declog *w,
                                  const struct dfopt_relay_row *row);

/* A command, and its outcome. The body is borrowed for the call. */
struct dfopt_declog_command {
    uint64_t seq;
    uint32_t action, outcome; /* enum dfopt_command_action, dfopt_command_outcome */
    dfopt_sym by;
    const char *body; /* compact JSON */
    size_t body_len;
};

enum dfopt_err dfopt_declog_command(struct dfopt_declog *w,
                                    const struct dfopt_declog_command *c);

/* A registration. */
struct dfopt_declog_registration {
    uint64_t seq; /* unless it came as an event: of the event that follows */
    enum dfopt_registration_source source;
    const char *body; /* compact JSON; borrowed for the call */
    size_t body_len;
    /* Its knobs with the policy's overrides applied; NULL: it was rejected. */
    const struct dfopt_registration *accepted;
};

enum dfopt_err
dfopt_declog_registration(struct dfopt_declog *w,
                          const struct dfopt_declog_registration *reg);

/* Records how far the input has been decided. With flush, everything appended
 * so far is in the file when this returns OK, and survives the process (not the
 * machine: there is no fsync). Cheap without flush, or if nothing is new. */
enum dfopt_err dfopt_declog_commit(struct dfopt_declog *w,
                                   const struct dfopt_declog_position *at,
                                   bool flush, struct dfopt_error *err);

/* The failure that stopped the writer; its code is OK if there was none.
 * Borrowed. w may be NULL. */
const struct dfopt_error *dfopt_declog_error(const struct dfopt_declog *w);

/* Current size of the file in bytes. */
uint64_t dfopt_declog_bytes(const struct dfopt_declog *w);

/* Flushes at the last recorded position, marks the log as complete if
 * requested, and closes it. *w is always released and NULL afterwards. Returns
 * OK, or the failure that left the log incomplete. *w may be NULL. */
enum dfopt_err dfopt_declog_close(struct dfopt_declog **w, bool complete,
                                  struct dfopt_error *err);

#endif
