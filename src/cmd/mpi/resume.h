/* Resumes the run of a decision log: what is read from it, what must not have
 * changed, and where the input and the plans file continue. */
#ifndef DFOPT_CMD_MPI_RESUME_H
#define DFOPT_CMD_MPI_RESUME_H

#include "cmd/mpi/inputs.h"
#include "state/fold.h"

#include <signal.h>

struct dfopt_resume {                   /* zeroed: nothing is resumed */
    const char *path;                   /* of the log; borrowed */
    struct dfopt_declog_reader *reader; /* owned */
    struct dfopt_fold fold;
};

/* Reads the log. `dict` must be empty and receives the log's names. The log's run
 * must have ended. OK, or the text names the path; close it in any case. */
enum dfopt_err dfopt_resume_open(struct dfopt_resume *r, const char *path,
                                 struct dfopt_dict *dict, struct dfopt_error *err);
void dfopt_resume_close(struct dfopt_resume *r); /* a zeroed one is fine */

/* The run identity in the log's plan ids; 0: they have none. */
uint32_t dfopt_resume_run(const struct dfopt_resume *r);

/* Whether the log's last run should have left a journal: a service that was killed.
 */
bool dfopt_resume_has_journal(const struct dfopt_resume *r);

/* How the log's acks are handled. */
bool dfopt_resume_assumed_acks(const struct dfopt_resume *r);

/* What decisions depend on besides events. */
struct dfopt_resume_rules {
    struct dfopt_dict *dict; /* of the policy */
    const struct dfopt_policy *policy;
    bool assumed_acks;
    const char *relay_hostname;
    const struct dfopt_buf *initial; /* bodies of registrations, a line each */
};

/* Whether the rules match the log's: OK, or ARG with the difference. Having no
 * initial registrations is not a difference. NOMEM. */
enum dfopt_err dfopt_resume_compare(const struct dfopt_resume *r,
                                    const struct dfopt_resume_rules *now,
                                    struct dfopt_error *err);

/* Changes the rules other than initial registrations: if they differ from the
 * log's, the state is built under the log's rules, and control's state is dropped.
 * OK, or the text names the path. */
enum dfopt_err dfopt_resume_change_rules(struct dfopt_resume *r,
                                         const struct dfopt_resume_rules *now,
                                         struct dfopt_error *err);

/* Whether the log's run already registered these bodies at its start. */
bool dfopt_resume_has_initial(const struct dfopt_resume *r,
                              const struct dfopt_buf *bodies);

/* A replay cannot ingest the rest of a service's journal, because the resulting
 * plans have the service's identity. OK: there is none; ARG: there is, and what to
 * do; IO, FORMAT, NOMEM. */
enum dfopt_err dfopt_resume_no_journal(const struct dfopt_resume *r,
                                       struct dfopt_error *err);

/* Moves a file input to where the log stopped. *split and *line give that position,
 * for in->splits; a source has been read up to it. OK; ARG: not the input of the
 * log; IO, NOMEM. */
enum dfopt_err dfopt_resume_input(const struct dfopt_resume *r,
                                  struct dfopt_inputs *in,
                                  const struct dfopt_options *o,
                                  const volatile sig_atomic_t *stop,
                                  struct dfopt_split *split, uint64_t *line,
                                  struct dfopt_error *err);

/* Opens the run's plans file with exactly the plans of the log: extra plans are cut
 * off, missing ones are added. Anything but a regular file is opened unchanged. OK;
 * ARG: it has other plans; IO, NOMEM. */
enum dfopt_err dfopt_resume_plans(const struct dfopt_resume *r, const char *path,
                                  struct dfopt_sink **out, struct dfopt_error *err);

#endif
