/* Requests from dfopt-ctl to a live service. Commands become events, answered once
 * decided; questions are answered when nothing is in flight. */
#ifndef DFOPT_ENGINE_ONLINE_DESK_H
#define DFOPT_ENGINE_ONLINE_DESK_H

#include "engine/batch/batch.h"
#include "engine/batch/run.h"
#include "engine/online/recent.h"

/* {.config = ...}; dfopt_desk_free. config->port NULL: no requests. */
struct dfopt_desk {
    const struct dfopt_run_config *config; /* borrowed */
    struct dfopt_port_request request;     /* the one being handled */
    struct dfopt_buf waiting;              /* private: undecided commands */
    struct dfopt_buf asking;               /* private: who asked for the state */
    bool stop, restore;   /* end the run; restore the registered values */
    bool closing;         /* values are being restored before the end */
    struct dfopt_buf own; /* private: the service's commands, one per line */
    size_t own_taken;     /* private: bytes */
    uint64_t own_last;    /* private: the event of the last one taken */
    bool own_open;        /* private: that event is undecided */
    int reloads;          /* private: done so far */
    struct dfopt_recent recent;
    struct dfopt_buf policy; /* JSON of the policy in force; empty: the first */
    struct dfopt_buf text;   /* scratch */
};

enum dfopt_desk_took {
    DFOPT_DESK_NOTHING,
    DFOPT_DESK_COMMAND, /* *rec is a record to ingest */
    DFOPT_DESK_ASKED    /* answered later, or at once */
};

/* Finds the policy in force, if the run is resumed. Errors: those of
 * dfopt_fold_policy. */
enum dfopt_err dfopt_desk_start(struct dfopt_desk *d, struct dfopt_error *err);

/* Checks for a request, without waiting. */
enum dfopt_desk_took dfopt_desk_take(struct dfopt_desk *d,
                                     struct dfopt_record *rec);

extern const char dfopt_desk_origin[]; /* of the records of commands */

/* Whether a record is the command last taken, rather than one of the input. */
static inline bool dfopt_desk_is_request(const struct dfopt_record *rec)
{
    return rec->origin == dfopt_desk_origin;
}

/* The last command taken has a number, or is unusable. OK or NOMEM. */
enum dfopt_err dfopt_desk_numbered(struct dfopt_desk *d, uint64_t seq);
void dfopt_desk_refuse(struct dfopt_desk *d, const char *why);

/* Answers the commands of a decided batch. OK or NOMEM. */
enum dfopt_err dfopt_desk_decided(struct dfopt_desk *d,
                                  const struct dfopt_batch *r);

/* Whether anyone is waiting for the state. */
static inline bool dfopt_desk_wants_state(const struct dfopt_desk *d)
{
    return d->asking.len > 0;
}

/* Answers everyone waiting for the state. */
void dfopt_desk_state(struct dfopt_desk *d, const struct dfopt_totals *t,
                      const struct dfopt_run_result *now);

/* Commands a restore of the registered values, for the job and for each node of
 * the rows (struct dfopt_state_row). OK or NOMEM. */
enum dfopt_err dfopt_desk_restore(struct dfopt_desk *d,
                                  const struct dfopt_buf *rows);

/* Whether such commands remain to be taken. */
static inline bool dfopt_desk_commands(const struct dfopt_desk *d)
{
    return d->own_taken < d->own.len;
}

/* Whether records of a stream (enum dfopt_stream) are left unread: while values are
 * restored nothing is planned any more, and only what ends plans is read. */
static inline bool dfopt_desk_leaves(const struct dfopt_desk *d, int stream)
{
    return d->closing && stream != DFOPT_STREAM_ACK &&
           stream != DFOPT_STREAM_REGISTRATION;
}

/* How often a policy reload was requested. *open: not all are done: the file is
 * not read yet, or the resulting command is undecided. */
int dfopt_desk_reloads(const struct dfopt_desk *d, bool *open);

/* Plans awaiting acks: once a restore has begun, its plans and those of earlier
 * ones. `tell`: logs each. */
size_t dfopt_desk_unanswered(const struct dfopt_desk *d,
                             const struct dfopt_buf *rows, bool tell);

void dfopt_desk_free(struct dfopt_desk *d);

#endif
