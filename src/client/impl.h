/* Internals of the client. One lock guards all mutable state except n_pending; it
 * is never held while parsing, sending, logging or waiting. Only the listener uses
 * the transport, except to wake it. */
#ifndef DFOPT_CLIENT_IMPL_H
#define DFOPT_CLIENT_IMPL_H

#include "base/buf.h"
#include "client/transport.h"
#include "diagnosis/diagnosis.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/* ---- what is declared ---- */

struct client_response {
    char *tag, *apply_when;         /* owned */
    struct dfopt_client_response r; /* its texts are the two above */
};

struct client_knob {
    char *id, *parameter, *function, *scope; /* owned */
    enum dfopt_client_kind type;
    bool has_range, has_values;
    struct dfopt_client_value default_value, lo, hi; /* as declared */
    struct dfopt_client_value current;               /* NULL: not given */
    struct dfopt_client_value *values;               /* owned */
    size_t n_values;
    struct client_response *responses; /* owned */
    size_t n_responses;
    bool has_pending;
    bool asked;              /* the application reaches its plans' boundary */
    uint32_t epochs, others; /* boundaries passed while one was pending */
    bool filed;              /* pending came from dfopt_client_enqueue */
    bool agreed;             /* a plan since the start matched the knob's value */
    enum dfopt_client_on_lost on_lost;
    struct dfopt_client_value registered; /* when first registered; NULL: not yet */
    bool tuned;                           /* a plan has set the current value */
    char boundary[DFOPT_CLIENT_NAME_SIZE]; /* of the last plan taken */
    struct dfopt_client_plan pending;
};

/* A function is due if it is wanted and was not sent on this connection. */
struct client_function {
    const char *name; /* of its first knob */
    bool wanted;
    uint64_t sent_on; /* connection number; 0: none yet */
};

/* Makes a knob from its declaration. Returns OK, with *out owned; ARG, NOMEM. */
enum dfopt_err dfopt_client_knob_create(struct client_knob **out,
                                        const struct dfopt_client_options *options,
                                        const struct dfopt_client_knob *from,
                                        struct dfopt_error *err);
void dfopt_client_knob_destroy(struct client_knob *k);

/* ---- values ---- */

/* Whether a value may be declared for, or set on, a knob of this type. */
bool dfopt_client_value_is(enum dfopt_client_kind type,
                           const struct dfopt_client_value *v);

/* Converts a value to its knob's kind: an INT becomes FLOAT on a FLOAT knob. */
struct dfopt_client_value dfopt_client_value_as(enum dfopt_client_kind type,
                                                const struct dfopt_client_value *v);

/* Whether a value is in a list; both have the same type of knob. */
bool dfopt_client_is_listed(const struct dfopt_client_value *list, size_t n,
                            const struct dfopt_client_value *v);

/* Valid declarations that are probably mistakes. */
bool dfopt_client_range_inverted(const struct dfopt_client_knob *k);
bool dfopt_client_default_outside(const struct dfopt_client_knob *k);
bool dfopt_client_step_backward(const struct dfopt_client_response *r);

/* Fits `v` to a knob: *out has its type and is within its bounds. *clamped: the
 * value changed. Returns false if it cannot have the type. */
bool dfopt_client_fit(const struct client_knob *k,
                      const struct dfopt_client_value *v,
                      struct dfopt_client_value *out, bool *clamped);

/* ---- the endpoints file ---- */

struct json_object;

/* Fills in unset options from o->endpoints_file. *owner holds the texts:
 * json_object_put. Returns OK; ARG, IO, LIMIT, PARSE, SCHEMA (*err names the file),
 * NOMEM. */
enum dfopt_err dfopt_client_endpoints(struct dfopt_client_options *o,
                                      struct json_object **owner,
                                      struct dfopt_error *err);

/* ---- messages ---- */

struct dfopt_json_parser;

/* A plan as received. */
struct client_incoming {
    struct dfopt_client_plan plan; /* as received; the knob's names are unset */
    char knob_id[DFOPT_CLIENT_TEXT_SIZE];
    char function[DFOPT_CLIENT_TEXT_SIZE]; /* "": not given */
    bool elsewhere;                        /* it targets other nodes only */
    bool filed;                            /* by dfopt_client_enqueue */
    int64_t peers; /* processes that share the sender's plans; 0: not given */
};

/* Creates a parser with the client's bounds; *out is owned:
 * dfopt_json_parser_destroy. Returns OK or NOMEM. */
enum dfopt_err dfopt_client_parser_create(const dfopt_client *c,
                                          struct dfopt_json_parser **out,
                                          struct dfopt_error *err);

/* Returns OK, or why the plan is unusable: PARSE, SCHEMA, LIMIT, NOMEM. */
enum dfopt_err dfopt_client_plan_decode(struct dfopt_json_parser *parser,
                                        const struct dfopt_client_message *m,
                                        const char *hostname,
                                        struct client_incoming *out,
                                        struct dfopt_error *err);

/* Append metadata and body. OK or NOMEM. The caller holds the lock. */
enum dfopt_err dfopt_client_registration_json(const dfopt_client *c,
                                              const char *function,
                                              struct dfopt_buf *meta,
                                              struct dfopt_buf *body);

/* The contents of an ack; all borrowed. */
struct client_ack {
    const char *plan_id, *knob_id, *reason;
    enum dfopt_client_status status;
    struct dfopt_client_value old_value, new_value;
    int64_t window_index; /* negative: omitted */
    const char *node;     /* NULL: the whole job */
    const char *instance; /* of the client */
};
enum dfopt_err dfopt_client_ack_json(const struct client_ack *a,
                                     struct dfopt_buf *meta,
                                     struct dfopt_buf *body);

/* Encodes that this client leaves the function. */
enum dfopt_err dfopt_client_unregistration_json(const dfopt_client *c,
                                                const char *function,
                                                struct dfopt_buf *meta,
                                                struct dfopt_buf *body);

/* Encodes an objective of a node or, if node is "", of the job. */
enum dfopt_err dfopt_client_objective_json(const struct dfopt_client_objective *o,
                                           const char *node, struct dfopt_buf *meta,
                                           struct dfopt_buf *body);

/* Which sites an objective or finding is for: `own`, or else the option. */
enum dfopt_client_reports dfopt_client_whose(dfopt_client *c,
                                             enum dfopt_client_reports own);

/* Marks this client as taking plans for a group. NULL is fine. */
void dfopt_client_head(dfopt_client *c);

/* ---- queued messages: queue.c ---- */

struct client_item {
    struct client_item *next;
    uint64_t number; /* for the optimizer's answer; 0: none */
    size_t meta_len, body_len;
    char bytes[]; /* metadata, then body */
};

struct client_queue {
    struct client_item *first, **last;
    size_t n, most;
    uint64_t sent, dropped;
    uint64_t asked, decided; /* numbers: of the last item, and decided so far */
};

void dfopt_client_queue_init(struct client_queue *q, size_t most);

/* Makes an item from a message encoded with result `made`, and frees the buffers.
 * Returns NULL if encoding failed, or on NOMEM. */
struct client_item *dfopt_client_item(enum dfopt_err made, struct dfopt_buf *meta,
                                      struct dfopt_buf *body);

/* Takes ownership of the item; drops the oldest one if the queue is full. Wakes the
 * listener. The caller holds the lock. */
void dfopt_client_queue_push(dfopt_client *c, struct client_queue *q,
                             struct client_item *item);

/* The same for a finding or objective, but takes the lock itself. Returns NOMEM if
 * the item is NULL. */
enum dfopt_err dfopt_client_queue_put(dfopt_client *c, struct client_queue *q,
                                      struct client_item *item);

/* Sends items while the transport takes them. Listener only. */
void dfopt_client_queue_send(dfopt_client *c, struct client_queue *q,
                             enum dfopt_client_stream stream);

/* Drops all items. Returns their number. The caller holds the lock. */
size_t dfopt_client_queue_clear(struct client_queue *q);

/* Makes an ack. Returns NULL on NOMEM. */
struct client_item *dfopt_client_ack_item(const struct client_ack *a);

/* Queues or, without an endpoint for acks, frees it. The caller holds the lock. */
void dfopt_client_ack_push(dfopt_client *c, struct client_item *item);

/* ---- loss of the optimizer: lost.c ---- */

/* Records the values that the function's knobs are first registered with. The
 * caller holds the lock. */
void dfopt_client_note_registered(dfopt_client *c, const char *function);

/* Notes a connection (its number) or its loss (0). The caller holds the lock. */
void dfopt_client_note_lease(dfopt_client *c, uint64_t connection);

/* Time left until the lease ends; negative: no lease runs, or no knob needs one.
 * The caller holds the lock. */
int64_t dfopt_client_lease_ms(const dfopt_client *c);

/* If the lease has ended, files plans that restore values. Listener only. */
void dfopt_client_look_at_lease(dfopt_client *c);

/* Notes that a knob went from `before` to its current value, by a plan or, if plan
 * is NULL, by the application. The caller holds the lock. */
void dfopt_client_note_value(dfopt_client *c, struct client_knob *k,
                             const struct dfopt_client_plan *plan,
                             const struct dfopt_client_value *before);

/* Whether the library made the plan itself. */
bool dfopt_client_is_own(const struct dfopt_client_plan *plan);

/* Makes a plan pending, in place of any that is. The caller holds the lock. */
void dfopt_client_pend(dfopt_client *c, struct client_knob *k,
                       const struct dfopt_client_plan *plan, bool filed);

/* ---- answers: answer.c ---- */

/* The client diagnoses itself. If the optimizer can answer, the client asks from
 * now on to be told when findings and objectives are decided. */
void dfopt_client_diagnoses(dfopt_client *c);

/* Appends an item's metadata with its number and request. OK or NOMEM. */
enum dfopt_err dfopt_client_ask_json(const dfopt_client *c,
                                     const struct client_item *item,
                                     struct dfopt_buf *meta);

/* Whether there were requests and all are answered. The caller holds the lock. */
bool dfopt_client_all_decided(const dfopt_client *c);

/* The client stops: cancels all requests. The caller holds the lock. */
void dfopt_client_ask_no_more(dfopt_client *c);

/* Handles a message if it is an answer; returns whether it is. Listener only. */
bool dfopt_client_answer_take(dfopt_client *c,
                              const struct dfopt_client_message *m);

/* ---- the client ---- */

#define DFOPT_CLIENT_INSTANCE_SIZE 320

enum client_state { CLIENT_IDLE, CLIENT_RUNNING, CLIENT_STOPPING };

struct dfopt_client {
    atomic_size_t n_pending; /* knobs with a pending plan; changed under the lock */
    pid_t pid;               /* the process that created it */
    char instance[DFOPT_CLIENT_INSTANCE_SIZE]; /* "instance" on the wire */
    struct dfopt_client_options options; /* texts owned, but not the transport's */
    const struct dfopt_client_transport *transport;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* state or loop_done changed */
    pthread_cond_t arrived; /* a plan, or the stop; on the monotonic clock */
    struct client_knob **knobs;
    size_t n_knobs;
    struct client_function *functions;
    size_t n_functions;
    struct client_queue acks, objectives, findings;
    struct dfopt_client_stats stats;
    struct dfopt_diagnosis diagnosis; /* of the reported windows */
    uint64_t n_applied, n_reported; /* plans: in all, and before the last window */
    bool heads_group;               /* it is rank 0 of a group */
    bool diagnoses;                 /* and so asks for answers (answer.c) */
    bool asked;                     /* a request was made since the last stop */
    uint64_t connection;   /* its number, as of the listener's last check */
    int64_t lease_ends_ns; /* monotonic; 0: no lease runs */
    bool lost;             /* the lease ended, no connection since */

    enum client_state state;
    int64_t stop_deadline_ns; /* STOPPING: when the listener gives up */
    bool loop_done;           /* the listener no longer uses the client */
    void *link;               /* the open transport; NULL: the listener is done */
    struct dfopt_json_parser *parser; /* listener only */
    bool told_of_peers;               /* likewise */
    pthread_t thread;
};

/* Whether calls may act: the client exists and belongs to this process. */
bool dfopt_client_usable(const dfopt_client *c);

/* Writes an identifier unique to this client across hosts; `host` is its host. */
void dfopt_client_instance(char out[DFOPT_CLIENT_INSTANCE_SIZE], const char *host);

/* Sets the error for a client that is not usable. */
enum dfopt_err dfopt_client_unusable(struct dfopt_error *err);

/* Returns function, or the default if it is NULL. */
const char *dfopt_client_function_name(const dfopt_client *c, const char *function);

/* Returns NULL if there is none. The caller holds the lock. The id alone is enough
 * if function is "" and no knob has that function. */
struct client_knob *dfopt_client_find(const dfopt_client *c, const char *function,
                                      const char *id);

/* Logs a printf-formatted line if a log callback is set. No lock may be held. */
void dfopt_client_say(const dfopt_client *c, enum dfopt_client_level level,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Files or drops one received message; counts it. Listener only. */
void dfopt_client_take(dfopt_client *c, const struct dfopt_client_message *m);

/* Makes a function's registration due (again). The caller holds the lock. */
void dfopt_client_register_anew(dfopt_client *c, const char *function);

/* Wakes the listener if it runs. The caller holds the lock. */
void dfopt_client_wake(dfopt_client *c);

#endif
