/* Mofka as a transport: findings, registrations, acknowledgements, objectives,
 * commands and the plans of a global optimizer come out of topics, plans go into
 * one. Mofka's own client is C++ and is loaded when it is asked for
 * (net/mofka/load.h); this needs only the C library. No call waits longer than
 * documented, whatever a broker does.
 *
 * A process has one link (net/mofka/link.h), and a source and a sink on it. All
 * calls on a source come from one thread, all on a sink from one. Not usable after
 * fork() in the child. */
#ifndef DFOPT_TRANSPORT_MOFKA_MOFKA_H
#define DFOPT_TRANSPORT_MOFKA_MOFKA_H

#include "net/mofka/link.h"
#include "transport/transport.h"

/* record.stream of what comes in; the values of enum dfopt_stream. */
enum dfopt_mofka_stream {
    DFOPT_MOFKA_FINDINGS = 0,
    DFOPT_MOFKA_REGISTRATIONS = 1,
    DFOPT_MOFKA_ACKS = 2,
    DFOPT_MOFKA_GLOBAL_PLANS = 3,
    DFOPT_MOFKA_OBJECTIVES = 4,
    DFOPT_MOFKA_COMMANDS = 5,
    DFOPT_MOFKA_STREAMS
};

/* ---- source ---- */

struct dfopt_mofka_input {
    const char *group_file; /* of the service that has the topic */
    const char *topic;      /* NULL or "": this stream is not read */
    const char *option;     /* that names it, for messages; NULL: none */
    bool may_be_absent; /* no such topic is no error: it is noted, and not read */
};

/* Told what is no error of a call, within it; `text` is borrowed. */
typedef void (*dfopt_mofka_note_fn)(void *arg, const char *text);

struct dfopt_mofka_source_options {
    struct dfopt_mofka_input inputs[DFOPT_MOFKA_STREAMS];
    const char *consumer_name; /* NULL or "": "dfopt-mpi." and the topic */
    double idle_timeout_s;     /* 0: never */
    size_t max_record_bytes;   /* a longer record comes with a problem */
    dfopt_mofka_note_fn note;  /* may be NULL */
    void *note_arg;
};

/* A source of what comes out of up to six topics, all of their partitions. Reading
 * begins here. Returns OK, NOMEM, ARG (no topic is named; no such group file or
 * topic, where it may not be absent) or IO (no answer); the text names the group
 * file and the topic. Returns owned: (*out)->ops->destroy, before the link's.
 *
 * Order: as sent within a partition. Registrations, acks, objectives, commands and
 * global plans come before findings that are there at the same moment, but for a
 * bounded share; and those that wait in their topics come before the first finding.
 *
 * Records: `origin` is "mofka:TOPIC/PARTITION@UUID", of the partition, `offset` the
 * number that the event has there, and so is `line`. An event without data, or too
 * long, is a record with a problem. Events whose metadata is a stop sentinel are
 * passed over.
 *
 * `done` acknowledges, a partition at a time: under the same consumer name the next
 * service begins behind what was decided. Registrations are never acknowledged:
 * the next service has to read all of them again.
 *
 * `next` waits at most timeout_ms (negative: for ever, in steps). END comes when
 * nothing has come for idle_timeout_s since the last event; the clock starts with
 * the first. ERROR, once: a topic can no longer be read or a broker does not
 * answer; END follows. `destroy` waits for the last acknowledgements, and
 * notes if there are any that the broker did not take. */
enum dfopt_err dfopt_mofka_source_create(struct dfopt_source **out,
                                         struct dfopt_mofka_link *l,
                                         const struct dfopt_mofka_source_options *o,
                                         struct dfopt_error *err);

struct dfopt_mofka_source_counts {
    uint64_t received[DFOPT_MOFKA_STREAMS]; /* records delivered */
    uint64_t stops;                         /* sentinels passed over */
    uint64_t bytes;                         /* bodies */
};

void dfopt_mofka_source_counts(const struct dfopt_source *s,
                               struct dfopt_mofka_source_counts *out);

/* ---- sink ---- */

struct dfopt_mofka_sink_options {
    const char *group_file, *topic;
    int copies; /* how often each plan is sent; 0: once */
};

/* A sink of plans. Returns OK, NOMEM, ARG (no such group file or topic) or IO; the
 * text names them. Returns owned: (*out)->ops->destroy, before the link's.
 *
 * publish waits for nobody, unless very much is queued; a plan goes to the
 * partition that its knob's name chooses, so that the plans of a knob stay in
 * order. flush returns when the broker has all of them, or when it has taken none
 * for as long as an answer may take: IO, and nothing works from then on. */
enum dfopt_err dfopt_mofka_sink_create(struct dfopt_sink **out,
                                       struct dfopt_mofka_link *l,
                                       const struct dfopt_mofka_sink_options *o,
                                       struct dfopt_error *err);

#endif
