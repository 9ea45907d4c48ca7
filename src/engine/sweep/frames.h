/* Items of a sweep's frames, and sending them. For the sweep's files only. */
#ifndef DFOPT_ENGINE_SWEEP_FRAMES_H
#define DFOPT_ENGINE_SWEEP_FRAMES_H

#include "engine/comm/frame.h"
#include "engine/comm/comm.h"

/* DFOPT_ITEM_SWEEP_START. Preceded by strings and lists, and by CONFIG, whose
 * policy is ignored; followed by the paths as TEXT, then registrations. */
struct dfopt_sweep_start {
    uint64_t max_record_bytes;
    uint32_t strict;
    uint32_t reserved;
};

struct dfopt_sweep_ready { /* DFOPT_ITEM_SWEEP_READY */
    uint64_t records, findings, digest;
};

/* A block: for each variant its number (CODE) and policy (CONFIG). Results: one
 * DFOPT_ITEM_SWEEP_RESULT per variant. */

#define DFOPT_SWEEP_BLOCKS_AHEAD 2 /* per rank: one decided, one waiting */

/* Frames in flight to one rank. Zero-initialise. */
struct dfopt_outbox {
    struct dfopt_buf frames[2];
    struct dfopt_send *sending[2];
    unsigned next;
};

/* Waits for space, then begins a frame to the rank with nothing defined. */
enum dfopt_err dfopt_outbox_begin(struct dfopt_outbox *o, struct dfopt_comm *comm,
                                  const struct dfopt_dict *dict,
                                  struct dfopt_frame *f, struct dfopt_error *err);
enum dfopt_err dfopt_outbox_send(struct dfopt_outbox *o, struct dfopt_comm *comm,
                                 int to, struct dfopt_frame *f,
                                 enum dfopt_frame_kind kind,
                                 struct dfopt_error *err);

/* Waits until everything is sent, and frees. */
void dfopt_outbox_free(struct dfopt_outbox *o, struct dfopt_comm *comm);

#endif
