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
        const char *endpoint;                /* of the last note; borrowed */
        char detail[DFOPT_ZMQ_DETAIL_BYTES]; /* about the last note */
    } kinds[DFOPT_ZMQ_NOTE_COUNT];
};

/* Counts n of a kind (0 is fine) and reports them if one is due. The endpoint
 * must live as long as the notes. */
void dfopt_zmq_notes_add(struct dfopt_zmq_notes *notes, enum dfopt_zmq_note note,
                         const char *endpoint, uint64_t n);

/* The same, with detail about the last one. */
void dfopt_zmq_notes_add_about(struct dfopt_zmq_notes *notes,
                               enum dfopt_zmq_note note, const char *endpoint,
                               const char *detail);

/* Whether the next one of a kind would be reported at once. */
bool dfopt_zmq_notes_due(const struct dfopt_zmq_notes *notes,
                         enum dfopt_zmq_note note);

/* Reports everything pending. */
void dfopt_zmq_notes_end(struct dfopt_zmq_notes *notes);

void dfopt_zmq_notes_totals(const struct dfopt_zmq_notes *notes,
                            uint64_t totals[DFOPT_ZMQ_NOTE_COUNT]);

#endif
