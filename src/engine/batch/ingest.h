/* Ingest: decodes a record into an event and keeps its rows for the decision log
 * in the batch. */
#ifndef DFOPT_ENGINE_BATCH_INGEST_H
#define DFOPT_ENGINE_BATCH_INGEST_H

#include "codec/codec.h"
#include "engine/batch/batch.h"
#include "transport/transport.h"

/* Everything is borrowed. Zero the private part. */
struct dfopt_ingest {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    const struct dfopt_policy *policy;
    bool keep_findings; /* for the decision log */
    bool strict;        /* an unusable record ends the run */
    /* private: origins come in runs, so the last one is cached */
    const char *origin;
    dfopt_sym origin_sym;
    struct dfopt_ingest_place {
        dfopt_sym origin;
        uint64_t offset; /* lower bound of the next record's offset */
        bool any;
    } place;
};

/* The number of a record's origin; DFOPT_SYM_NONE: out of memory. */
dfopt_sym dfopt_ingest_origin(struct dfopt_ingest *in,
                              const struct dfopt_record *rec);

/* Records where event `seq` came from, in a row of r->origins unless it continues
 * where the previous event ended. OK or NOMEM. */
enum dfopt_err dfopt_ingest_note_origin(struct dfopt_ingest *in,
                                        struct dfopt_batch *r, uint64_t seq,
                                        const struct dfopt_record *rec);

/* The input offset after a record. */
uint64_t dfopt_record_end(const struct dfopt_record *rec);

/* Ingests a record as event `seq`. Returns OK with *event filled: it borrows from
 * the codec (until the next record) and from the batch. NOMEM. Anything else: the
 * record is unusable, for the reason in *why, and the batch has a row for it,
 * unless in->strict. */
enum dfopt_err dfopt_ingest_take(struct dfopt_ingest *in, struct dfopt_batch *r,
                                 uint64_t seq, const struct dfopt_record *rec,
                                 struct dfopt_event *event,
                                 struct dfopt_error *why);

/* The part of dfopt_ingest_take after decoding: keeps a good event for the log. */
enum dfopt_err dfopt_ingest_keep(struct dfopt_ingest *in, struct dfopt_batch *r,
                                 uint64_t seq, struct dfopt_event *event);

#endif
