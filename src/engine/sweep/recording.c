/* Reads a recording; each rank does so on its own. */
#include "engine/sweep/recording.h"

#include "transport/file/file.h"
#include "transport/file/list.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <xxhash.h>

/* The last finding of a type and scope, by the pair's number. */
struct trace {
    int64_t window;
    uint32_t episode;
};

struct loader {
    struct dfopt_recording *r;
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_symmap trace_of;
    struct dfopt_buf traces; /* struct trace */
};

static enum dfopt_err add_name(struct dfopt_symmap *m, dfopt_sym name, uint32_t *n)
{
    if (dfopt_symmap_get(m, name) != DFOPT_SYMMAP_NONE)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_symmap_set(m, name, *n);
    if (!e)
        ++*n;
    return e;
}

enum dfopt_err dfopt_recording_add_knobs(struct dfopt_recording *r,
                                         const struct dfopt_registration *g)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < g->n_knobs && !e; i++) {
        const dfopt_sym id = g->knobs[i].id;
        const uint32_t before = (uint32_t)DFOPT_ROWS(&r->knobs, dfopt_sym);
        uint32_t n = before;
        e = add_name(&r->knob_of, id, &n);
        if (!e && n > before)
            e = dfopt_buf_add(&r->knobs, &id, sizeof id);
    }
    return e;
}

/* ---- episodes ---- */

/* The trace of the finding's type and scope; the pair is numbered as a list. */
static struct trace *trace_of(struct loader *l, const struct dfopt_finding *f)
{
    const dfopt_sym pair[] = {f->type, f->scope};
    const dfopt_list key = dfopt_dict_intern_list(l->dict, pair, 2);
    uint32_t n = (uint32_t)DFOPT_ROWS(&l->traces, struct trace);
    if (key == DFOPT_LIST_NONE || add_name(&l->trace_of, key, &n))
        return NULL;
    if (n > DFOPT_ROWS(&l->traces, struct trace)) {
        struct trace *t = dfopt_buf_grow(&l->traces, sizeof *t);
        if (t)
            t->episode = DFOPT_NO_EPISODE;
        return t;
    }
    return DFOPT_ROW(&l->traces, struct trace) +
           dfopt_symmap_get(&l->trace_of, key);
}

static enum dfopt_err add_episode(struct loader *l, const struct dfopt_finding *f)
{
    struct dfopt_recording *r = l->r;
    uint32_t episode = DFOPT_NO_EPISODE;
    enum dfopt_err e = DFOPT_OK;
    if (f->tags != DFOPT_LIST_EMPTY) {
        struct trace *t = trace_of(l, f);
        if (!t)
            return DFOPT_ERR_NOMEM;
        if (t->episode == DFOPT_NO_EPISODE || f->window < t->window ||
            f->window > t->window + 1) {
            t->episode = (uint32_t)DFOPT_ROWS(&r->onsets, int64_t);
            e = dfopt_buf_add(&r->onsets, &f->window, sizeof f->window);
        }
        t->window = f->window;
        episode = t->episode;
    }
    return e ? e : dfopt_buf_add(&r->episode_of, &episode, sizeof episode);
}

/* ---- records ---- */

static enum dfopt_err add_finding(struct loader *l, uint64_t seq,
                                  const struct dfopt_finding *f)
{
    struct dfopt_recording *r = l->r;
    struct dfopt_finding_row *row = dfopt_buf_grow(&r->findings, sizeof *row);
    if (!row)
        return DFOPT_ERR_NOMEM;
    row->seq = seq;
    row->f = *f;
    if (f->tags != DFOPT_LIST_EMPTY && f->trend != DFOPT_TREND_IMPROVING)
        r->severity += f->severity;
    enum dfopt_err e = DFOPT_OK;
    if (f->node != DFOPT_SYM_EMPTY)
        e = add_name(&r->node_of, f->node, &r->n_nodes);
    return e ? e : add_episode(l, f);
}

static enum dfopt_err add_other(struct loader *l, uint64_t seq, bool invalid,
                                struct dfopt_event *event)
{
    const struct dfopt_recording_other o = {
        .seq = seq, .invalid = invalid, .event = *event};
    enum dfopt_err e = dfopt_buf_add(&l->r->others, &o, sizeof o);
    if (e) {
        dfopt_event_clear(event);
        return e;
    }
    return event->stream == DFOPT_STREAM_REGISTRATION && !invalid
               ? dfopt_recording_add_knobs(l->r, &event->registration)
               : DFOPT_OK;
}

static enum dfopt_err add_record(struct loader *l, const struct dfopt_record *rec,
                                 bool strict, struct dfopt_error *err)
{
    struct dfopt_recording *r = l->r;
    const uint64_t seq = r->records++;
    struct dfopt_event event = {.stream = DFOPT_STREAM_FINDING};
    enum dfopt_err e;
    r->digest = XXH3_64bits_withSeed(rec->data, rec->len, r->digest + rec->len);
    if (rec->problem)
        e = dfopt_error_set(err, DFOPT_ERR_LIMIT, "%s", rec->problem);
    else
        e = dfopt_codec_decode(l->codec, rec->stream, rec->data, rec->len, &event,
                               err);
    if (e == DFOPT_ERR_NOMEM)
        return e;
    if (e) {
        r->invalid++;
        if (strict) {
            dfopt_error_prefix(err, "%s:%" PRIu64, rec->origin, rec->line);
            return e;
        }
        const uint32_t stream = event.stream;
        event = (struct dfopt_event){.stream = stream};
        return stream == DFOPT_STREAM_FINDING || stream == DFOPT_STREAM_OBJECTIVE
                   ? add_other(l, seq, true, &event)
                   : DFOPT_OK;
    }
    if (event.stream == DFOPT_STREAM_CONTROL) {
        dfopt_event_clear(&event); /* a variant is decided by its policy alone */
        return DFOPT_OK;
    }
    return event.stream == DFOPT_STREAM_FINDING
               ? add_finding(l, seq, &event.finding)
               : add_other(l, seq, false, &event);
}

/* Every rank reads the input, and a resumed sweep rereads it: no pipes. */
static enum dfopt_err check_files(const struct dfopt_recording_source *from,
                                  struct dfopt_error *err)
{
    struct dfopt_file_list list = {0};
    struct stat st;
    enum dfopt_err e = dfopt_file_list_make(&list, from->patterns, from->n, err);
    for (size_t i = 0; i < list.n && !e; i++) {
        const char *path = list.entries[i].path;
        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
            e = dfopt_error_set(err, DFOPT_ERR_IO,
                                "%s: not a regular file, which a sweep needs",
                                path);
    }
    dfopt_file_list_free(&list);
    return e;
}

static enum dfopt_err read_all(struct loader *l, struct dfopt_source *source,
                               const struct dfopt_recording_source *from,
                               struct dfopt_error *err)
{
    for (;;) {
        struct dfopt_record rec;
        enum dfopt_err e = DFOPT_OK;
        if (from->stop && *from->stop)
            return dfopt_error_set(err, DFOPT_ERR_INTERRUPTED, "interrupted");
        switch (source->ops->next(source, 0, &rec, err)) {
        case DFOPT_SOURCE_RECORD:
            e = add_record(l, &rec, from->strict, err);
            break;
        case DFOPT_SOURCE_END:
            return DFOPT_OK;
        case DFOPT_SOURCE_ERROR:
            return err->code;
        case DFOPT_SOURCE_WAIT:
            break;
        }
        if (e == DFOPT_ERR_NOMEM)
            dfopt_error_set(err, e, "out of memory for the recording");
        if (e)
            return e;
    }
}

enum dfopt_err dfopt_recording_load(struct dfopt_recording *r,
                                    struct dfopt_dict *dict,
                                    struct dfopt_codec *codec,
                                    const struct dfopt_recording_source *from,
                                    struct dfopt_error *err)
{
    const struct dfopt_file_source_options input = {
        .patterns = from->patterns,
        .n = from->n,
        .max_record_bytes = from->max_record_bytes,
    };
    struct loader l = {.r = r, .dict = dict, .codec = codec};
    struct dfopt_source *source = NULL;
    enum dfopt_err e = check_files(from, err);
    if (!e)
        e = dfopt_file_source_create(&source, &input, err);
    if (!e)
        e = read_all(&l, source, from, err);
    if (source)
        source->ops->destroy(source);
    dfopt_symmap_free(&l.trace_of);
    dfopt_buf_free(&l.traces);
    return e;
}

void dfopt_recording_free(struct dfopt_recording *r)
{
    struct dfopt_recording_other *o =
        DFOPT_ROW(&r->others, struct dfopt_recording_other);
    for (size_t i = 0; i < DFOPT_ROWS(&r->others, struct dfopt_recording_other);
         i++)
        dfopt_event_clear(&o[i].event);
    dfopt_buf_free(&r->findings);
    dfopt_buf_free(&r->others);
    dfopt_buf_free(&r->episode_of);
    dfopt_buf_free(&r->onsets);
    dfopt_buf_free(&r->knobs);
    dfopt_symmap_free(&r->node_of);
    dfopt_symmap_free(&r->knob_of);
    *r = (struct dfopt_recording){0};
}
