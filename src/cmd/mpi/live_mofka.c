/* Opens topics. The sink comes first: whoever reads events can publish plans. */
#include "cmd/mpi/live_mofka.h"

#include "journal/line.h"
#include "transport/mofka/mofka.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void note(void *arg, const char *text)
{
    dfopt_log_event(arg, DFOPT_LOG_WARNING, "optimizer.transport.note",
                    DFOPT_F_TEXT("note", text));
}

static const char *objectives_topic(const struct dfopt_mofka_options *m)
{
    if (m->relay_only)
        return "";
    return m->objectives_topic ? m->objectives_topic : DFOPT_MOFKA_OBJECTIVES_TOPIC;
}

static enum dfopt_err open_source(struct dfopt_live *l,
                                  const struct dfopt_options *o,
                                  struct dfopt_error *err)
{
    const struct dfopt_mofka_options *m = &o->mofka;
    const char *group = m->group_file;
    const bool registry = !m->no_registry;
    const bool global = m->global_group_file && *m->global_group_file;
    const struct dfopt_mofka_source_options source = {
        .inputs =
            {[DFOPT_MOFKA_FINDINGS] = {group, m->relay_only ? NULL : m->input_topic,
                                       "--input-topic", false},
             [DFOPT_MOFKA_REGISTRATIONS] = {group,
                                            registry ? m->registry_topic : NULL,
                                            "--registry-topic", false},
             [DFOPT_MOFKA_ACKS] = {group, registry ? m->acks_topic : NULL,
                                   "--acks-topic", false},
             [DFOPT_MOFKA_GLOBAL_PLANS] = {m->global_group_file,
                                           global ? m->global_input_topic : NULL,
                                           "--global-input-topic", false},
             [DFOPT_MOFKA_OBJECTIVES] = {group, objectives_topic(m),
                                         "--objectives-topic",
                                         !m->objectives_topic},
             [DFOPT_MOFKA_COMMANDS] = {group, m->control_topic, "--control-topic",
                                       false}},
        .consumer_name = m->consumer_name,
        .idle_timeout_s = o->live.idle_timeout_ms > 0
                              ? (double)o->live.idle_timeout_ms / 1000
                              : 0,
        .max_record_bytes =
            (size_t)o->max_record_bytes - DFOPT_RECORD_ENVELOPE_BYTES,
        .note = note,
        .note_arg = l->log,
    };
    return dfopt_mofka_source_create(&l->source, l->mofka, &source, err);
}

enum dfopt_err dfopt_live_mofka_open(struct dfopt_live *l,
                                     const struct dfopt_options *o,
                                     struct dfopt_error *err)
{
    const struct dfopt_mofka_options *m = &o->mofka;
    const struct dfopt_mofka_sink_options plans = {
        .group_file = m->group_file, .topic = m->output_topic, .copies = m->copies};
    enum dfopt_err e = dfopt_mofka_link_create(
        &l->mofka, getenv("DFOPT_MOFKA_MODULE"), (int)m->broker_timeout_ms, err);
    if (!e && (e = dfopt_mofka_sink_create(&l->plans, l->mofka, &plans, err)))
        dfopt_error_prefix(err, "--output-topic");
    if (!e)
        e = open_source(l, o, err);
    if (e)
        dfopt_error_prefix(err, "transport mofka");
    return e;
}

/* glibc passes the exit code to on_exit handlers. */
static void leave(int code, void *arg)
{
    const struct dfopt_mofka_module *m = arg;
    m->remove_traces();
    fflush(NULL);
    _exit(code);
}

void dfopt_live_mofka_close(struct dfopt_live *l)
{
    const struct dfopt_mofka_module *m =
        l->mofka ? dfopt_mofka_link_module(l->mofka) : NULL;
    if (!dfopt_mofka_link_destroy(l->mofka))
        on_exit(leave, (void *)m);
    l->mofka = NULL;
}

void dfopt_live_mofka_announce(const struct dfopt_live *l,
                               const struct dfopt_options *o)
{
    const struct dfopt_mofka_options *m = &o->mofka;
    const bool global = m->global_group_file && *m->global_group_file;
    dfopt_log_event(
        l->log, DFOPT_LOG_INFO, "optimizer.stream.start",
        DFOPT_F_TEXT("group_file", m->group_file),
        DFOPT_F_TEXT("input_topic", m->relay_only ? "" : m->input_topic),
        DFOPT_F_TEXT("output_topic", m->output_topic),
        DFOPT_F_TEXT("registry_topic", m->no_registry ? "" : m->registry_topic),
        DFOPT_F_TEXT("acks_topic", m->no_registry ? "" : m->acks_topic),
        DFOPT_F_TEXT("objectives_topic", objectives_topic(m)),
        DFOPT_F_TEXT("control_topic", m->control_topic ? m->control_topic : ""),
        DFOPT_F_TEXT("global_group_file", global ? m->global_group_file : ""),
        DFOPT_F_TEXT("global_input_topic", global ? m->global_input_topic : ""),
        DFOPT_F_BOOL("relay_only", m->relay_only),
        DFOPT_F_INT("copies", m->copies));
}
