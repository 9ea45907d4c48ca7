/* One rank's slice of a replay batch: the records of one input split, decoded,
 * numbered and, once all ranks have decided their shares of it, merged. */
#ifndef DFOPT_ENGINE_REPLAY_SLICE_H
#define DFOPT_ENGINE_REPLAY_SLICE_H

#include "engine/batch/shard.h"
#include "engine/batch/ingest.h"
#include "transport/file/split.h"

struct dfopt_slice {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    const struct dfopt_policy *policy;
    struct dfopt_router *router;  /* borrowed: of this rank's planner */
    void (*meanwhile)(void *arg); /* called regularly while decoding; or NULL */
    void *meanwhile_arg;
    struct dfopt_ingest ingest;
    struct dfopt_split_reader reader;
    struct dfopt_batch batch; /* the input, and the decisions about it */
    struct dfopt_buf others;  /* private: records that are not findings, */
    struct dfopt_buf texts;   /* and their bytes */
    uint64_t by_stream[DFOPT_STREAM_COUNT]; /* usable records */
    uint64_t lines;
    bool news;              /* its registrations change routes */
    uint64_t first_offset;  /* of the first record */
    uint64_t reject_offset; /* of the first unusable record, if any */
    dfopt_sym origin;
};

/* Zero *s and set the members above `ingest` first. OK or NOMEM. */
enum dfopt_err dfopt_slice_init(struct dfopt_slice *s);
void dfopt_slice_free(struct dfopt_slice *s);

/* Reads and decodes a split; an empty one gives an empty slice. Events are
 * numbered from 0. OK, NOMEM or IO (what was read before is kept). */
enum dfopt_err dfopt_slice_decode(struct dfopt_slice *s, struct dfopt_splits *p,
                                  const struct dfopt_split *split,
                                  struct dfopt_error *err);

/* Records of the slice, and the number of the first unusable one, or UINT64_MAX. */
uint64_t dfopt_slice_records(const struct dfopt_slice *s);
uint64_t dfopt_slice_first_reject(const struct dfopt_slice *s);

/* Cuts the slice to its first `keep` records, and renumbers its events and lines
 * to the whole input. New strings now have their numbers; `renumber`: there were
 * some. Then routes its events. OK or NOMEM. */
enum dfopt_err dfopt_slice_place(struct dfopt_slice *s, uint64_t keep,
                                 uint64_t first_seq, uint64_t lines_before,
                                 bool renumber);

/* Has a planner on this rank decide its share of this slice. */
enum dfopt_err dfopt_slice_decide(struct dfopt_slice *s, struct dfopt_shard *d,
                                  struct dfopt_decisions *out);

/* Puts the share of a planner on another rank in a frame. */
enum dfopt_err dfopt_slice_send(struct dfopt_slice *s, uint32_t planner,
                                struct dfopt_frame *f);

#endif
