/* What dfopt-ctl asks of a live service. Commands become events, and are answered
 * when they are decided; questions are answered when nothing is in flight. */
#ifndef DFOPT_ENGINE_ONLINE_DESK_H
#define DFOPT_ENGINE_ONLINE_DESK_H

#include "engine/batch/batch.h"
#include "engine/batch/run.h"
#include "engine/online/recent.h"

/* {.config = ...}; dfopt_desk_free. config->port NULL: nothing is asked. */
struct dfopt_desk {
    const struct dfopt_run_config *config; /* borrowed */
    struct dfopt_port_request request;     /* the one that is being handled */
    struct dfopt_buf waiting;              /* private: commands not decided yet */
    struct dfopt_buf asking;           /* private: who wants to know the state */
    struct dfopt_buf modes, proposals; /* private: what has been commanded */
    bool frozen, bounded;
    bool stop, restore; /* the run is to end; with the registered values back */
    int64_t until;
    uint64_t refused;     /* requests that could not be used */
    struct dfopt_buf own; /* private: commands of the service, a line each */
    size_t own_taken;     /* private: bytes */
    uint64_t own_last;    /* private: the event of the last one taken */
    bool own_open;        /* private: which is not decided */
    int reloads;          /* private: done so far */
    struct dfopt_recent recent;
    struct dfopt_buf policy; /* JSON of the one in force, if it was commanded */
    struct dfopt_buf text;   /* scratch */
};

enum dfopt_desk_took {
    DFOPT_DESK_NOTHING,
    DFOPT_DESK_COMMAND, /* *rec is a record to ingest */
    DFOPT_DESK_ASKED    /* answered later, or at once */
};

/* Looks for a request, without waiting. */
enum dfopt_desk_took dfopt_desk_take(struct dfopt_desk *d,
                                     struct dfopt_record *rec);

/* The command that was taken last has a number, or cannot be used. OK or NOMEM. */
enum dfopt_err dfopt_desk_numbered(struct dfopt_desk *d, uint64_t seq);
void dfopt_desk_refuse(struct dfopt_desk *d, const char *why);

/* A batch is decided: answers its commands. OK or NOMEM. */
enum dfopt_err dfopt_desk_decided(struct dfopt_desk *d,
                                  const struct dfopt_batch *r);

/* Whether somebody waits for the state. */
static inline bool dfopt_desk_wants_state(const struct dfopt_desk *d)
{
    return d->asking.len > 0;
}

/* Answers them. rows: struct dfopt_state_row. */
void dfopt_desk_state(struct dfopt_desk *d, const struct dfopt_totals *t,
                      const struct dfopt_buf *rows);

/* The service commands what is registered to be put back, for the job and for each
 * node of the rows (struct dfopt_state_row). OK or NOMEM. */
enum dfopt_err dfopt_desk_restore(struct dfopt_desk *d,
                                  const struct dfopt_buf *rows);

/* Whether it has such commands that have not been taken. */
static inline bool dfopt_desk_commands(const struct dfopt_desk *d)
{
    return d->own_taken < d->own.len;
}

/* How often the policy was to be read again, and whether that is not all done: the
 * file is to be read, or the command that it became is not decided. */
int dfopt_desk_reloads(const struct dfopt_desk *d, bool *open);

/* Plans that wait for their acks: once all is to be back, those back, of this
 * restore or one before. `tell`: logs each. */
size_t dfopt_desk_unanswered(const struct dfopt_desk *d,
                             const struct dfopt_buf *rows, bool tell);

void dfopt_desk_free(struct dfopt_desk *d);

#endif
