/* The texts of runs, and which of them are rules. */
#include "state/runs.h"

#include "state/fold.h"

#include <string.h>

enum dfopt_err dfopt_fold_run_texts(struct dfopt_declog_reader *r, uint64_t run,
                                    struct dfopt_buf *texts,
                                    const char *text[DFOPT_RUN_TEXT_COUNT],
                                    struct dfopt_error *err)
{
    struct dfopt_declog_run_text_row row[DFOPT_RUN_TEXT_COUNT];
    size_t at[DFOPT_RUN_TEXT_COUNT] = {0};
    enum dfopt_err e = dfopt_declog_reader_read(r, DFOPT_TABLE_RUN_TEXTS,
                                                run * DFOPT_RUN_TEXT_COUNT,
                                                DFOPT_RUN_TEXT_COUNT, row, err);
    dfopt_buf_clear(texts);
    if (!e)
        e = dfopt_buf_add(texts, "", 1);
    for (size_t i = 0; !e && i < DFOPT_RUN_TEXT_COUNT; i++) {
        const char *bytes;
        if (row[i].run != run)
            return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                                   "damaged: /run_texts does not fit /runs");
        e = dfopt_declog_reader_text(r, DFOPT_POOL_RUN_TEXT, row[i].text, &bytes,
                                     err);
        at[row[i].name] = texts->len;
        if (!e)
            e = dfopt_buf_add(texts, bytes,
                              (size_t)(row[i].text.end - row[i].text.start));
        if (!e)
            e = dfopt_buf_add(texts, "", 1);
    }
    for (size_t i = 0; !e && i < DFOPT_RUN_TEXT_COUNT; i++)
        text[i] = texts->data + at[i];
    return e;
}

bool dfopt_fold_same_rules(const char *const a[DFOPT_RUN_TEXT_COUNT],
                           const char *const b[DFOPT_RUN_TEXT_COUNT])
{
    static const enum dfopt_run_text rules[] = {
        DFOPT_RUN_policy, DFOPT_RUN_acks_mode, DFOPT_RUN_relay_hostname};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(a[rules[i]], b[rules[i]]) != 0)
            return false;
    return true;
}

enum dfopt_err dfopt_fold_names(const struct dfopt_declog_reader *r,
                                struct dfopt_dict *dict)
{
    const struct dfopt_dict *from = dfopt_declog_reader_dict(r);
    const struct dfopt_declog_commit_row *last = &dfopt_declog_reader_run(r)->last;
    for (dfopt_sym i = 0; i < last->rows[DFOPT_TABLE_STRINGS]; i++) {
        size_t len;
        const char *text = dfopt_dict_text(from, i, &len);
        if (dfopt_dict_intern(dict, text, len) != i)
            return DFOPT_ERR_NOMEM;
    }
    for (dfopt_list i = 0; i < last->rows[DFOPT_TABLE_LISTS]; i++) {
        size_t n;
        const dfopt_sym *items = dfopt_dict_items(from, i, &n);
        if (dfopt_dict_intern_list(dict, items, n) != i)
            return DFOPT_ERR_NOMEM;
    }
    return DFOPT_OK;
}
