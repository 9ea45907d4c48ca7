/* The command line of dfopt-mpi: its options, checked as a whole before
 * anything runs. Texts point into argv, the environment or static storage. */
#ifndef DFOPT_CMD_MPI_OPTIONS_H
#define DFOPT_CMD_MPI_OPTIONS_H

#include "base/log.h"
#include "cmd/mpi/live_options.h"
#include "cmd/mpi/mofka_options.h"
#include "cmd/mpi/sweep_options.h"
#include "declog/format.h"
#include "model/policy.h"

/* Documented in dfopt-mpi --help. */
enum dfopt_exit {
    DFOPT_EXIT_OK = 0,
    DFOPT_EXIT_FAILED = 1, /* something could not be read, decided or written */
    DFOPT_EXIT_USAGE = 2,  /* bad options or configuration; nothing was done */
    DFOPT_EXIT_STOPPED = 3 /* a signal ended it early; what was read is complete */
};

enum dfopt_action {
    DFOPT_ACTION_RUN,
    DFOPT_ACTION_NONE, /* nothing left to do, as after --help */
    DFOPT_ACTION_KEYGEN,
    DFOPT_ACTION_POLICY_CHECK
};

enum dfopt_transport {
    DFOPT_TRANSPORT_FILE,
    DFOPT_TRANSPORT_ZMQ,
    DFOPT_TRANSPORT_MOFKA
};

enum dfopt_acks_option {
    DFOPT_ACKS_AUTO, /* explicit if acks can arrive, else assumed */
    DFOPT_ACKS_EXPLICIT,
    DFOPT_ACKS_ASSUMED
};

/* Who reads the input. */
enum dfopt_readers {
    DFOPT_READERS_AUTO, /* all ranks if they can, else rank 0 */
    DFOPT_READERS_ONE,
    DFOPT_READERS_ALL
};

struct dfopt_options {
    enum dfopt_action action;
    enum dfopt_transport transport;
    const char *transport_name;
    bool transport_by_default; /* not chosen by the user */
    struct dfopt_live_options live;
    struct dfopt_mofka_options mofka;
    struct dfopt_sweep_options sweep;
    const char **findings_files; /* owned */
    size_t n_findings_files;
    const char *registry_file; /* NULL: none, as for the five below */
    const char *policy_file;
    const char *plans_file;
    const char *final_state_file;
    const char *decision_log; /* this and the next: links are followed */
    const char *resume;       /* the decision log of the run to resume */
    char *followed[2];        /* owned: decision_log and resume */
    bool allow_policy_change;
    const char *relay_hostname; /* "": any */
    const char *policy_check;   /* policy to check, without a run */
    enum dfopt_preset preset;
    enum dfopt_acks_option acks;
    enum dfopt_declog_detail log_detail;
    int log_compression;
    int64_t log_flush_ms;
    int64_t max_record_bytes;
    int64_t batch_events, batches_on_way;
    enum dfopt_readers readers;
    int64_t read_bytes; /* per rank and read, if all read; 0: automatic */
    bool strict, no_progress, fault_trace;
    enum dfopt_log_level log_level;
    bool log_text;
};

/* Parses argv and the environment. Error messages go to standard error, help and
 * version to standard output. Returns OK, ARG (reported) or NOMEM. *out must be
 * freed in any case. */
enum dfopt_err dfopt_options_parse(int argc, char **argv,
                                   struct dfopt_options *out);

/* The command line as one text, including a NUL. OK or NOMEM. */
enum dfopt_err dfopt_options_join(int argc, char **argv, struct dfopt_buf *out);

void dfopt_options_free(struct dfopt_options *o);

#endif
