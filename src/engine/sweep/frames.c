/* Two frames per rank may be in flight: one is written while the other is sent. */
#include "engine/sweep/frames.h"

enum dfopt_err dfopt_outbox_begin(struct dfopt_outbox *o, struct dfopt_comm *comm,
                                  const struct dfopt_dict *dict,
                                  struct dfopt_frame *f, struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_send_finish(comm, &o->sending[o->next], err);
    if (e)
        return e;
    e = dfopt_frame_begin(f, &o->frames[o->next], dict, NULL);
    return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e)) : DFOPT_OK;
}

enum dfopt_err dfopt_outbox_send(struct dfopt_outbox *o, struct dfopt_comm *comm,
                                 int to, struct dfopt_frame *f,
                                 enum dfopt_frame_kind kind,
                                 struct dfopt_error *err)
{
    const unsigned at = o->next;
    dfopt_frame_end(f, kind, 0);
    o->next = at ^ 1;
    return dfopt_comm_send(comm, to, &o->frames[at], &o->sending[at], err);
}

void dfopt_outbox_free(struct dfopt_outbox *o, struct dfopt_comm *comm)
{
    for (unsigned i = 0; i < 2; i++) {
        dfopt_send_finish(comm, &o->sending[i], NULL);
        dfopt_buf_free(&o->frames[i]);
    }
}
