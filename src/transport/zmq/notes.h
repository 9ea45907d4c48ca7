/* Counts problems on sockets, and reports them at a bounded rate. */
#ifndef DFOPT_TRANSPORT_ZMQ_NOTES_H
#define DFOPT_TRANSPORT_ZMQ_NOTES_H

#include "transport/zmq/zmq.h"

#define DFOPT_ZMQ_DETAIL_BYTES 400

struct dfopt_zmq_notes {
    dfopt_zmq_note_fn fn; /* may be NULL */
    void *arg;
    struct {
        uint64_t total, told;
        int64_t told_ns;
        const char *endpoint;                /* of the last one; borrowed */
        char detail[DFOPT_ZMQ_DETAIL_BYTES]; /* about the last one */
    } kinds[DFOPT_ZMQ_NOTE_COUNT];
};

/* Counts n of a kind (0 is fine) and tells them if it is time to. The endpoint
 * must live as long as the notes. */
void dfopt_zmq_notes_add(struct dfopt_zmq_notes *notes, enum dfopt_zmq_note note,
                         const char *endpoint, uint64_t n);

/* The same, with something to say about the last. */
void dfopt_zmq_notes_add_about(struct dfopt_zmq_notes *notes,
                               enum dfopt_zmq_note note, const char *endpoint,
                               const char *detail);

/* Whether the next one of a kind is told at once. */
bool dfopt_zmq_notes_due(const struct dfopt_zmq_notes *notes,
                         enum dfopt_zmq_note note);

/* Tells what is still untold. */
void dfopt_zmq_notes_end(struct dfopt_zmq_notes *notes);

void dfopt_zmq_notes_totals(const struct dfopt_zmq_notes *notes,
                            uint64_t totals[DFOPT_ZMQ_NOTE_COUNT]);

#endif
