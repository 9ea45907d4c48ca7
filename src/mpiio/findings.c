#include "mpiio/findings.h"

#include "json/write.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#define MESSAGES 64 /* that may wait for a slow peer */
#define SCOPE    "job:window"

enum dfopt_err dfopt_findings_open(struct dfopt_findings *f, const char *endpoint,
                                   const struct dfopt_client_options *keys,
                                   struct dfopt_error *err)
{
    const struct dfopt_zmq_curve curve = {.client_secret = keys->curve_secret_key,
                                          .client_public = keys->curve_public_key,
                                          .server_public = keys->curve_server_key};
    const struct dfopt_zmq_socket_options options = {
        .type = ZMQ_PUSH, .high_water = MESSAGES, .cut_off_bytes = -1};
    const bool secret = keys->curve_server_key || keys->curve_secret_key;
    struct dfopt_zmq_keys loaded;
    *f = (struct dfopt_findings){.context = {.handle = zmq_ctx_new()}};
    if (!f->context.handle)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%.200s: out of memory",
                               endpoint);
    enum dfopt_err e =
        dfopt_zmq_keys_load(&loaded, secret ? &curve : NULL, false, endpoint, err);
    if (!e)
        e = dfopt_zmq_socket_open(&f->socket, &f->context, &options, endpoint,
                                  &loaded, err);
    explicit_bzero(&loaded, sizeof loaded);
    if (e)
        dfopt_findings_close(f, 0);
    return e;
}

void dfopt_findings_close(struct dfopt_findings *f, int linger_ms)
{
    if (f->socket.handle)
        dfopt_zmq_socket_close(&f->socket, linger_ms);
    while (f->context.handle && zmq_ctx_term(f->context.handle) != 0 &&
           errno == EINTR)
        continue;
    *f = (struct dfopt_findings){.context = {.handle = NULL}};
}

static const char *severity_word(double s)
{
    return s >= 0.85  ? "critical"
           : s >= 0.6 ? "high"
           : s >= 0.3 ? "medium"
           : s > 0    ? "low"
                      : "none";
}

static void put_lists(struct dfopt_put *p, const struct dfopt_mpiio_finding *f)
{
    dfopt_put_key(p, "contributing_facts");
    dfopt_put_raw(p, "[[");
    dfopt_put_z(p, f->type);
    dfopt_put_next(p);
    dfopt_put_z(p, SCOPE);
    dfopt_put_raw(p, "]]");
    dfopt_member_text(p, "recommendation_bundle", "io_hints");
    dfopt_put_key(p, "opportunity_tags");
    dfopt_put_raw(p, "[");
    for (size_t i = 0; i < f->n_tags; i++) {
        dfopt_put_next(p);
        dfopt_put_z(p, f->tags[i]);
    }
    dfopt_put_raw(p, "],\"suppresses_tags\":[]");
}

static void put_body(struct dfopt_put *p, const struct dfopt_mpiio_finding *f)
{
    dfopt_put_raw(p, "{");
    dfopt_member_text(p, "finding_type", f->type);
    dfopt_member_text(p, "scope", SCOPE);
    dfopt_member_text(p, "layer", "mpiio");
    dfopt_member_text(p, "view_type", "window");
    dfopt_member_text(p, "motif", "unclassified");
    dfopt_member_text(p, "severity", severity_word(f->severity));
    dfopt_member_real(p, "severity_score", f->severity);
    dfopt_member_real(p, "confidence", 0.5);
    dfopt_member_real(p, "prevalence", f->prevalence);
    dfopt_member_int(p, "persistence", f->persistence);
    dfopt_member_int(p, "support_windows", f->support);
    dfopt_member_text(p, "trend_direction", "stable");
    dfopt_member_int(p, "last_seen_window", f->window_index);
    put_lists(p, f);
    dfopt_member_int(p, "window_index", f->window_index);
    dfopt_put_key(p, "key_metrics");
    dfopt_put_raw(p, "{");
    for (size_t i = 0; i < f->n_metrics; i++)
        dfopt_member_real(p, f->metrics[i].name, f->metrics[i].value);
    dfopt_put_raw(p, "}");
    dfopt_member_text(p, "publish_mode", "control");
    dfopt_put_raw(p, "}");
}

/* Once libzmq has taken the first part it takes the second, too. */
bool dfopt_findings_send(struct dfopt_findings *f,
                         const struct dfopt_mpiio_finding *finding)
{
    static const char metadata[] = "{\"artifact_type\":\"diagnosis_finding\","
                                   "\"publish_mode\":\"control\"}";
    struct dfopt_buf body = {0};
    struct dfopt_put p = dfopt_put_start(&body, NULL);
    if (!f->socket.handle)
        return false;
    put_body(&p, finding);
    const bool sent =
        dfopt_put_end(&p) == DFOPT_OK &&
        zmq_send(f->socket.handle, metadata, sizeof metadata - 1,
                 ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
        zmq_send(f->socket.handle, body.data, body.len, ZMQ_DONTWAIT) >= 0;
    dfopt_buf_free(&body);
    return sent;
}
