/* Answers: the same items in every mode, whatever frame carries them. */
#include "engine/batch/answer.h"

#include <string.h>

enum dfopt_err dfopt_answer_failed(int rank, const char *why, size_t len,
                                   struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_STATE, "rank %d cannot continue: %.*s",
                           rank, (int)(len < 200 ? len : 200), len ? why : "");
}

enum dfopt_err dfopt_answer_results(struct dfopt_frame_reader *in,
                                    struct dfopt_dict *dict,
                                    struct dfopt_frame_translation *t,
                                    struct dfopt_decisions *out)
{
    struct dfopt_item item;
    enum dfopt_err e = DFOPT_OK;
    while (!e && dfopt_frame_next(in, &item, &e))
        e = dfopt_item_rows(&item, dict, t, out, NULL, NULL, NULL);
    return e;
}

enum dfopt_err dfopt_answer_state(struct dfopt_frame_reader *in, int from,
                                  struct dfopt_dict *dict,
                                  struct dfopt_frame_translation *t,
                                  struct dfopt_run_result *out,
                                  struct dfopt_error *err)
{
    struct dfopt_item item;
    struct dfopt_decisions none = {0};
    enum dfopt_err e = DFOPT_OK;
    while (!e && dfopt_frame_next(in, &item, &e)) {
        if (item.kind == DFOPT_ITEM_TEXT) {
            dfopt_decisions_free(&none);
            return dfopt_answer_failed(from, item.data, item.size, err);
        }
        e = dfopt_item_rows(&item, dict, t, &none, &out->state, &out->suppressions,
                            &out->commanded);
    }
    for (int i = 0; i < DFOPT_DECISION_TABLES && !e; i++)
        if (dfopt_decision_rows(&none, i)->len)
            e = DFOPT_ERR_FORMAT;
    dfopt_decisions_free(&none);
    return e ? dfopt_error_set(err, e, "state of rank %d: %s", from,
                               dfopt_err_text(e))
             : DFOPT_OK;
}

enum dfopt_err dfopt_answer_put_state(struct dfopt_frame *f,
                                      const struct dfopt_shard *s)
{
    struct dfopt_buf rows = {0}, suppressions = {0}, commanded = {0};
    enum dfopt_err e = dfopt_shard_state(s, &rows, &suppressions);
    if (!e)
        e = dfopt_shard_commanded(s, &commanded);
    if (!e)
        e = dfopt_frame_state(f, &rows, &suppressions, &commanded);
    dfopt_buf_free(&commanded);
    dfopt_buf_free(&rows);
    dfopt_buf_free(&suppressions);
    return e;
}

enum dfopt_err dfopt_answer_put_failure(struct dfopt_frame *f,
                                        const struct dfopt_error *why)
{
    return dfopt_frame_item(f, DFOPT_ITEM_TEXT, why->text, strlen(why->text));
}
