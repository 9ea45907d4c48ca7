/* Opens the ends of a service, over ZMQ here. The sink comes first: the source
 * watches its descriptor, to stop waiting for findings when a peer can take
 * plans. */
#include "cmd/mpi/live.h"

#include "cmd/mpi/descriptors.h"
#include "cmd/mpi/live_mofka.h"
#include "journal/line.h"
#include "transport/zmq/control.h"

#include <string.h>

static void note(void *arg, enum dfopt_zmq_note note, const char *endpoint,
                 const char *detail, uint64_t total)
{
    struct dfopt_log *log = arg;
    dfopt_log_event(log, DFOPT_LOG_WARNING, "optimizer.transport.note",
                    DFOPT_F_TEXT("endpoint", endpoint),
                    DFOPT_F_TEXT("note", dfopt_zmq_note_text(note)),
                    DFOPT_F_TEXT("detail", detail), DFOPT_F_INT("total", total));
}

static enum dfopt_err open_plans(struct dfopt_live *l,
                                 const struct dfopt_options *o,
                                 struct dfopt_error *err)
{
    const struct dfopt_live_options *v = &o->live;
    const struct dfopt_zmq_sink_options plans = {
        .endpoint = v->plans_address,
        .pattern = v->plans_pub ? DFOPT_ZMQ_PUB : DFOPT_ZMQ_PUSH,
        .max_queued = (size_t)v->plans_queue,
        .linger_ms = v->linger_ms > 0 ? (int)v->linger_ms : -1,
        .ipv6 = v->ipv6,
        .curve = v->use_curve ? &v->curve : NULL,
        .note = note,
        .note_arg = l->log,
    };
    if (!v->plans_address || v->plans_address[0] == '\0')
        return DFOPT_OK;
    return dfopt_zmq_sink_create(&l->plans, &plans, err);
}

static enum dfopt_err open_source(struct dfopt_live *l,
                                  const struct dfopt_options *o,
                                  struct dfopt_error *err)
{
    const struct dfopt_live_options *v = &o->live;
    const struct dfopt_zmq_source_options source = {
        .findings = v->address,
        .findings_bind = v->bind,
        .registrations = v->registry_address,
        .acks = v->acks_address,
        .objectives = v->objectives_address,
        .applications = v->applications_address,
        .idle_timeout_s =
            v->idle_timeout_ms > 0 ? (double)v->idle_timeout_ms / 1000 : 0,
        .wake_fds = {l->plans ? dfopt_zmq_sink_fd(l->plans) : -1},
        .n_wake_fds = l->plans != NULL,
        .max_message_bytes =
            (size_t)o->max_record_bytes - DFOPT_RECORD_ENVELOPE_BYTES,
        .ipv6 = v->ipv6,
        .curve = v->use_curve ? &v->curve : NULL,
        .note = note,
        .note_arg = l->log,
    };
    return dfopt_zmq_source_create(&l->source, &source, err);
}

static enum dfopt_err open_port(struct dfopt_live *l, const struct dfopt_options *o,
                                struct dfopt_error *err)
{
    const struct dfopt_live_options *v = &o->live;
    const bool is_local =
        v->control_address && strncmp(v->control_address, "ipc://", 6) == 0;
    const struct dfopt_zmq_control_options port = {
        .endpoint = v->control_address,
        .ipv6 = v->ipv6,
        .max_bytes = (size_t)o->max_record_bytes - DFOPT_RECORD_ENVELOPE_BYTES,
        .curve = v->use_curve && !is_local ? &v->curve : NULL,
        .note = note,
        .note_arg = l->log};
    if (!v->control_address || v->control_address[0] == '\0')
        return DFOPT_OK;
    return dfopt_zmq_control_create(&l->port, &port, err);
}

enum dfopt_err dfopt_live_open(struct dfopt_live *l, const struct dfopt_options *o,
                               struct dfopt_error *err)
{
    enum dfopt_err e;
    dfopt_descriptors_raise();
    if (o->transport == DFOPT_TRANSPORT_MOFKA) {
        e = dfopt_live_mofka_open(l, o, err);
        if (!e)
            e = open_port(l, o, err);
        if (e && o->transport_by_default)
            dfopt_error_prefix(err, "no --findings-file and no --transport");
        return e;
    }
    e = open_plans(l, o, err);
    if (!e)
        e = open_source(l, o, err);
    return e ? e : open_port(l, o, err);
}

enum dfopt_err dfopt_live_close_plans(struct dfopt_live *l, struct dfopt_error *err)
{
    struct dfopt_sink *plans = l->plans;
    l->plans = NULL;
    return plans ? plans->ops->destroy(plans, err) : DFOPT_OK;
}

void dfopt_live_close(struct dfopt_live *l)
{
    (void)dfopt_live_close_plans(l, NULL);
    if (l->source)
        l->source->ops->destroy(l->source);
    l->source = NULL;
    if (l->port)
        l->port->ops->destroy(l->port);
    l->port = NULL;
    dfopt_live_mofka_close(l);
}

/* An endpoint's purpose and address, and who is connected; peers: negative if they
 * are not counted. */
static void put_endpoint(struct dfopt_put *p, const char *name, const char *at,
                         const char *state, int64_t peers)
{
    if (!at || !*at)
        return;
    dfopt_put_next(p);
    dfopt_put_raw(p, "{");
    dfopt_member_text(p, "name", name);
    dfopt_member_text(p, "endpoint", at);
    dfopt_member_text(p, "state", state);
    if (peers >= 0)
        dfopt_member_int(p, "peers", peers);
    dfopt_put_raw(p, "}");
}

static void put_zmq(struct dfopt_put *p, const struct dfopt_live *l)
{
    static const struct {
        enum dfopt_zmq_stream stream;
        const char *name;
    } streams[] = {{DFOPT_ZMQ_FINDINGS, "findings"},
                   {DFOPT_ZMQ_REGISTRATIONS, "registrations"},
                   {DFOPT_ZMQ_ACKS, "acks"},
                   {DFOPT_ZMQ_OBJECTIVES, "objectives"},
                   {DFOPT_ZMQ_APPLICATIONS, "applications"}};
    static const char *const states[] = {[DFOPT_ZMQ_BOUND] = "listening",
                                         [DFOPT_ZMQ_CONNECTING] = "connecting",
                                         [DFOPT_ZMQ_CONNECTED] = "connected"};
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        const enum dfopt_zmq_stream stream = streams[i].stream;
        const enum dfopt_zmq_connection c =
            dfopt_zmq_source_connection(l->source, stream);
        put_endpoint(p, streams[i].name,
                     dfopt_zmq_source_endpoint(l->source, stream), states[c],
                     c == DFOPT_ZMQ_BOUND
                         ? (int64_t)dfopt_zmq_source_peers(l->source, stream)
                         : -1);
    }
    if (l->plans)
        put_endpoint(p, "plans", dfopt_zmq_sink_endpoint(l->plans), "listening",
                     dfopt_zmq_sink_peers(l->plans));
}

void dfopt_live_describe(const struct dfopt_live *l, const struct dfopt_options *o,
                         struct dfopt_put *p)
{
    dfopt_member_text(p, "transport", o->transport_name);
    dfopt_put_key(p, "endpoints");
    dfopt_put_raw(p, "[");
    if (o->transport == DFOPT_TRANSPORT_MOFKA) {
        const struct dfopt_mofka_options *m = &o->mofka;
        put_endpoint(p, "findings", m->relay_only ? "" : m->input_topic,
                     "connected", -1);
        if (!m->no_registry) {
            put_endpoint(p, "registrations", m->registry_topic, "connected", -1);
            put_endpoint(p, "acks", m->acks_topic, "connected", -1);
        }
        put_endpoint(p, "plans", m->output_topic, "connected", -1);
    } else {
        put_zmq(p, l);
    }
    put_endpoint(p, "control", l->port ? dfopt_zmq_control_endpoint(l->port) : "",
                 "listening", -1);
    dfopt_put_raw(p, "]");
    if (l->port)
        dfopt_member_uint(p, "clients_refused", dfopt_zmq_control_refused(l->port));
}

void dfopt_live_announce(const struct dfopt_live *l, const struct dfopt_options *o)
{
    if (o->transport == DFOPT_TRANSPORT_MOFKA) {
        dfopt_live_mofka_announce(l, o);
        return;
    }
    const char *at[DFOPT_ZMQ_STREAMS];
    for (int i = 0; i < DFOPT_ZMQ_STREAMS; i++) {
        at[i] = dfopt_zmq_source_endpoint(l->source, (enum dfopt_zmq_stream)i);
        if (!at[i])
            at[i] = "";
    }
    dfopt_log_event(
        l->log, DFOPT_LOG_INFO, "optimizer.listening",
        DFOPT_F_TEXT("findings", at[DFOPT_ZMQ_FINDINGS]),
        DFOPT_F_TEXT("registrations", at[DFOPT_ZMQ_REGISTRATIONS]),
        DFOPT_F_TEXT("acks", at[DFOPT_ZMQ_ACKS]),
        DFOPT_F_TEXT("objectives", at[DFOPT_ZMQ_OBJECTIVES]),
        DFOPT_F_TEXT("applications", at[DFOPT_ZMQ_APPLICATIONS]),
        DFOPT_F_TEXT("plans", l->plans ? dfopt_zmq_sink_endpoint(l->plans) : ""),
        DFOPT_F_TEXT("control",
                     l->port ? dfopt_zmq_control_endpoint(l->port) : ""));
}
