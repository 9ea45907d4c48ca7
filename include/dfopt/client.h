/* libdfopt_client: the library that an application links to be tuned while it
 * runs. The application declares knobs, receives the optimizer's plans at
 * boundaries of its own choosing, and acknowledges them.
 *
 *     dfopt_client *c;
 *     dfopt_client_create(&c, &options, &err);
 *     dfopt_client_knob_declare(c, &knob, &err);
 *     dfopt_client_start(c, &err);
 *     for (;;) {
 *         struct dfopt_client_plan p[4];
 *         size_t n = dfopt_client_at_boundary(c, NULL, "window_boundary", p, 4);
 *         for (size_t i = 0; i < n; i++) {
 *             ... set p[i].parameter to p[i].new_value.i ...
 *             dfopt_client_ack(c, &p[i], DFOPT_CLIENT_APPLIED, NULL, "", window);
 *         }
 *         ... one window of work ...
 *     }
 *     dfopt_client_stop(c, 1000);
 *     dfopt_client_destroy(c);
 *
 * The library is a guest in the process. It starts one listener thread, which
 * blocks all signals, in addition to the two threads of libzmq. It installs no
 * signal handlers, never exits, prints nothing (see dfopt_client_options.log),
 * reads no environment variables, and keeps no global state except a list of
 * connections for fork. Clients are independent of each other.
 *
 * Without an optimizer the application runs unchanged. No call blocks on the
 * optimizer; registrations and acks are queued, with bounds, until it connects.
 * When it reconnects, the client registers again with the values of that moment.
 *
 * Threads. All functions are thread-safe, with two exceptions:
 * dfopt_client_destroy must be the last call on a client, and dfopt_window_* do
 * not lock (use one window from one thread).
 *
 * Fork. The client belongs to the process that created it. In a child that has
 * not called exec it is inert: dfopt_client_at_boundary returns 0, other calls
 * return DFOPT_ERR_STATE and do nothing, and dfopt_client_destroy releases
 * nothing. fork closes the child's copies of the connections, so that it receives
 * no plans if it outlives its parent. The parent is not affected. A child that
 * wants plans creates its own client.
 *
 * A NULL client behaves like an inert one: a failed create needs no special case.
 *
 * Texts are UTF-8. The library copies those it is given, unless noted otherwise.
 * Behaviour and names follow the package dfoptimizer/runtime of DFOptimizer
 * 0.1.0; differences are noted where they occur. */
#ifndef DFOPT_CLIENT_H
#define DFOPT_CLIENT_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DFOPT_CLIENT_API __attribute__((visibility("default")))

typedef struct dfopt_client dfopt_client;

/* The library's version, such as 0.1.0. Never NULL; static storage. Any thread. */
DFOPT_CLIENT_API const char *dfopt_client_version(void);

/* ---- values ---- */

/* The kind of a value. The type of a knob is INT to BOOL. 8 (INT) is not 8.0. */
enum dfopt_client_kind {
    DFOPT_CLIENT_NULL, /* no value */
    DFOPT_CLIENT_INT,
    DFOPT_CLIENT_FLOAT,
    DFOPT_CLIENT_STR,
    DFOPT_CLIENT_BOOL
};

/* Bytes of a text value, NUL included. */
#define DFOPT_CLIENT_TEXT_SIZE 256

/* Plain data: {.kind = DFOPT_CLIENT_INT, .i = 8}, {.kind = DFOPT_CLIENT_STR,
 * .s = "posix"}. Zeroed it is NULL. */
struct dfopt_client_value {
    enum dfopt_client_kind kind;
    union {
        int64_t i;                      /* INT */
        double d;                       /* FLOAT */
        bool b;                         /* BOOL */
        char s[DFOPT_CLIENT_TEXT_SIZE]; /* STR, NUL-terminated */
    };
};

/* ---- a client ---- */

enum dfopt_client_level {
    DFOPT_CLIENT_DEBUG,
    DFOPT_CLIENT_INFO,
    DFOPT_CLIENT_WARNING
};

/* Receives one line without a newline, borrowed for the call. It runs on the
 * listener thread or on the thread that called the library, possibly on several at
 * once, with no lock held. It must not stop or destroy the client. */
typedef void (*dfopt_client_log_fn)(void *arg, enum dfopt_client_level level,
                                    const char *text);

/* How plans are distributed. PULL: each goes to one application process; use it
 * with one process per optimizer. SUB: each goes to every subscriber that it
 * concerns; the topic is the name of a node, or "*". */
enum dfopt_client_pattern { DFOPT_CLIENT_PULL, DFOPT_CLIENT_SUB };

/* For whom a process reports objectives and findings. One process per node
 * reports for the node (NODE), one per job for the job (JOB); a process that is
 * both uses BOTH, and all others NONE. So all processes can run the same code. */
enum dfopt_client_reports {
    DFOPT_CLIENT_REPORTS_DEFAULT, /* what the options say */
    DFOPT_CLIENT_REPORTS_NODE,
    DFOPT_CLIENT_REPORTS_JOB,
    DFOPT_CLIENT_REPORTS_BOTH,
    DFOPT_CLIENT_REPORTS_NONE
};

/* Members that are zero have their defaults. Borrowed for the call. */
struct dfopt_client_options {
    const char *app_namespace; /* "namespace" in messages; prefix of ids, before the
                                * '.'. Required */
    const char *function;      /* used where NULL is given as a function;
                                * NULL: "" */
    const char *hostname;      /* for plans that target nodes, at most 245 bytes;
                                * NULL: gethostname */
    const char *transport;     /* "zmq", or "mofka"; NULL: "zmq" */

    /* Endpoints such as tcp://node7:5557. NULL: nothing of that kind is sent or
     * received. If all are NULL, no listener thread is started. */
    const char *plans_endpoint;    /* connected (or bound, see plans_bind) */
    const char *registry_endpoint; /* PUSH, connected */
    const char *acks_endpoint;     /* PUSH, connected */
    enum dfopt_client_pattern plans_pattern;
    bool plans_bind; /* bind plans_endpoint; not together with keys */

    /* dfopt_client_start registers only functions for which dfopt_client_register
     * was called. For values that are known only at the first call of a function,
     * which must not miss the plans waiting for it. */
    bool lazy_registration;

    /* CURVE keys. Each is 40 characters of Z85, or the name of a file that holds
     * them (as written by dfopt-mpi or pyzmq; a secret key needs mode 0600). With
     * keys, nothing is sent to or received from a peer without the server's secret
     * key. */
    const char *curve_server_key; /* the optimizer's public key; NULL: no CURVE */
    const char *curve_secret_key; /* the application's own */
    const char *curve_public_key; /* NULL: derived from the secret one */

    size_t max_pending_acks;  /* bound of the queue of acks; beyond it the oldest
                               * is dropped. 0: 1024 */
    size_t max_queued_plans;  /* received, not yet examined; beyond it the sender
                               * waits (PULL) or drops (SUB). 0: 1000 */
    size_t max_message_bytes; /* longer plans are dropped. 0: 1 MiB */

    dfopt_client_log_fn log; /* NULL: silent */
    void *log_arg;

    const char *objectives_endpoint; /* PUSH, connected; as those above */
    size_t max_pending_objectives;   /* as max_pending_acks. 0: 1024 */
    /* For whom this client sends objectives and findings. 0: NODE, or BOTH once it
     * has a knob of the job and is the only client that receives plans (ZMQ, PULL)
     * or is rank 0 of a group (client_group.h). */
    enum dfopt_client_reports reports;

    /* For transport "mofka", which loads the Mofka client (docs/mofka.md). The
     * endpoints above are then topics, which must exist. No call blocks on the
     * broker: connecting is retried until it succeeds; a broker that has ended is
     * not reconnected. */
    const char *group_file;    /* of the service; required */
    const char *consumer_name; /* for the plans' topic; NULL: a unique name, which
                                * also receives the plans already in the topic */
    /* Set to also send registrations and acks to a global optimizer. A NULL topic
     * has the same name as the local one. A global optimizer that cannot be reached
     * is ignored. */
    const char *global_group_file, *global_registry_topic, *global_acks_topic;
    const char *global_objectives_topic; /* likewise */

    const char *findings_endpoint; /* PUSH, connected: client_measure.h */
    size_t max_pending_findings;   /* as max_pending_acks. 0: 64 */
    /* dfopt_client_stop signals the end of findings, which stops dfopt-mpi. Set it
     * only if no other client sends findings. */
    bool findings_end;

    /* A file written by dfopt-mpi --endpoints-file. It supplies those of the
     * endpoints above, their pattern and curve_server_key that are not set. It must
     * exist. Applications conventionally take its name from the variable
     * DFOPT_CLIENT_ENDPOINTS. NULL: none. */
    const char *endpoints_file;

    /* How long the optimizer may be silent before it counts as lost, for knobs with
     * on_lost. 0: 30,000 */
    int lease_ms;
};

/* Creates a client; nothing is sent or started yet. Returns OK, with *out owned
 * (release it by dfopt_client_destroy); ARG (an option is missing or out of range:
 * *err names it); IO (no host name); IO, LIMIT, PARSE, SCHEMA (endpoints_file);
 * NOMEM. err may be NULL, here and below. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_create(dfopt_client **out, const struct dfopt_client_options *options,
                    struct dfopt_error *err);

/* Stops at once (dfopt_client_stop with 0) and frees the client. NULL is fine. No
 * other call may be running or follow. */
DFOPT_CLIENT_API void dfopt_client_destroy(dfopt_client *c);

/* ---- knobs ---- */

enum dfopt_client_direction {
    DFOPT_CLIENT_INCREASE,
    DFOPT_CLIENT_DECREASE,
    DFOPT_CLIENT_SET
};

enum dfopt_client_step_mode {
    DFOPT_CLIENT_ADD,
    DFOPT_CLIENT_MULTIPLY,
    DFOPT_CLIENT_EVIDENCE
};

/* How a knob moves when a finding carries the tag. Begin with
 * DFOPT_CLIENT_RESPONSE_DEFAULT or dfopt_client_response_init: 0 means 0 here. */
struct dfopt_client_response {
    const char *tag; /* the opportunity tag; required */
    enum dfopt_client_direction direction;
    enum dfopt_client_step_mode step_mode;
    struct dfopt_client_value step;   /* a number, or NULL */
    struct dfopt_client_value set_to; /* what SET sets, or NULL */
    double min_severity;              /* 0..1 */
    double min_persistence;           /* windows */
    double cooldown_windows;          /* windows */
    const char *apply_when;           /* boundary; NULL: "epoch_boundary" */
    double effectiveness_threshold;   /* required reduction of severity, a share */
};

/* The defaults of DFOptimizer; other members may follow:
 * {DFOPT_CLIENT_RESPONSE_DEFAULT, .tag = "reader_parallelism"} */
#define DFOPT_CLIENT_RESPONSE_DEFAULT                                              \
    .min_severity = 0.5, .min_persistence = 2, .cooldown_windows = 3,              \
    .effectiveness_threshold = 0.10

/* Sets the defaults, and the tag, which is borrowed. */
DFOPT_CLIENT_API void dfopt_client_response_init(struct dfopt_client_response *r,
                                                 const char *tag);

/* Whether a value set by a plan stays when the optimizer is lost: silent for
 * lease_ms, that is without a connection to registry_endpoint. With RESTORE the
 * library queues a plan of its own, DFOPT_CLIENT_ON_LOST, back to the value of the
 * first registration. docs/client.md has the whole rule. */
enum dfopt_client_on_lost { DFOPT_CLIENT_HOLD, DFOPT_CLIENT_RESTORE };
#define DFOPT_CLIENT_ON_LOST "on_lost"

/* One knob of one function. Members that are zero have their defaults. */
struct dfopt_client_knob {
    const char *id;              /* NULL: namespace.parameter */
    const char *parameter;       /* name of the parameter; NULL: the id */
    const char *function;        /* NULL: the options' */
    const char *scope;           /* job, node, rank_local; passed on. NULL: "job" */
    enum dfopt_client_kind type; /* INT, FLOAT, STR or BOOL; required */

    /* Of the type, or an INT for a FLOAT knob; sent as given. */
    struct dfopt_client_value default_value; /* required */
    struct dfopt_client_value current;       /* present value; NULL: the default */

    /* INT and FLOAT knobs: both bounds, inclusive, or neither. */
    struct dfopt_client_value lo, hi;
    /* The only values allowed; NULL: no list. Takes precedence over the range. */
    const struct dfopt_client_value *values;
    size_t n_values;

    const struct dfopt_client_response *responses; /* one for each tag */
    size_t n_responses;

    enum dfopt_client_on_lost on_lost;
};

/* Declares a knob. dfopt_client_start registers knobs declared before it, and
 * dfopt_client_register those declared after. Likely mistakes are logged as
 * warnings: duplicate values (one is kept), lo above hi, a default that no plan may
 * set, a step opposite to its direction. Returns OK; ARG (*err names the knob and
 * the member); STATE (the function already has a knob of that id or parameter, or
 * another function uses the id: *err suggests another); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_knob_declare(dfopt_client *c, const struct dfopt_client_knob *knob,
                          struct dfopt_error *err);

/* Registers a function (NULL: the options') with its knobs and their current
 * values: at once if an optimizer is connected, else as soon as one connects. Never
 * blocks. Needed only for knobs declared or changed after dfopt_client_start.
 * Returns OK; ARG (no knob was declared for it); STATE (forked, or NULL). */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_register(dfopt_client *c,
                                                      const char *function,
                                                      struct dfopt_error *err);

/* ---- running ---- */

/* Starts the listener thread and registers all functions that have knobs (but see
 * lazy_registration). Registrations are sent once per connection of the registry
 * endpoint, so that an optimizer that starts late or restarts learns the knobs and
 * their present values. Returns OK, even if no optimizer is running; ARG or IO (an
 * endpoint or its keys are unusable: *err names it); LIMIT (too few descriptors or
 * threads, at which libzmq would abort the process: *err names which); STATE
 * (already running, forked, or NULL); NOMEM. A stopped client can be started
 * again. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_start(dfopt_client *c,
                                                   struct dfopt_error *err);

/* Stops the listener thread and closes the connections. Queued acks, objectives
 * and findings are still sent, for at most timeout_ms (0 or less: only what can be
 * sent at once). Then each function registered over this connection is
 * unregistered; a process that ends without this call, or without a connection,
 * stays registered. Returns within about timeout_ms: OK, also for a client that is
 * not running; LIMIT (some messages were dropped); STATE (forked, or NULL). Pending
 * plans stay pending. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_stop(dfopt_client *c, int timeout_ms);

/* ---- plans ---- */

#define DFOPT_CLIENT_PLAN_ID_SIZE   128
#define DFOPT_CLIENT_NAME_SIZE      128
#define DFOPT_CLIENT_RATIONALE_SIZE 512

/* A change of one knob. Plain data, may be copied; texts that do not fit are
 * truncated (plan_id never is). */
struct dfopt_client_plan {
    char plan_id[DFOPT_CLIENT_PLAN_ID_SIZE];
    const char *knob_id, *parameter, *function; /* live as long as the client */
    struct dfopt_client_value new_value; /* of the knob's type, within its bounds */
    struct dfopt_client_value old_value; /* assumed by the optimizer; any kind */
    bool clamped;         /* new_value differs from the value that was sent */
    bool for_node;        /* addressed to this node; else to the whole job */
    double severity;      /* 0..1 */
    int64_t window_index; /* of the finding */
    char apply_when[DFOPT_CLIENT_NAME_SIZE];
    char finding_type[DFOPT_CLIENT_NAME_SIZE];
    char opportunity_tag[DFOPT_CLIENT_NAME_SIZE];
    char rationale[DFOPT_CLIENT_RATIONALE_SIZE]; /* for a person */
    uint64_t connection; /* for the library: on which it was received */
};

/* Returns the plans pending for a function (NULL: the options') at a boundary:
 * those whose apply_when is that boundary, and at "epoch_boundary" (also NULL) all.
 * At most one per knob, the latest, in the order of declaration; plans that do not
 * fit in out stay pending. Returns their number, at most max. The caller applies
 * and acknowledges each.
 *
 * Without pending plans the cost is one atomic load. It never blocks on the
 * network.
 *
 * A plan that was in flight to a predecessor of this process starts from another
 * value than the knob has. The library rejects such plans and registers again until
 * the first plan that matches (with PULL over ZMQ and a registry_endpoint).
 *
 * The new value is made to fit, as in DFOptimizer: a value that is not in the
 * knob's list becomes the default, one outside the range the nearer bound; a real
 * for an INT knob loses its fraction, an integer for a FLOAT knob becomes real, a
 * number for a BOOL knob its truth value. If the value still is not of the knob's
 * type (a text or boolean for a number, NaN, anything but a text for a STR knob),
 * the plan is not returned: the library acknowledges it as rejected. */
DFOPT_CLIENT_API size_t dfopt_client_at_boundary(dfopt_client *c,
                                                 const char *function,
                                                 const char *boundary,
                                                 struct dfopt_client_plan *out,
                                                 size_t max);

/* Like dfopt_client_at_boundary, but with none pending waits up to wait_ms: for a
 * plan or, after windows or findings over ZMQ, dfopt-mpi's answer that all that it
 * sent is decided (then 0). Returns at once if the client is not running. */
DFOPT_CLIENT_API size_t dfopt_client_at_boundary_wait(dfopt_client *c,
                                                      const char *function,
                                                      const char *boundary,
                                                      struct dfopt_client_plan *out,
                                                      size_t max, int wait_ms);

/* Queues a plan as if it had been received: `plan` is its JSON, `len` bytes, as in
 * docs/messages.md. For tests, and for applications that receive plans by other
 * means. Also works on a client that was never started. Returns OK: it is pending;
 * PARSE, SCHEMA, LIMIT (*err describes the flaw); ARG (it is for another node, for
 * no knob of this client, or its value does not fit the knob's type: *err names
 * plan and knob); STATE (forked, or NULL); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_enqueue(dfopt_client *c,
                                                     const char *plan, size_t len,
                                                     struct dfopt_error *err);

enum dfopt_client_status {
    DFOPT_CLIENT_APPLIED,  /* the knob has the value */
    DFOPT_CLIENT_REJECTED, /* the plan will not be applied */
    DFOPT_CLIENT_DEFERRED  /* perhaps later: the caller keeps the plan and may
                            * acknowledge it again */
};

/* Acknowledges a plan. `value` is the knob's present value, borrowed; NULL: the
 * plan's new_value if applied, else none. `reason` is for people (NULL: "").
 * `window_index` is the caller's window (negative: omitted). If applied, the value
 * becomes the knob's current one; and if the plan came over an earlier connection,
 * whose optimizer alone could match the ack, the function is registered again.
 * Never blocks: the listener thread, if it runs, sends acks in order while an
 * optimizer is connected. An ack in flight when the connection breaks may be lost.
 * Returns OK; ARG (a plan of an undeclared knob, an invalid status or value); STATE
 * (forked, or NULL); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_ack(dfopt_client *c, const struct dfopt_client_plan *plan,
                 enum dfopt_client_status status,
                 const struct dfopt_client_value *value, const char *reason,
                 int64_t window_index);

/* ---- objectives ---- */

enum dfopt_client_goal { DFOPT_CLIENT_MAX, DFOPT_CLIENT_MIN };

struct dfopt_client_metric {
    const char *name;
    double value; /* finite */
};

/* What the application achieved in one analysis window: samples/s or, with MIN,
 * seconds per step. Members that are zero have their defaults. Borrowed. */
struct dfopt_client_objective {
    int64_t
        window_index; /* of the analysis window, that of findings; |w| <= 2^53 */
    double value;     /* finite */
    enum dfopt_client_goal goal;
    enum dfopt_client_reports reports;         /* for whom; 0: as in the options */
    const struct dfopt_client_metric *metrics; /* for guards; NULL: none */
    size_t n_metrics;
};

/* Sends an objective to options.objectives_endpoint (NULL: it is discarded). Call
 * it after the window has closed. Never blocks: the listener thread sends
 * objectives in order; beyond max_pending_objectives the oldest is dropped. Returns
 * OK; ARG (an invalid value, window, goal or metric); STATE (forked, or NULL);
 * NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_objective(dfopt_client *c, const struct dfopt_client_objective *o);

/* ---- values and statistics ---- */

/* Gets the value of a knob: the last one applied or set, else the declared current
 * value, else the default. function NULL: the options'. Returns OK; ARG (no such
 * knob); STATE (forked, or NULL), *out untouched. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_current(dfopt_client *c, const char *function, const char *knob_id,
                     struct dfopt_client_value *out);

/* Records that the application itself set a knob to this value, which is not
 * clamped; the next registration includes it. Returns OK; ARG (no such knob, or not
 * of its type); STATE (forked, or NULL). */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_current_set(dfopt_client *c, const char *function, const char *knob_id,
                         const struct dfopt_client_value *value);

/* Counts since create. */
struct dfopt_client_stats {
    uint64_t plans_received;   /* messages, valid or not */
    uint64_t plans_malformed;  /* dropped: shape, size, JSON, types of members */
    uint64_t plans_other_node; /* dropped: for other nodes */
    uint64_t plans_unknown;    /* dropped: function or knob not declared; also
                                * rejected if function and namespace match */
    uint64_t plans_unfit;      /* rejected: the value is not of the knob's type */
    uint64_t plans_replaced;   /* by a later one for the knob, before a boundary */
    uint64_t plans_delivered;  /* returned at a boundary */
    uint64_t plans_pending;    /* now */
    uint64_t acks_sent;
    uint64_t acks_dropped; /* the queue was full, or left at stop */
    uint64_t acks_pending; /* now */
    uint64_t registrations_sent;
    uint64_t connections; /* of the registry endpoint, reconnections included */
    uint64_t objectives_sent;
    uint64_t objectives_dropped; /* the queue was full, or left at stop */
    uint64_t objectives_pending; /* now */
    uint64_t plans_outdated;     /* rejected: meant for a predecessor */
    uint64_t findings_sent;
    uint64_t findings_dropped; /* the queue was full, or left at stop */
    uint64_t findings_pending; /* now */
    uint64_t optimizers_lost;  /* leases that ran out, where any knob asks */
    uint64_t values_restored;  /* plans DFOPT_CLIENT_ON_LOST that were applied */
    uint64_t answers_received; /* that what this client has sent is decided */
};

/* Returns OK, or STATE (forked, or NULL), *out untouched. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_stats(dfopt_client *c,
                                                   struct dfopt_client_stats *out);

#ifdef __cplusplus
}
#endif

#include "dfopt/client_window.h"
#endif
