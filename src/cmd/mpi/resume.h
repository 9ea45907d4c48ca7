/* Resumes the run of a decision log: what is read from the log, what must not have
 * changed, and where the input and the plans file continue. */
#ifndef DFOPT_CMD_MPI_RESUME_H
#define DFOPT_CMD_MPI_RESUME_H

#include "cmd/mpi/inputs.h"
#include "state/fold.h"

#include <signal.h>

struct dfopt_resume {                   /* zero: nothing is resumed */
    const char *path;                   /* of the log; borrowed */
    struct dfopt_declog_reader *reader; /* owned */
    struct dfopt_fold fold;
};

/* Reads the log. `dict` is empty, and gets its names. The log must not be that of
 * a run that is still going on. OK, or the text names the path; close it in any
 * case. */
enum dfopt_err dfopt_resume_open(struct dfopt_resume *r, const char *path,
                                 struct dfopt_dict *dict, struct dfopt_error *err);
void dfopt_resume_close(struct dfopt_resume *r); /* a zeroed one is fine */

/* The identity in the ids of the log's plans; 0: they have none. */
uint32_t dfopt_resume_run(const struct dfopt_resume *r);

/* How the log's acks are handled. */
bool dfopt_resume_assumed_acks(const struct dfopt_resume *r);

/* What decisions follow from, besides the events. */
struct dfopt_resume_rules {
    struct dfopt_dict *dict; /* of the policy */
    const struct dfopt_policy *policy;
    bool assumed_acks;
    const char *relay_hostname;
    const struct dfopt_buf *initial; /* bodies of registrations, a line each */
};

/* Whether the rules are those of the log: OK, or ARG with what differs; initial
 * registrations that there are none of do not. NOMEM. */
enum dfopt_err dfopt_resume_compare(const struct dfopt_resume *r,
                                    const struct dfopt_resume_rules *now,
                                    struct dfopt_error *err);

/* Those other than initial registrations: where they are not the log's, the state
 * is put together under the log's rules, and what control knew is left behind. OK,
 * or the text names the path. */
enum dfopt_err dfopt_resume_change_rules(struct dfopt_resume *r,
                                         const struct dfopt_resume_rules *now,
                                         struct dfopt_error *err);

/* Whether the log's run has registered these bodies at its start already. */
bool dfopt_resume_has_initial(const struct dfopt_resume *r,
                              const struct dfopt_buf *bodies);

/* A replay cannot ingest what a service left in its journal, for the plans that
 * follow from it bear the service's identity. OK: there is nothing; ARG: there is,
 * and what to do; IO, FORMAT, NOMEM. */
enum dfopt_err dfopt_resume_no_journal(const struct dfopt_resume *r,
                                       struct dfopt_error *err);

/* Moves an input of files to where the log left off. *split and *line say where
 * that is, for in->splits; a source has been read up to there. OK; ARG: it is
 * not the input that the log has read; IO, NOMEM. */
enum dfopt_err dfopt_resume_input(const struct dfopt_resume *r,
                                  struct dfopt_inputs *in,
                                  const struct dfopt_options *o,
                                  const volatile sig_atomic_t *stop,
                                  struct dfopt_split *split, uint64_t *line,
                                  struct dfopt_error *err);

/* Opens the plans file of the run with exactly the plans that the log has: it is
 * cut back, or what is missing is added. What is no regular file is opened as it
 * is. OK; ARG: it has other plans; IO, NOMEM. */
enum dfopt_err dfopt_resume_plans(const struct dfopt_resume *r, const char *path,
                                  struct dfopt_sink **out, struct dfopt_error *err);

#endif
