/* The client's transports as an ops table, so that one with extra dependencies
 * (mofka) can be loaded on demand. Only the listener thread calls the operations,
 * except open and wake. */
#ifndef DFOPT_CLIENT_TRANSPORT_H
#define DFOPT_CLIENT_TRANSPORT_H

#include "dfopt/client.h"

#define DFOPT_CLIENT_TRANSPORT_ABI 3

/* Events that wait can report. */
enum dfopt_client_ready {
    DFOPT_CLIENT_PLAN_IN = 1,          /* receive has a plan; always polled */
    DFOPT_CLIENT_REGISTRATION_OUT = 2, /* a registration can be sent */
    DFOPT_CLIENT_ACK_OUT = 4,          /* an ack can be sent */
    DFOPT_CLIENT_OBJECTIVE_OUT = 8,    /* an objective can be sent */
    DFOPT_CLIENT_FINDING_OUT = 16      /* a finding can be sent */
};

enum dfopt_client_stream {
    DFOPT_CLIENT_REGISTRATIONS,
    DFOPT_CLIENT_ACKS,
    DFOPT_CLIENT_OBJECTIVES,
    DFOPT_CLIENT_FINDINGS
};

enum dfopt_client_received {
    DFOPT_CLIENT_NOTHING,   /* nothing left for now */
    DFOPT_CLIENT_MESSAGE,   /* *out is set */
    DFOPT_CLIENT_ELSEWHERE, /* dropped: meant for another node */
    DFOPT_CLIENT_MISSHAPEN  /* dropped: wrong number of parts */
};

/* One message: its metadata and its body, both JSON; borrowed. */
struct dfopt_client_message {
    const char *meta, *body;
    size_t meta_len, body_len;
};

struct dfopt_client_transport {
    unsigned abi; /* DFOPT_CLIENT_TRANSPORT_ABI */
    const char *name;

    /* Starts connecting and returns at once. `options` has hostname and the bounds
     * filled in, `instance` identifies the client to the optimizer; both are
     * borrowed for the call. Returns OK, with *out owned: close; or ARG, IO, NOMEM
     * with *err set. Any thread; afterwards the link belongs to the listener. */
    enum dfopt_err (*open)(void **out, const struct dfopt_client_options *options,
                           const char *instance, struct dfopt_error *err);

    /* Waits up to timeout_ms (negative: no limit) for any of PLAN_IN | want, wake,
     * or a connection change. Returns what is ready, possibly 0. */
    unsigned (*wait)(void *t, unsigned want, int64_t timeout_ms);

    /* Returns the next plan without waiting; borrowed until the next receive. */
    enum dfopt_client_received (*receive)(void *t,
                                          struct dfopt_client_message *out);

    /* Sends without waiting. Returns OK, or STATE if it would block. */
    enum dfopt_err (*send)(void *t, enum dfopt_client_stream stream,
                           const struct dfopt_client_message *message);

    /* The number of the current connection to the registration endpoint, from 1; 0
     * if not connected. As of the last wait. */
    uint64_t (*connection)(void *t);

    /* An endpoint (or group file) with no answer for five seconds since open; each
     * is reported once. NULL: none. Borrowed until the next wait. */
    const char *(*unanswered)(void *t);

    /* Interrupts the current wait, or the next one. Any thread, before close. */
    void (*wake)(void *t);

    /* Flushes sent messages for at most linger_ms, then frees everything. */
    void (*close)(void *t, int linger_ms);
};

extern const struct dfopt_client_transport dfopt_client_transport_zmq;
extern const struct dfopt_client_transport dfopt_client_transport_mofka;

/* Finds a transport by name. Returns OK, or ARG with *err set. */
enum dfopt_err
dfopt_client_transport_find(const char *name,
                            const struct dfopt_client_transport **out,
                            struct dfopt_error *err);

#endif
