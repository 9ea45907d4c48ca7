/* Findings about the job, in DFDiagnoser's form, over a PUSH socket of ZMQ. Nothing
 * waits for the peer: what nobody can take now is dropped, for a finding grows old.
 * Not locked. */
#ifndef DFOPT_MPIIO_FINDINGS_H
#define DFOPT_MPIIO_FINDINGS_H

#include "net/zmq/socket.h"

#include "dfopt/client.h"

/* Zeroed it is closed, and sending does nothing. */
struct dfopt_findings {
    struct dfopt_zmq_context context;
    struct dfopt_zmq_socket socket;
};

struct dfopt_mpiio_finding {
    const char *type;
    int64_t window_index;
    double severity, prevalence; /* 0..1 */
    int64_t persistence, support;
    const char *const *tags;
    size_t n_tags;
    const struct dfopt_client_metric *metrics;
    size_t n_metrics;
};

/* Returns OK; ARG or IO, the text names the endpoint; NOMEM. Owned: close. */
enum dfopt_err dfopt_findings_open(struct dfopt_findings *f, const char *endpoint,
                                   const struct dfopt_client_options *keys,
                                   struct dfopt_error *err);

/* Whether somebody took it. */
bool dfopt_findings_send(struct dfopt_findings *f,
                         const struct dfopt_mpiio_finding *finding);

/* What was sent has at most linger_ms to leave. */
void dfopt_findings_close(struct dfopt_findings *f, int linger_ms);

#endif
