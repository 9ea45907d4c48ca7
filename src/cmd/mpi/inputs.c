/* Opens the input and detects its kind. */
#include "cmd/mpi/inputs.h"

#include "cmd/mpi/paths.h"
#include "transport/file/file.h"
#include "transport/file/list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_AHEAD_RECORDS 1000 /* until one that tells the kind of input */
#define WAIT_MS            100

/* An output must not be an input: opening it would truncate it. */
static enum dfopt_err check_output(const struct dfopt_file_list *inputs,
                                   const char *option, const char *path,
                                   struct dfopt_error *err)
{
    if (!path || strcmp(path, "-") == 0 || access(path, F_OK) != 0)
        return DFOPT_OK;
    for (size_t i = 0; i < inputs->n; i++)
        if (dfopt_path_same(inputs->entries[i].path, path))
            return dfopt_error_set(err, DFOPT_ERR_ARG,
                                   "%s %s: also an input; write to another file",
                                   option, path);
    return DFOPT_OK;
}

/* Opens the input for all ranks to read, if that is possible and wanted. */
static enum dfopt_err open_splits(struct dfopt_inputs *in,
                                  const struct dfopt_options *o,
                                  const struct dfopt_file_list *inputs,
                                  struct dfopt_error *err)
{
    const bool may =
        o->readers != DFOPT_READERS_ONE &&
        (o->readers == DFOPT_READERS_ALL || o->log_level > DFOPT_LOG_DEBUG);
    const char **paths = calloc(inputs->n ? inputs->n : 1, sizeof *paths);
    if (!paths)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < inputs->n; i++)
        paths[i] = inputs->entries[i].path;
    enum dfopt_err e = DFOPT_OK;
    if (may)
        e = dfopt_splits_open(&in->splits, paths, inputs->n,
                              (size_t)o->max_record_bytes, err);
    free(paths);
    if (!e && !in->splits && o->readers == DFOPT_READERS_ALL)
        e = dfopt_error_set(err, DFOPT_ERR_ARG,
                            "--readers all needs files of JSON lines; use "
                            "--readers one for this input");
    return e;
}

enum dfopt_err dfopt_inputs_open(struct dfopt_inputs *in,
                                 const struct dfopt_options *o,
                                 struct dfopt_error *err)
{
    const struct dfopt_file_source_options input = {
        .patterns = o->findings_files,
        .n = o->n_findings_files,
        .max_record_bytes = (size_t)o->max_record_bytes,
    };
    struct dfopt_file_list list = {0};
    enum dfopt_err e = dfopt_file_source_create(&in->source, &input, err);
    if (!e)
        e = dfopt_file_list_make(&list, input.patterns, input.n, err);
    if (!e)
        e = check_output(&list, "--plans-file", o->plans_file, err);
    if (!e)
        e = check_output(&list, "--final-state", o->final_state_file, err);
    if (!e)
        e = open_splits(in, o, &list, err);
    dfopt_file_list_free(&list);
    return e;
}

/* What a record says about the input: 1: an event of an event log, 0: a bare
 * finding, -1: nothing, since it cannot be decoded. */
static int kind_of_record(struct dfopt_codec *codec, const struct dfopt_record *rec)
{
    struct dfopt_event event;
    if (rec->problem ||
        dfopt_codec_decode(codec, -1, rec->data, rec->len, &event, NULL))
        return -1;
    const int kind = event.enveloped;
    dfopt_event_clear(&event);
    return kind;
}

/* Whether the first decodable record is an event; reads regular files a second
 * time. Returns as kind_of_record. */
static int look_ahead(const struct dfopt_inputs *in, const struct dfopt_options *o,
                      struct dfopt_codec *codec)
{
    const struct dfopt_file_source_options input = {
        .patterns = o->findings_files,
        .n = o->n_findings_files,
        .max_record_bytes = (size_t)o->max_record_bytes,
    };
    struct dfopt_source *again;
    struct dfopt_record rec;
    struct dfopt_source_progress size = {0};
    int kind = -1;
    in->source->ops->progress(in->source, &size);
    if (size.bytes_total == 0 || dfopt_file_source_create(&again, &input, NULL))
        return -1;
    for (int i = 0; kind < 0 && i < LOOK_AHEAD_RECORDS; i++) {
        const enum dfopt_source_status status =
            again->ops->next(again, 0, &rec, NULL);
        if (status == DFOPT_SOURCE_RECORD)
            kind = kind_of_record(codec, &rec);
        else if (status != DFOPT_SOURCE_ERROR)
            break;
    }
    again->ops->destroy(again);
    return kind;
}

enum dfopt_err dfopt_inputs_kind(struct dfopt_inputs *in,
                                 const struct dfopt_options *o,
                                 struct dfopt_codec *codec, bool *event_log,
                                 struct dfopt_error *err)
{
    struct dfopt_record rec;
    *event_log = false;
    switch (dfopt_file_source_peek(in->source, WAIT_MS, &rec, err)) {
    case DFOPT_SOURCE_WAIT:
        return DFOPT_ERR_STATE;
    case DFOPT_SOURCE_ERROR:
        return err->code;
    case DFOPT_SOURCE_END:
        return DFOPT_OK;
    default:
        break;
    }
    int kind = kind_of_record(codec, &rec);
    if (kind < 0)
        kind = look_ahead(in, o, codec);
    *event_log = kind == 1;
    return DFOPT_OK;
}

void dfopt_inputs_close(struct dfopt_inputs *in)
{
    if (in->source)
        in->source->ops->destroy(in->source);
    dfopt_splits_close(in->splits);
    *in = (struct dfopt_inputs){0};
}
