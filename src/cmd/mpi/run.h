/* One run on rank 0, in parts: session.c has what all modes share, run_replay.c,
 * run_service.c and run_sweep.c what is specific to one. For these files only. */
#ifndef DFOPT_CMD_MPI_RUN_H
#define DFOPT_CMD_MPI_RUN_H

#include "cmd/mpi/initial.h"
#include "cmd/mpi/inputs.h"
#include "cmd/mpi/live.h"
#include "cmd/mpi/options.h"
#include "cmd/mpi/resume.h"
#include "engine/batch/run.h"
#include "engine/comm/comm.h"

struct dfopt_supervision;

struct dfopt_session {
    struct dfopt_comm *comm; /* borrowed, as is everything up to stop */
    const struct dfopt_options *options;
    int argc;
    char **argv;
    struct dfopt_log *log;
    const volatile sig_atomic_t *stop, *reload;
    const struct dfopt_mode *mode;
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_policy policy;
    uint32_t run; /* identity of a service; 0: of a replay */
    bool assumed_acks;
    struct dfopt_initials initial;
    struct dfopt_resume resume;
    struct dfopt_tally *tally;
    struct dfopt_sink *plans_file, *recording;
    struct dfopt_declog *declog;
    struct dfopt_run_result result;
    struct dfopt_buf text; /* scratch */
    /* replay only */
    struct dfopt_inputs in;
    struct dfopt_split start; /* where reading starts, with the lines before it */
    uint64_t start_line;
    /* service only */
    struct dfopt_live live;
    int endpoints_fd; /* of the file of endpoints, removed at the end; -1: none */
    struct dfopt_supervision *supervision;
    struct dfopt_journal *journal; /* if there is a decision log */
    /* the previous run's journal, then the service's source; NULL: no such run */
    struct dfopt_source *left_over;
};

/* The steps in which a replay and a service differ, in order. Each returns OK or
 * sets *err; NULL: no such step. */
struct dfopt_mode {
    bool is_service;
    enum dfopt_err (*open_input)(struct dfopt_session *s, struct dfopt_error *err);
    /* With --acks auto: whether applications acknowledge plans. */
    enum dfopt_err (*find_acks)(struct dfopt_session *s, bool *explicit,
                                struct dfopt_error *err);
    /* Finds the position in the input where the log's run stopped. */
    enum dfopt_err (*resume_input)(struct dfopt_session *s,
                                   struct dfopt_error *err);
    enum dfopt_err (*open_endpoints)(struct dfopt_session *s,
                                     struct dfopt_error *err);
    enum dfopt_err (*open_journal)(struct dfopt_session *s,
                                   struct dfopt_error *err);
    enum dfopt_err (*run)(struct dfopt_session *s, struct dfopt_run_config *config,
                          struct dfopt_error *err);
};

extern const struct dfopt_mode dfopt_mode_replay, dfopt_mode_service;

/* Runs the sweep, or lists its variants. Returns the exit code. */
int dfopt_run_sweep(const struct dfopt_session *s);

/* Logs an error under an event name. */
void dfopt_session_failed(const struct dfopt_session *s, const char *event,
                          const struct dfopt_error *err);

#endif
