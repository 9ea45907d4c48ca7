/* The log of the previous run, and whether this run fits it. For the input and the
 * plans file see resume_files.c. */
#include "cmd/mpi/resume.h"

#include "declog/liveness.h"
#include "journal/source.h"
#include "journal/journal.h"
#include "policy/policy_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the log ---- */

enum dfopt_err dfopt_resume_open(struct dfopt_resume *r, const char *path,
                                 struct dfopt_dict *dict, struct dfopt_error *err)
{
    r->path = path;
    enum dfopt_err e = dfopt_declog_reader_open(&r->reader, path, err);
    if (e)
        return e;
    if (dfopt_fold_names(r->reader, dict))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
    const int version = (int)dfopt_declog_reader_run(r->reader)->format_version;
    if (version < DFOPT_DECLOG_VERSION)
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "cannot resume %s: log format %d is not supported; use "
            "dfopt-mpi 0.1 or start a new log",
            path, version);
    e = dfopt_fold_log(&r->fold, r->reader, dict, UINT64_MAX, true, err);
    if (e) {
        dfopt_error_prefix(err, "%s", path);
        return e;
    }
    return dfopt_declog_reader_is_free(r->reader, err);
}

void dfopt_resume_close(struct dfopt_resume *r)
{
    dfopt_declog_reader_close(r->reader);
    dfopt_fold_free(&r->fold);
    *r = (struct dfopt_resume){.path = NULL};
}

uint32_t dfopt_resume_run(const struct dfopt_resume *r)
{
    return (uint32_t)strtoul(r->fold.run_text[DFOPT_RUN_run_id], NULL, 16);
}

bool dfopt_resume_assumed_acks(const struct dfopt_resume *r)
{
    return strcmp(r->fold.run_text[DFOPT_RUN_acks_mode], "assumed") == 0;
}

bool dfopt_resume_has_journal(const struct dfopt_resume *r)
{
    return !dfopt_declog_reader_run(r->reader)->complete &&
           strcmp(r->fold.run_text[DFOPT_RUN_transport], "file") != 0;
}

enum dfopt_err dfopt_resume_no_journal(const struct dfopt_resume *r,
                                       struct dfopt_error *err)
{
    struct dfopt_buf path = {0};
    bool left = false;
    enum dfopt_err e = dfopt_buf_printf(&path, "%s" DFOPT_JOURNAL_SUFFIX, r->path);
    if (e)
        dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    else
        e = dfopt_journal_has_more(path.data, r->fold.next_seq, &left, err);
    if (left)
        e = dfopt_error_set(err, DFOPT_ERR_ARG,
                            "--resume %s: %s" DFOPT_JOURNAL_SUFFIX
                            " has records that its service received last; resume "
                            "with --transport %s, or remove the journal",
                            r->path, r->path,
                            r->fold.run_text[DFOPT_RUN_transport]);
    dfopt_buf_free(&path);
    return e;
}

/* ---- what must not have changed ---- */

static enum dfopt_err differs(const struct dfopt_resume *r, const char *what,
                              const char *was, const char *is,
                              struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_ARG,
                           "--resume %s: %s was %s in the log, now it is %s; add "
                           "--allow-policy-change to resume with the new one",
                           r->path, what, was, is);
}

static const char *switch_text(const struct dfopt_switch_info *s, int64_t value,
                               char number[24])
{
    if (s->kind == DFOPT_SWITCH_CHOICE)
        return s->choice[value];
    if (s->kind == DFOPT_SWITCH_BOOL)
        return value ? "true" : "false";
    if (s->kind == DFOPT_SWITCH_REAL) {
        double real;
        memcpy(&real, &value, sizeof real);
        snprintf(number, 24, "%g", real);
        return number;
    }
    snprintf(number, 24, "%" PRId64, value);
    return number;
}

/* Names the first switch that differs. */
static enum dfopt_err compare_switches(const struct dfopt_resume *r,
                                       const struct dfopt_policy *was,
                                       const struct dfopt_policy *is,
                                       struct dfopt_error *err)
{
    size_t n;
    const struct dfopt_switch_info *s = dfopt_switch_table(&n);
    for (size_t i = 0; i < n; i++) {
        char old[24], new[24];
        int64_t a, b;
        memcpy(&a, (const char *)&was->on + s[i].offset, sizeof a);
        memcpy(&b, (const char *)&is->on + s[i].offset, sizeof b);
        if (a != b)
            return differs(r, s[i].name, switch_text(&s[i], a, old),
                           switch_text(&s[i], b, new), err);
    }
    return DFOPT_OK;
}

static enum dfopt_err compare_policies(const struct dfopt_resume *r,
                                       const struct dfopt_resume_rules *now,
                                       struct dfopt_error *err)
{
    const char *text = r->fold.run_text[DFOPT_RUN_policy];
    struct dfopt_policy was;
    struct dfopt_buf is = {0};
    dfopt_policy_preset(&was, DFOPT_PRESET_DEFAULT);
    enum dfopt_err e = dfopt_policy_read(now->dict, text, strlen(text), &was, err);
    if (!e)
        e = compare_switches(r, &was, now->policy, err);
    if (!e && (dfopt_policy_json(now->dict, now->policy, &is) ||
               dfopt_buf_add(&is, "", 1)))
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    if (!e && strcmp(is.data, text) != 0)
        e = differs(r, "policy", "another", "changed", err);
    dfopt_policy_clear(&was);
    dfopt_buf_free(&is);
    return e;
}

enum dfopt_err dfopt_resume_change_rules(struct dfopt_resume *r,
                                         const struct dfopt_resume_rules *now,
                                         struct dfopt_error *err)
{
    const char *is[DFOPT_RUN_TEXT_COUNT];
    struct dfopt_buf policy = {0};
    memcpy(is, r->fold.run_text, sizeof is);
    if (dfopt_policy_json(now->dict, now->policy, &policy) ||
        dfopt_buf_add(&policy, "", 1)) {
        dfopt_buf_free(&policy);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    is[DFOPT_RUN_policy] = policy.data;
    is[DFOPT_RUN_acks_mode] = now->assumed_acks ? "assumed" : "explicit";
    is[DFOPT_RUN_relay_hostname] = now->relay_hostname;
    const bool same = dfopt_fold_same_rules(is, r->fold.run_text);
    dfopt_buf_free(&policy);
    if (same || !r->fold.left_to_feed)
        return DFOPT_OK;
    dfopt_fold_free(&r->fold);
    enum dfopt_err e =
        dfopt_fold_log(&r->fold, r->reader, now->dict, UINT64_MAX, false, err);
    if (e)
        dfopt_error_prefix(err, "%s", r->path);
    return e;
}

bool dfopt_resume_has_initial(const struct dfopt_resume *r,
                              const struct dfopt_buf *bodies)
{
    return bodies->len == r->fold.initial.len &&
           (bodies->len == 0 ||
            memcmp(bodies->data, r->fold.initial.data, bodies->len) == 0);
}

enum dfopt_err dfopt_resume_compare(const struct dfopt_resume *r,
                                    const struct dfopt_resume_rules *now,
                                    struct dfopt_error *err)
{
    const char *const *was = r->fold.run_text;
    const char *acks = now->assumed_acks ? "assumed" : "explicit";
    if (strcmp(was[DFOPT_RUN_acks_mode], acks) != 0)
        return differs(r, "acks", was[DFOPT_RUN_acks_mode], acks, err);
    if (strcmp(was[DFOPT_RUN_relay_hostname], now->relay_hostname) != 0)
        return differs(r, "relay-hostname", was[DFOPT_RUN_relay_hostname],
                       now->relay_hostname, err);
    /* a run killed before its first commit left nothing to compare with */
    const bool fresh = r->fold.initial.len == 0 && r->fold.next_seq == 0;
    if (now->initial->len && !fresh && !dfopt_resume_has_initial(r, now->initial))
        return differs(r, "registry", r->fold.initial.len ? "another" : "empty",
                       "changed", err);
    return compare_policies(r, now, err);
}
