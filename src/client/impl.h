/* Inside of the client. One lock guards all that changes, but for n_pending; it is
 * never held while something is parsed, sent, or logged, nor while waiting. Nobody
 * but the listener uses the transport, except to wake it. */
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
    struct dfopt_client_value current;               /* NULL: not said */
    struct dfopt_client_value *values;               /* owned */
    size_t n_values;
    struct client_response *responses; /* owned */
    size_t n_responses;
    bool has_pending;
    bool asked;              /* somebody asks for the boundary of its plans */
    uint32_t epochs, others; /* boundaries at which nobody did, while one waited */
    bool filed;              /* pending is of dfopt_client_enqueue */
    bool agreed; /* a plan since the start was made from the value that it has */
    enum dfopt_client_on_lost on_lost;
    struct dfopt_client_value registered; /* when first registered; NULL: not yet */
    bool tuned;                           /* a plan has set the current value */
    char boundary[DFOPT_CLIENT_NAME_SIZE]; /* of the plan that was taken last */
    struct dfopt_client_plan pending;
};

/* A function is due while it is wanted and was not sent on this connection. */
struct client_function {
    const char *name; /* of its first knob */
    bool wanted;
    uint64_t sent_on; /* number of the connection; 0: none yet */
};

/* A copy of a text. Returns whether there was memory. */
bool dfopt_client_copy(char **out, const char *text);

/* Makes a knob of its declaration. Returns OK, with *out owned; ARG, NOMEM. */
enum dfopt_err dfopt_client_knob_create(struct client_knob **out,
                                        const struct dfopt_client_options *options,
                                        const struct dfopt_client_knob *from,
                                        struct dfopt_error *err);
void dfopt_client_knob_destroy(struct client_knob *k);

/* ---- values ---- */

/* Whether a value may be declared for, or set on, a knob of this type. */
bool dfopt_client_value_is(enum dfopt_client_kind type,
                           const struct dfopt_client_value *v);

/* The value in the kind of its knob: an INT becomes FLOAT on a FLOAT knob. */
struct dfopt_client_value dfopt_client_value_as(enum dfopt_client_kind type,
                                                const struct dfopt_client_value *v);

/* Whether a value is in a list; both are of the same type of knob. */
bool dfopt_client_is_listed(const struct dfopt_client_value *list, size_t n,
                            const struct dfopt_client_value *v);

/* Declarations that are usable, but probably mistakes. */
bool dfopt_client_range_inverted(const struct dfopt_client_knob *k);
bool dfopt_client_default_outside(const struct dfopt_client_knob *k);
bool dfopt_client_step_backward(const struct dfopt_client_response *r);

/* What a knob takes when it is told `v`: *out in its type and within its bounds.
 * *clamped: it is another value. False: it cannot be of the type. */
bool dfopt_client_fit(const struct client_knob *k,
                      const struct dfopt_client_value *v,
                      struct dfopt_client_value *out, bool *clamped);

/* ---- the file of endpoints ---- */

struct json_object;

/* Fills in what o->endpoints_file has and the options leave out. *owner holds the
 * texts: json_object_put. Returns OK; ARG, IO, LIMIT, PARSE, SCHEMA (*err names the
 * file), NOMEM. */
enum dfopt_err dfopt_client_endpoints(struct dfopt_client_options *o,
                                      struct json_object **owner,
                                      struct dfopt_error *err);

/* ---- messages ---- */

struct dfopt_json_parser;

/* A plan as it came. */
struct client_incoming {
    struct dfopt_client_plan plan; /* new_value as it came; no names of the knob */
    char knob_id[DFOPT_CLIENT_TEXT_SIZE];
    char function[DFOPT_CLIENT_TEXT_SIZE]; /* "": not said */
    bool elsewhere;                        /* it targets nodes, and not this one */
    bool filed;                            /* by dfopt_client_enqueue */
    int64_t peers; /* among whom the sender deals out plans in turn; 0: not said */
};

/* A parser with the client's bounds; *out is owned: dfopt_json_parser_destroy.
 * Returns OK or NOMEM. */
enum dfopt_err dfopt_client_parser_create(const dfopt_client *c,
                                          struct dfopt_json_parser **out,
                                          struct dfopt_error *err);

/* Returns OK, or why it cannot be used: PARSE, SCHEMA, LIMIT, NOMEM. */
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

/* What an ack says; all borrowed. */
struct client_ack {
    const char *plan_id, *knob_id, *reason;
    enum dfopt_client_status status;
    struct dfopt_client_value old_value, new_value;
    int64_t window_index; /* negative: left out */
    const char *node;     /* NULL: the whole job */
    const char *instance; /* of the client */
};
enum dfopt_err dfopt_client_ack_json(const struct client_ack *a,
                                     struct dfopt_buf *meta,
                                     struct dfopt_buf *body);

/* Says that this client leaves the function. */
enum dfopt_err dfopt_client_unregistration_json(const dfopt_client *c,
                                                const char *function,
                                                struct dfopt_buf *meta,
                                                struct dfopt_buf *body);

/* An objective of a node, or, with "", of the job. */
enum dfopt_err dfopt_client_objective_json(const struct dfopt_client_objective *o,
                                           const char *node, struct dfopt_buf *meta,
                                           struct dfopt_buf *body);

/* Whose objective or finding it is: own, or else what the options say. */
enum dfopt_client_reports dfopt_client_whose(dfopt_client *c,
                                             enum dfopt_client_reports own);

/* This client takes plans for a group. NULL is fine. */
void dfopt_client_head(dfopt_client *c);

/* ---- messages that wait: queue.c ---- */

struct client_item {
    struct client_item *next;
    uint64_t number; /* that the optimizer is to answer; 0: none */
    size_t meta_len, body_len;
    char bytes[]; /* metadata, then body */
};

struct client_queue {
    struct client_item *first, **last;
    size_t n, most;
    uint64_t sent, dropped;
    uint64_t asked, decided; /* numbers: of the last item, and how far answered */
};

void dfopt_client_queue_init(struct client_queue *q, size_t most);

/* Makes an item of a message that was written with the result `made`, and frees the
 * buffers. Returns NULL if it was not written, or on NOMEM. */
struct client_item *dfopt_client_item(enum dfopt_err made, struct dfopt_buf *meta,
                                      struct dfopt_buf *body);

/* Takes the item; drops the oldest beyond the bound. Wakes the listener. The
 * caller holds the lock. */
void dfopt_client_queue_push(dfopt_client *c, struct client_queue *q,
                             struct client_item *item);

/* The same of a finding or objective, with the lock taken here. NOMEM if the item
 * is NULL. */
enum dfopt_err dfopt_client_queue_put(dfopt_client *c, struct client_queue *q,
                                      struct client_item *item);

/* Sends what there is, until the transport takes no more. Listener only. */
void dfopt_client_queue_send(dfopt_client *c, struct client_queue *q,
                             enum dfopt_client_stream stream);

/* Drops all. Returns how many there were. The caller holds the lock. */
size_t dfopt_client_queue_clear(struct client_queue *q);

/* Makes an ack. Returns NULL on NOMEM. */
struct client_item *dfopt_client_ack_item(const struct client_ack *a);

/* Has it sent, if anybody asks for acks. The caller holds the lock. */
void dfopt_client_ack_push(dfopt_client *c, struct client_item *item);

/* ---- an optimizer that is lost: lost.c ---- */

/* The values that the function's knobs are first registered with. The caller holds
 * the lock. */
void dfopt_client_note_registered(dfopt_client *c, const char *function);

/* A connection was made (its number) or lost (0), now. The caller holds the lock.
 */
void dfopt_client_note_lease(dfopt_client *c, uint64_t connection);

/* Until the lease ends; negative: none runs, or nobody asks. The caller holds the
 * lock. */
int64_t dfopt_client_lease_ms(const dfopt_client *c);

/* Files plans back, if the lease has ended. Listener only. */
void dfopt_client_look_at_lease(dfopt_client *c);

/* A plan of a knob was applied, or its value set by the application (plan NULL),
 * from `before` to its current value. The caller holds the lock. */
void dfopt_client_note_value(dfopt_client *c, struct client_knob *k,
                             const struct dfopt_client_plan *plan,
                             const struct dfopt_client_value *before);

/* Whether a plan is the library's own. */
bool dfopt_client_is_own(const struct dfopt_client_plan *plan);

/* Has a plan wait for its boundary, in place of one that does. The caller holds the
 * lock. */
void dfopt_client_pend(dfopt_client *c, struct client_knob *k,
                       const struct dfopt_client_plan *plan, bool filed);

/* ---- answers: answer.c ---- */

/* The client finds itself what there is to find: if the optimizer can answer, it is
 * asked from now on to tell when findings and objectives are decided. */
void dfopt_client_diagnoses(dfopt_client *c);

/* Appends the metadata of an item with a number, and what it asks. OK or NOMEM. */
enum dfopt_err dfopt_client_ask_json(const dfopt_client *c,
                                     const struct client_item *item,
                                     struct dfopt_buf *meta);

/* Whether something was asked, and all is answered. The caller holds the lock. */
bool dfopt_client_all_decided(const dfopt_client *c);

/* The client stops: what was asked until now counts no more. The caller holds the
 * lock. */
void dfopt_client_ask_no_more(dfopt_client *c);

/* Takes a message if it is an answer. Listener only. */
bool dfopt_client_answer_take(dfopt_client *c,
                              const struct dfopt_client_message *m);

/* ---- the client ---- */

#define DFOPT_CLIENT_INSTANCE_SIZE 320

enum client_state { CLIENT_IDLE, CLIENT_RUNNING, CLIENT_STOPPING };

struct dfopt_client {
    atomic_size_t n_pending; /* knobs with a plan; changed under the lock */
    pid_t pid;               /* whose it is */
    char instance[DFOPT_CLIENT_INSTANCE_SIZE]; /* "instance" on the wire */
    struct dfopt_client_options options; /* texts owned, but for the transport's */
    const struct dfopt_client_transport *transport;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* of state, or of loop_done */
    pthread_cond_t arrived; /* a plan, or the end; on the monotonic clock */
    struct client_knob **knobs;
    size_t n_knobs;
    struct client_function *functions;
    size_t n_functions;
    struct client_queue acks, objectives, findings;
    struct dfopt_client_stats stats;
    struct dfopt_diagnosis diagnosis; /* of the windows that were reported */
    uint64_t n_applied, n_reported; /* plans: in all, and before the last window */
    bool heads_group;               /* rank 0 of one */
    bool diagnoses;                 /* and so asks (answer.c) */
    bool asked;                     /* something since the last stop */
    uint64_t connection;   /* the one that stands, as of the listener's last look */
    int64_t lease_ends_ns; /* monotonic; 0: none runs */
    bool lost;             /* it has ended, and there was no connection since */

    enum client_state state;
    int64_t stop_deadline_ns; /* STOPPING: when the listener gives up */
    bool loop_done;           /* the listener touches the client no more */
    void *link;               /* the open transport; NULL: the listener has gone */
    struct dfopt_json_parser *parser; /* the listener's */
    bool told_of_peers;               /* likewise */
    pthread_t thread;
};

/* Whether a call may do anything: there is a client, and it is this process's. */
bool dfopt_client_usable(const dfopt_client *c);

/* Writes a text that no other client has, on any host, for a client on `host`. */
void dfopt_client_instance(char out[DFOPT_CLIENT_INSTANCE_SIZE], const char *host);

/* The usual error for one that is not. */
enum dfopt_err dfopt_client_unusable(struct dfopt_error *err);

/* function, or what stands in for NULL. */
const char *dfopt_client_function_name(const dfopt_client *c, const char *function);

/* NULL if there is none. The caller holds the lock. An id alone is enough where
 * function is "" and no knob has that function. */
struct client_knob *dfopt_client_find(const dfopt_client *c, const char *function,
                                      const char *id);

/* Logs a printf-formatted line, if anybody listens. No lock may be held. */
void dfopt_client_say(const dfopt_client *c, enum dfopt_client_level level,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Files or drops one received message; counts it. Listener only. */
void dfopt_client_take(dfopt_client *c, const struct dfopt_client_message *m);

/* Has a function's registration sent (again). The caller holds the lock. */
void dfopt_client_register_anew(dfopt_client *c, const char *function);

/* Wakes the listener, if there is one. The caller holds the lock. */
void dfopt_client_wake(dfopt_client *c);

/* The listener thread: arg is the client. */
void *dfopt_client_listen(void *arg);

#endif
