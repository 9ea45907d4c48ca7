/* Mofka as a transport: topics supply findings, registrations,
 * acknowledgements, objectives, commands and plans of a global optimizer; plans
 * go to a topic. Mofka's own client is C++ and is loaded on demand
 * (net/mofka/load.h); this needs only the C library. No call waits longer than
 * documented, whatever a broker does.
 *
 * A process has one link (net/mofka/link.h), with a source and a sink on it.
 * All calls on a source come from one thread, all on a sink from one. Not
 * usable after fork() in the child. */
#ifndef DFOPT_TRANSPORT_MOFKA_MOFKA_H
#define DFOPT_TRANSPORT_MOFKA_MOFKA_H

#include "net/mofka/link.h"
#include "transport/transport.h"

/* record.stream of the input; the values of enum dfopt_stream. */
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
    const char *group_file; /* of the service with the topic */
    const char *topic;      /* NULL or "": do not read this stream */
    const char *option;     /* its option, for messages; NULL: none */
    bool may_be_absent;     /* a missing topic is noted and skipped, not an error */
};

/* Receives notes that are not errors, during a call; `text` is borrowed. */
typedef void (*dfopt_mofka_note_fn)(void *arg, const char *text);

struct dfopt_mofka_source_options {
    struct dfopt_mofka_input inputs[DFOPT_MOFKA_STREAMS];
    const char *consumer_name; /* NULL or "": "dfopt-mpi." and the topic */
    double idle_timeout_s;     /* 0: never */
    size_t max_record_bytes;   /* longer records are delivered with a problem */
    dfopt_mofka_note_fn note;  /* may be NULL */
    void *note_arg;
};

/* A source that reads up to six topics, all of their partitions. Reading begins
 * here. Returns OK, NOMEM, ARG (no topic given; no such group file, or topic
 * unless it may be absent) or IO (no answer); the text names the group file and
 * the topic. Returns owned: (*out)->ops->destroy, before the link's.
 *
 * Order: as sent within a partition. Registrations, acks, objectives, commands
 * and global plans precede findings available at the same moment, up to a
 * bounded share; the backlog of their topics precedes the first finding.
 *
 * Records: `origin` is "mofka:TOPIC/PARTITION@UUID", the partition's; `offset`
 * and `line` are the event's number in it. An event without data or too long is
 * a record with a problem. Events whose metadata is a stop sentinel are
 * skipped.
 *
 * `done` acknowledges per partition: under the same consumer name the next
 * service starts after what was decided. Registrations are never acknowledged:
 * the next service must read all of them again.
 *
 * `next` waits at most timeout_ms (negative: for ever, in steps). END: no event
 * for idle_timeout_s since the last one; the clock starts with the first.
 * ERROR, once: a topic can no longer be read or a broker does not answer; END
 * follows. `destroy` waits for the last acknowledgements, and notes any that
 * the broker did not take. */
enum dfopt_err dfopt_mofka_source_create(struct dfopt_source **out,
                                         struct dfopt_mofka_link *l,
                                         const struct dfopt_mofka_source_options *o,
                                         struct dfopt_error *err);

/* ---- sink ---- */

struct dfopt_mofka_sink_options {
    const char *group_file, *topic;
    int copies; /* how many times to send each plan; 0: once */
};

/* A sink of plans. Returns OK, NOMEM, ARG (no such group file or topic) or IO;
 * the text names them. Returns owned: (*out)->ops->destroy, before the link's.
 *
 * publish does not wait unless a great deal is queued; the knob's name selects
 * the partition, so that the plans of a knob stay in order. flush returns when
 * the broker has everything or, with IO, when it has accepted nothing for as
 * long as an answer may take; the sink is unusable from then on. */
enum dfopt_err dfopt_mofka_sink_create(struct dfopt_sink **out,
                                       struct dfopt_mofka_link *l,
                                       const struct dfopt_mofka_sink_options *o,
                                       struct dfopt_error *err);

#endif
