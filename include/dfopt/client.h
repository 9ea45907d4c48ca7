/* libdfopt_client: what an application links to be tuned while it runs. It
 * declares knobs, takes the plans of an optimizer at boundaries of its own
 * choosing, and says what became of them.
 *
 *     dfopt_client *c;
 *     dfopt_client_create(&c, &options, &err);
 *     dfopt_client_knob_declare(c, &knob, &err);
 *     dfopt_client_start(c, &err);
 *     for (;;) {
 *         struct dfopt_client_plan p[4];
 *         size_t n = dfopt_client_at_boundary(c, NULL, "window_boundary", p, 4);
 *         for (size_t i = 0; i < n; i++) {
 *             ... let p[i].parameter be p[i].new_value.i ...
 *             dfopt_client_ack(c, &p[i], DFOPT_CLIENT_APPLIED, NULL, "", window);
 *         }
 *         ... one window of work ...
 *     }
 *     dfopt_client_stop(c, 1000);
 *     dfopt_client_destroy(c);
 *
 * It is a guest in the process. It starts one listener thread, which takes no
 * signals, beside the two that libzmq starts; it installs no signal handlers,
 * never exits, prints nothing (see dfopt_client_options.log), reads no
 * environment, and keeps no global state but a list of connections for fork:
 * clients are independent of each other.
 *
 * Without an optimizer the application runs unchanged. No call waits for one;
 * registrations and acks wait inside the library, bounded, until it is there.
 * When it comes back it is told everything again, with the values of that moment.
 *
 * Threads. Any call may be made from any thread at any time, also while others
 * are in the library, but for two: dfopt_client_destroy is the last call on a
 * client, and dfopt_window_* are not locked (one window, one thread).
 *
 * Fork. The client belongs to the process that created it. In a child that has
 * not called exec it is inert: dfopt_client_at_boundary gives 0, other calls
 * return DFOPT_ERR_STATE and do nothing, dfopt_client_destroy releases nothing. Its
 * copies of the connections are closed by fork, so that it takes no plans if it
 * outlives its parent. The parent goes on undisturbed. A child that wants plans
 * creates its own client.
 *
 * A client that is NULL behaves like an inert one, so that an application whose
 * create failed needs no other code.
 *
 * Texts are UTF-8. Those given to the library are copied, unless a comment says
 * otherwise. Behaviour and names are those of DFOptimizer 0.1.0, its package
 * dfoptimizer/runtime; differences are noted where they occur. */
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

/* The library's version, as 0.1.0. Never NULL; static storage. Any thread. */
DFOPT_CLIENT_API const char *dfopt_client_version(void);

/* ---- values ---- */

/* What a value is; as the type of a knob, INT to BOOL. 8 (INT) is not 8.0. */
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
        char s[DFOPT_CLIENT_TEXT_SIZE]; /* STR, ended by NUL */
    };
};

/* ---- a client ---- */

enum dfopt_client_level {
    DFOPT_CLIENT_DEBUG,
    DFOPT_CLIENT_INFO,
    DFOPT_CLIENT_WARNING
};

/* Takes one line, without newline, borrowed for the call. It runs on the listener
 * thread or on the thread that called the library, several at once perhaps; no
 * lock is held. It must not stop or destroy the client. */
typedef void (*dfopt_client_log_fn)(void *arg, enum dfopt_client_level level,
                                    const char *text);

/* How plans are sent. PULL: each goes to one application; fit for one
 * application process an optimizer. SUB: each goes to everyone whom it concerns;
 * the topic is the name of a node, or "*". */
enum dfopt_client_pattern { DFOPT_CLIENT_PULL, DFOPT_CLIENT_SUB };

/* Whose objective an application reports. Of the processes of a node one reports
 * for it (NODE), and of those of the job one for the job (JOB); the process that is
 * both does so for BOTH, and all others say NONE, so that each may run the same
 * code. */
enum dfopt_client_reports {
    DFOPT_CLIENT_REPORTS_DEFAULT, /* what the options say */
    DFOPT_CLIENT_REPORTS_NODE,
    DFOPT_CLIENT_REPORTS_JOB,
    DFOPT_CLIENT_REPORTS_BOTH,
    DFOPT_CLIENT_REPORTS_NONE
};

/* Zero a member to have its default. Borrowed for the call that takes it. */
struct dfopt_client_options {
    const char *app_namespace; /* "namespace" on the wire; before the '.' of ids.
                                * Must be given */
    const char *function;      /* stands in where NULL is given as a function;
                                * NULL: "" */
    const char *hostname;      /* for plans that target nodes; NULL: gethostname */
    const char *transport;     /* "zmq", or "mofka"; NULL: "zmq" */

    /* Endpoints such as tcp://node7:5557. NULL: nothing of that kind is sent or
     * received; with all of them NULL there is no listener thread either. */
    const char *plans_endpoint;    /* connected to (or bound, see plans_bind) */
    const char *registry_endpoint; /* PUSH, connected */
    const char *acks_endpoint;     /* PUSH, connected */
    enum dfopt_client_pattern plans_pattern;
    bool plans_bind; /* bind plans_endpoint; not together with keys */

    /* Start registers only those functions for which dfopt_client_register was
     * called: where the values are not known before the first call of a function,
     * which must not miss plans that wait for it. */
    bool lazy_registration;

    /* CURVE keys. Each is 40 characters of Z85, or the name of a file that holds
     * them (one that dfopt-mpi or pyzmq writes; a secret one is the owner's alone,
     * mode 0600). With them nothing goes to, or is taken from, a peer that has not
     * the server's secret key. */
    const char *curve_server_key; /* the optimizer's public key; NULL: no CURVE */
    const char *curve_secret_key; /* the application's own */
    const char *curve_public_key; /* NULL: made from the secret one */

    size_t max_pending_acks;  /* acks that wait; beyond it the oldest is dropped.
                               * 0: 1024 */
    size_t max_queued_plans;  /* received, not yet looked at; then the sender
                               * waits (PULL) or drops (SUB). 0: 1000 */
    size_t max_message_bytes; /* a longer plan is dropped. 0: 1 MiB */

    dfopt_client_log_fn log; /* NULL: silent */
    void *log_arg;

    const char *objectives_endpoint; /* PUSH, connected; as those above */
    size_t max_pending_objectives;   /* that wait, as max_pending_acks. 0: 1024 */
    /* Whose objectives and findings this client sends. 0: NODE; and BOTH once it
     * has a knob of the job and is the only client that gets plans (ZMQ, PULL), or
     * is rank 0 of a group (client_group.h). */
    enum dfopt_client_reports reports;

    /* Over Mofka ("mofka"), whose client is loaded then (docs/mofka.md). The
     * endpoints above are topics, which must exist. Nothing waits for a broker: it
     * is tried until it is there; one that is gone does not come back. */
    const char *group_file;    /* of the service; must be given */
    const char *consumer_name; /* of the plans' topic; NULL: one of this process's
                                * own, which is given the plans that are in the
                                * topic already, too */
    /* Registrations and acks go to a global optimizer as well, if this is given;
     * NULL as a topic: of the same name. One that cannot be reached is done
     * without. */
    const char *global_group_file, *global_registry_topic, *global_acks_topic;
    const char *global_objectives_topic; /* likewise */

    const char *findings_endpoint; /* PUSH, connected: client_measure.h */
    size_t max_pending_findings;   /* that wait, as max_pending_acks. 0: 64 */
    /* dfopt_client_stop sends the end of findings, which ends dfopt-mpi: where this
     * client is the only one that sends any. */
    bool findings_end;

    /* A file that dfopt-mpi --endpoints-file has written: the endpoints above,
     * their pattern and curve_server_key, as far as they are not given. It must be
     * there. An application may take its name from DFOPT_CLIENT_ENDPOINTS; NULL:
     * none. */
    const char *endpoints_file;

    /* How long the optimizer may be silent before it counts as lost, for knobs with
     * on_lost. 0: 30,000 */
    int lease_ms;
};

/* Makes a client; nothing is sent or started yet. Returns OK, with *out owned:
 * dfopt_client_destroy; ARG (an option is missing or out of range: *err names
 * it); IO (no host name); IO, LIMIT, PARSE, SCHEMA (endpoints_file); NOMEM. err may
 * be NULL, here and below. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_create(dfopt_client **out, const struct dfopt_client_options *options,
                    struct dfopt_error *err);

/* Stops at once (dfopt_client_stop with 0) and frees the client. NULL is fine.
 * The last call: no other may be under way or follow. */
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
    const char *tag; /* the opportunity tag; must be given */
    enum dfopt_client_direction direction;
    enum dfopt_client_step_mode step_mode;
    struct dfopt_client_value step;   /* a number, or NULL */
    struct dfopt_client_value set_to; /* what SET sets, or NULL */
    double min_severity;              /* 0..1 */
    double min_persistence;           /* windows */
    double cooldown_windows;          /* windows */
    const char *apply_when;           /* boundary; NULL: "epoch_boundary" */
    double effectiveness_threshold;   /* share of severity that must be gone */
};

/* The defaults of DFOptimizer; more members may follow behind it:
 * {DFOPT_CLIENT_RESPONSE_DEFAULT, .tag = "reader_parallelism"} */
#define DFOPT_CLIENT_RESPONSE_DEFAULT                                              \
    .min_severity = 0.5, .min_persistence = 2, .cooldown_windows = 3,              \
    .effectiveness_threshold = 0.10

/* Sets the defaults, and the tag, which is borrowed. */
DFOPT_CLIENT_API void dfopt_client_response_init(struct dfopt_client_response *r,
                                                 const char *tag);

/* What becomes of a value that a plan has set when the optimizer is lost: has been
 * silent for lease_ms, without a break. It is silent while there is no connection
 * to registry_endpoint, which breaks when it ends or dies, or has not answered a
 * heartbeat of ZMQ for a lease (30 s at most), which a process does by itself,
 * however busy it is. With RESTORE the knob's next boundary then hands over a plan
 * of the library's, DFOPT_CLIENT_ON_LOST, back to the value that was registered
 * first; its ack is sent to nobody. docs/client.md has the whole rule. */
enum dfopt_client_on_lost { DFOPT_CLIENT_HOLD, DFOPT_CLIENT_RESTORE };

#define DFOPT_CLIENT_ON_LOST "on_lost"

/* One knob of one function. Zero a member to have its default. */
struct dfopt_client_knob {
    const char *id;        /* NULL: namespace.parameter */
    const char *parameter; /* name of the parameter; NULL: the id */
    const char *function;  /* NULL: the options' */
    const char *scope;     /* job, node, rank_local; carried only. NULL: "job" */
    enum dfopt_client_kind type; /* INT, FLOAT, STR or BOOL; must be given */

    /* Of the type, or an INT for a FLOAT knob; they are sent as they are given. */
    struct dfopt_client_value default_value; /* must be given */
    struct dfopt_client_value current;       /* what it is now; NULL: the default */

    /* INT and FLOAT knobs: both bounds, inclusive, or neither. */
    struct dfopt_client_value lo, hi;
    /* The only values allowed; NULL: no list. It goes before the range. */
    const struct dfopt_client_value *values;
    size_t n_values;

    const struct dfopt_client_response *responses; /* one for each tag */
    size_t n_responses;

    enum dfopt_client_on_lost on_lost;
};

/* Adds a knob. Before dfopt_client_start it is registered by that; afterwards by
 * dfopt_client_register. What hardly is meant is told to options.log, as a warning:
 * equal values (one is kept), lo above hi, a default that no plan may set, a step
 * against its direction. Returns OK; ARG (*err names the knob and the member);
 * STATE (the function has a knob of that id or parameter already, or another
 * function has that id: *err has one to use); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_knob_declare(dfopt_client *c, const struct dfopt_client_knob *knob,
                          struct dfopt_error *err);

/* Sends the registration of a function (NULL: the options') with its knobs and
 * their current values: now if an optimizer is connected, else as soon as one is.
 * Waits for nothing. Returns OK; ARG (no knob was declared for it); STATE
 * (forked, or NULL). Needed only for what was declared or changed after
 * dfopt_client_start. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_register(dfopt_client *c,
                                                      const char *function,
                                                      struct dfopt_error *err);

/* ---- running ---- */

/* Starts the listener thread and registers all functions that have knobs (but see
 * lazy_registration). Each is
 * sent once for each connection that is made to the registry endpoint, so that an
 * optimizer that comes late, or comes back, knows the knobs and the values that
 * they have then. Returns OK, also when nobody is there; ARG or IO (an endpoint or
 * its keys cannot be used: *err names it); LIMIT (descriptors or threads run
 * out, which *err names and libzmq would end the process for); STATE (running
 * already, forked, or NULL); NOMEM. After dfopt_client_stop it may be started
 * again. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_start(dfopt_client *c,
                                                   struct dfopt_error *err);

/* Ends the listener thread and closes the connections. Acks, objectives
 * and findings that wait are still sent, for at most timeout_ms (0 or less:
 * whatever goes at once); then each function that the optimizer knows by this
 * connection is unregistered, which a process that ends without this call, or
 * without a connection, never is. Returns within about that time: OK; LIMIT (some
 * were left and are dropped); STATE (forked, or NULL). Plans that are pending stay
 * so. A client that is not running: OK. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_stop(dfopt_client *c, int timeout_ms);

/* ---- plans ---- */

#define DFOPT_CLIENT_PLAN_ID_SIZE   128
#define DFOPT_CLIENT_NAME_SIZE      128
#define DFOPT_CLIENT_RATIONALE_SIZE 512

/* A change of one knob. Plain data, may be copied; texts that do not fit are cut
 * (plan_id never is). */
struct dfopt_client_plan {
    char plan_id[DFOPT_CLIENT_PLAN_ID_SIZE];
    const char *knob_id, *parameter, *function; /* live as long as the client */
    struct dfopt_client_value new_value; /* of the knob's type, within its bounds */
    struct dfopt_client_value old_value; /* as the optimizer believed; any kind */
    bool clamped;         /* new_value is not the value that was sent */
    bool for_node;        /* it names this node; else it is for the whole job */
    double severity;      /* 0..1 */
    int64_t window_index; /* of the finding */
    char apply_when[DFOPT_CLIENT_NAME_SIZE];
    char finding_type[DFOPT_CLIENT_NAME_SIZE];
    char opportunity_tag[DFOPT_CLIENT_NAME_SIZE];
    char rationale[DFOPT_CLIENT_RATIONALE_SIZE]; /* for a person */
    uint64_t connection; /* the library's: on which it was received */
};

/* Hands over what is pending for a function (NULL: the options') at a boundary:
 * plans whose apply_when is that boundary, and at "epoch_boundary" (NULL: that)
 * all. At most one a knob, the latest, in the order in which the knobs were
 * declared; what finds no room in out stays pending. Returns their number, at
 * most max; each is now the caller's to apply and to acknowledge.
 *
 * With nothing pending it costs one atomic load; it never waits for the network.
 *
 * A plan that was in flight to the process before this one starts from another
 * value than the knob has. The library rejects it, and registers again, until the
 * first plan that does not: with PULL over ZMQ, and with a registry_endpoint.
 *
 * The new value has been made to fit, as DFOptimizer does: not in the knob's
 * values: its default; outside its range: the nearer bound. A real sent to an INT
 * knob loses its fraction, an integer sent to a FLOAT knob becomes real, a number
 * sent to a BOOL knob is its truth. A value that still is not of the knob's type
 * (a text or boolean for a number, NaN, anything but a text for a STR knob) is
 * not handed over: the library acknowledges that plan as rejected. */
DFOPT_CLIENT_API size_t dfopt_client_at_boundary(dfopt_client *c,
                                                 const char *function,
                                                 const char *boundary,
                                                 struct dfopt_client_plan *out,
                                                 size_t max);

/* Like dfopt_client_at_boundary, but with nothing pending for that boundary it
 * waits, at most wait_ms, for what a finding that was just sent may bring: for a
 * plan or, where the client sends windows or findings itself (over ZMQ), for
 * dfopt-mpi's answer that all of them and its objectives are decided, with which it
 * returns 0. A client that has sent none, or that nobody answers, waits for a plan.
 * Returns at once if the client is not running. */
DFOPT_CLIENT_API size_t dfopt_client_at_boundary_wait(dfopt_client *c,
                                                      const char *function,
                                                      const char *boundary,
                                                      struct dfopt_client_plan *out,
                                                      size_t max, int wait_ms);

/* Files a plan as if it had been received: `plan` is its JSON, `len` bytes, as in
 * docs/messages.md; for tests, and for plans that come by ways of the application's
 * own. Works on a client that was never started, too. Returns OK: it is pending;
 * PARSE, SCHEMA, LIMIT (*err says what is wrong with the text); ARG (it is for
 * another node, for no knob of this client, or its value cannot be of the knob's
 * type: *err names plan and knob); STATE (forked, or NULL); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_enqueue(dfopt_client *c,
                                                     const char *plan, size_t len,
                                                     struct dfopt_error *err);

enum dfopt_client_status {
    DFOPT_CLIENT_APPLIED,  /* the knob has the value now */
    DFOPT_CLIENT_REJECTED, /* it never will */
    DFOPT_CLIENT_DEFERRED  /* later perhaps; the caller keeps the plan and may
                            * acknowledge it again */
};

/* Says what became of a plan. `value` is what the knob has now, borrowed; NULL:
 * the plan's new_value if applied, else none. `reason` is for a person (NULL: "").
 * `window_index` is the caller's window (negative: left out). When applied, the
 * value becomes the knob's current one; and if the plan is of an earlier
 * connection, whose optimizer alone could match the ack, the function is registered
 * again. Waits for nothing: the ack is sent by the listener thread, in order, when
 * one runs and an optimizer is connected; one that is in flight when the
 * connection breaks may be lost. Returns OK; ARG (a plan of no declared knob, a
 * status or value that cannot be); STATE (forked, or NULL); NOMEM. */
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

/* What the application achieved in one window of analysis: samples a second, or,
 * with MIN, seconds a step. Zero a member to have its default. Borrowed. */
struct dfopt_client_objective {
    int64_t
        window_index; /* of the analysis window, that of findings; |w| <= 2^53 */
    double value;     /* finite */
    enum dfopt_client_goal goal;
    enum dfopt_client_reports reports; /* whose it is; 0: as the options say */
    const struct dfopt_client_metric *metrics; /* for guards; NULL: none */
    size_t n_metrics;
};

/* Sends an objective to options.objectives_endpoint (NULL: nobody asks, and nothing
 * is kept), after its window has closed. Waits for nothing: it is sent by the
 * listener thread, in order; beyond max_pending_objectives the oldest is dropped.
 * Returns OK; ARG (a value, window, goal or metric that cannot be); STATE (forked,
 * or NULL); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_objective(dfopt_client *c, const struct dfopt_client_objective *o);

/* ---- what the library knows ---- */

/* The value a knob has: the last applied or set one, else the declared current
 * value, else its default. function NULL: the options'. Returns OK; ARG (no such
 * knob); STATE (forked, or NULL), *out untouched. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_current(dfopt_client *c, const char *function, const char *knob_id,
                     struct dfopt_client_value *out);

/* Says that the application itself gave a knob this value, which is not clamped;
 * the next registration tells it. Returns OK; ARG (no such knob, or not of its
 * type); STATE (forked, or NULL). */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_current_set(dfopt_client *c, const char *function, const char *knob_id,
                         const struct dfopt_client_value *value);

/* Counts since create. */
struct dfopt_client_stats {
    uint64_t plans_received;   /* messages, good or bad */
    uint64_t plans_malformed;  /* dropped: shape, size, JSON, types of members */
    uint64_t plans_other_node; /* dropped: for other nodes */
    uint64_t plans_unknown;    /* dropped: no such function or knob here; rejected,
                                * too, if function and namespace are ours */
    uint64_t plans_unfit;      /* rejected: the value is not of the knob's type */
    uint64_t plans_replaced;   /* a later one for the knob came before a boundary */
    uint64_t plans_delivered;  /* handed over at a boundary */
    uint64_t plans_pending;    /* now */
    uint64_t acks_sent;
    uint64_t acks_dropped; /* the queue was full, or left at stop */
    uint64_t acks_pending; /* now */
    uint64_t registrations_sent;
    uint64_t connections; /* made to the registry endpoint, coming back too */
    uint64_t objectives_sent;
    uint64_t objectives_dropped; /* the queue was full, or left at stop */
    uint64_t objectives_pending; /* now */
    uint64_t plans_outdated;     /* rejected: in flight to the process before */
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
