/* Frames over MPI: nonblocking sends, probed receives. Ranks on one host ring each
 * other's doorbell (an MPI shared-memory window) after a send, so that waiting for
 * them needs no polling. Where MPI cannot copy from process to process (in many
 * containers, or between hosts), a large frame goes in parts, and its sender must
 * call MPI every few parts. So no rank sleeps long while its own frame is in
 * flight. */
#include "engine/comm/comm.h"

#include "engine/comm/doorbell.h"

#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME_TAG           1
#define DOORBELL_TIMEOUT_NS 50000000 /* look anyway, should a ring be lost */
#define SLEEP_NS_MAX        1000000  /* without a doorbell, or while sending */

struct dfopt_comm {
    MPI_Comm comm;
    int rank, size;
    struct dfopt_log *log; /* borrowed; NULL: silent */
    char library[160];
    MPI_Win window;                    /* of the doorbells; MPI_WIN_NULL: none */
    struct dfopt_doorbell **doorbells; /* by rank; NULL: on another host. Owned */
    bool all_here;                     /* every rank has a doorbell */
    struct dfopt_send *going;          /* sends not known to be over; borrowed */
    dfopt_comm_idle_fn idle;           /* NULL: none */
    void *idle_arg;
};

struct dfopt_send {
    MPI_Request request;
    int over, code;
    struct dfopt_send *next, **at; /* in c->going; pointer to this one there */
};

static enum dfopt_err mpi_error(int code, const char *what, int rank,
                                struct dfopt_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int len = 0;
    MPI_Error_string(code, text, &len);
    return dfopt_error_set(err, DFOPT_ERR_MPI, "%s rank %d: %.200s", what, rank,
                           text);
}

/* ---- doorbells ---- */

/* Finds the doorbells of this host's ranks in their shared window. */
static bool find_doorbells(struct dfopt_comm *c, MPI_Comm here)
{
    MPI_Group world, group;
    MPI_Comm_group(c->comm, &world);
    MPI_Comm_group(here, &group);
    bool ok = true;
    c->all_here = true;
    for (int rank = 0; rank < c->size; rank++) {
        int there = MPI_UNDEFINED, unit;
        MPI_Aint size;
        MPI_Group_translate_ranks(world, 1, &rank, group, &there);
        if (there == MPI_UNDEFINED)
            c->all_here = false;
        else if (MPI_Win_shared_query(c->window, there, &size, &unit,
                                      &c->doorbells[rank]) != MPI_SUCCESS)
            ok = false;
    }
    MPI_Group_free(&group);
    MPI_Group_free(&world);
    return ok;
}

/* Collective. Without doorbells, for whatever reason, ranks poll: on a host, all
 * or none. */
static void open_doorbells(struct dfopt_comm *c)
{
    MPI_Comm here = MPI_COMM_NULL;
    struct dfopt_doorbell *own = NULL;
    c->window = MPI_WIN_NULL;
    c->doorbells = calloc((size_t)c->size, sizeof *c->doorbells);
    if (MPI_Comm_split_type(c->comm, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL,
                            &here) != MPI_SUCCESS)
        return;
    MPI_Comm_set_errhandler(here, MPI_ERRORS_RETURN);
    /* even without memory for the table: the others would wait for this rank */
    int ok = MPI_Win_allocate_shared(sizeof *own, 1, MPI_INFO_NULL, here, &own,
                                     &c->window) == MPI_SUCCESS;
    if (ok) {
        memset(own, 0, sizeof *own);
        ok = c->doorbells && find_doorbells(c, here);
    }
    MPI_Allreduce(MPI_IN_PLACE, &ok, 1, MPI_INT, MPI_MIN, here); /* and a barrier */
    if (!ok) {
        free(c->doorbells);
        c->doorbells = NULL;
    }
    MPI_Comm_free(&here);
}

static bool has_doorbell(const struct dfopt_comm *c, int rank)
{
    return c->doorbells &&
           (rank == DFOPT_RANK_ANY ? c->all_here : c->doorbells[rank] != NULL);
}

/* ---- lifetime ---- */

enum dfopt_err dfopt_comm_start(struct dfopt_comm **out, int *argc, char ***argv,
                                struct dfopt_error *err)
{
    int provided, len;
    struct dfopt_comm *c = calloc(1, sizeof *c);
    if (!c)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    int code = MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_dup(MPI_COMM_WORLD, &c->comm);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_set_errhandler(c->comm, MPI_ERRORS_RETURN);
    if (code != MPI_SUCCESS) {
        free(c);
        return mpi_error(code, "cannot start MPI on", -1, err);
    }
    MPI_Comm_rank(c->comm, &c->rank);
    MPI_Comm_size(c->comm, &c->size);
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    MPI_Get_library_version(library, &len);
    library[strcspn(library, ",\n")] = '\0';
    memcpy(c->library, library, sizeof c->library - 1);
    if (c->size > 1)
        open_doorbells(c);
    else
        c->window = MPI_WIN_NULL;
    *out = c;
    return DFOPT_OK;
}

void dfopt_comm_finish(struct dfopt_comm *c)
{
    if (!c)
        return;
    if (c->window != MPI_WIN_NULL)
        MPI_Win_free(&c->window);
    MPI_Comm_free(&c->comm);
    MPI_Finalize();
    free(c->doorbells);
    free(c);
}

void dfopt_comm_set_log(struct dfopt_comm *c, struct dfopt_log *log)
{
    c->log = log;
}

void dfopt_comm_set_idle(struct dfopt_comm *c, dfopt_comm_idle_fn idle, void *arg)
{
    c->idle = idle;
    c->idle_arg = arg;
}

void dfopt_comm_lost(struct dfopt_comm *c, int rank, enum dfopt_err e,
                     const struct dfopt_error *why)
{
    dfopt_log_event(
        c->log, DFOPT_LOG_ERROR, "optimizer.rank.lost", DFOPT_F_INT("rank", rank),
        DFOPT_F_TEXT("error", why && why->code ? why->text : dfopt_err_text(e)));
    MPI_Abort(c->comm, 1);
}

uint32_t dfopt_comm_share(struct dfopt_comm *c, uint32_t value)
{
    MPI_Bcast(&value, 1, MPI_UINT32_T, 0, c->comm);
    return value;
}

int dfopt_comm_rank(const struct dfopt_comm *c)
{
    return c->rank;
}

int dfopt_comm_size(const struct dfopt_comm *c)
{
    return c->size;
}

const char *dfopt_comm_library(const struct dfopt_comm *c)
{
    return c->library;
}

enum dfopt_err dfopt_comm_send(struct dfopt_comm *c, int to,
                               const struct dfopt_buf *frame,
                               struct dfopt_send **out, struct dfopt_error *err)
{
    if (frame->len > INT_MAX)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT,
                               "a frame of %zu bytes to rank %d is too large",
                               frame->len, to);
    struct dfopt_send *s = calloc(1, sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    int code = MPI_Isend(frame->data, (int)frame->len, MPI_BYTE, to, FRAME_TAG,
                         c->comm, &s->request);
    if (code != MPI_SUCCESS) {
        free(s);
        return mpi_error(code, "sending to", to, err);
    }
    if (has_doorbell(c, to))
        dfopt_doorbell_ring(c->doorbells[to]);
    s->next = c->going;
    s->at = &c->going;
    if (s->next)
        s->next->at = &s->next;
    c->going = s;
    *out = s;
    return DFOPT_OK;
}

/* Whether a send is over, or has failed. The call lets MPI progress all sends. */
static bool is_over(struct dfopt_send *s)
{
    if (s->over)
        return true;
    s->code = MPI_Test(&s->request, &s->over, MPI_STATUS_IGNORE);
    s->over = s->over || s->code != MPI_SUCCESS;
    if (s->over) {
        *s->at = s->next;
        if (s->next)
            s->next->at = s->at;
    }
    return s->over;
}

/* Lets MPI progress what is in flight. Returns whether anything still is. */
static bool still_going(struct dfopt_comm *c)
{
    while (c->going && is_over(c->going))
        ;
    return c->going != NULL;
}

void dfopt_comm_progress(struct dfopt_comm *c)
{
    (void)still_going(c);
}

/* ---- waiting ---- */

#define POLLS  64u
#define YIELDS 128u /* including polls */

/* Yields while there is nothing to do. Returns false once it is time to sleep. */
static bool still_brief(unsigned *tries)
{
    if (++*tries >= YIELDS)
        return false;
    if (*tries >= POLLS)
        sched_yield();
    return true;
}

/* Sleeps, longer after more tries. */
static void nap(unsigned tries)
{
    const unsigned shift = (tries - YIELDS) / 16;
    const long ns = 10000L << (shift < 7 ? shift : 7);
    const struct timespec t = {.tv_nsec = ns < SLEEP_NS_MAX ? ns : SLEEP_NS_MAX};
    nanosleep(&t, NULL);
}

enum dfopt_err dfopt_send_finish(struct dfopt_comm *c, struct dfopt_send **s,
                                 struct dfopt_error *err)
{
    (void)c;
    unsigned tries = 0;
    if (!*s)
        return DFOPT_OK;
    while (!is_over(*s))
        if (!still_brief(&tries))
            nap(tries);
    const int code = (*s)->code;
    free(*s);
    *s = NULL;
    return code == MPI_SUCCESS ? DFOPT_OK : mpi_error(code, "sending to", -1, err);
}

struct arrival {
    MPI_Message message;
    MPI_Status status;
    int there;
};

static int probe(struct dfopt_comm *c, int source, struct arrival *a)
{
    const int rank = source == DFOPT_RANK_ANY ? MPI_ANY_SOURCE : source;
    return MPI_Improbe(rank, FRAME_TAG, c->comm, &a->there, &a->message,
                       &a->status);
}

/* Checks for a frame and, if there is none, sleeps until the doorbell. Open MPI's
 * probe checks first and receives arrivals afterwards, so it is called twice. */
static int sleep_for(struct dfopt_comm *c, int source, struct arrival *a,
                     unsigned *tries)
{
    struct dfopt_doorbell *doorbell = c->doorbells[c->rank];
    const uint32_t announced = dfopt_doorbell_announce(doorbell);
    int code = probe(c, source, a);
    if (code == MPI_SUCCESS && !a->there)
        code = probe(c, source, a);
    if (code != MPI_SUCCESS || a->there)
        dfopt_doorbell_stay_awake(doorbell);
    else if (dfopt_doorbell_sleep(doorbell, announced, DOORBELL_TIMEOUT_NS))
        *tries = 0; /* it is there or about to be */
    return code;
}

/* Waits for a frame: awake at first, then asleep. */
static int wait_for(struct dfopt_comm *c, int source, struct arrival *a)
{
    const bool doorbell = has_doorbell(c, source);
    unsigned tries = 0;
    int code = MPI_SUCCESS;
    while (code == MPI_SUCCESS && !a->there) {
        const bool brief = still_brief(&tries);
        if (!brief && c->idle)
            c->idle(c->idle_arg);
        if (!brief && doorbell && !still_going(c)) {
            code = sleep_for(c, source, a, &tries);
            continue;
        }
        if (!brief)
            nap(tries);
        code = probe(c, source, a);
    }
    return code;
}

enum dfopt_err dfopt_comm_receive(struct dfopt_comm *c, int source, bool wait,
                                  struct dfopt_buf *frame, int *from,
                                  struct dfopt_error *err)
{
    struct arrival a = {0};
    int count = 0;
    *from = -1;
    int code = probe(c, source, &a);
    if (code == MPI_SUCCESS && !a.there && wait)
        code = wait_for(c, source, &a);
    if (code != MPI_SUCCESS)
        return mpi_error(code, "waiting for", source, err);
    if (!a.there)
        return DFOPT_OK;
    MPI_Get_count(&a.status, MPI_BYTE, &count);
    dfopt_buf_clear(frame);
    if (dfopt_buf_reserve(frame, (size_t)count))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM,
                               "out of memory for %d bytes from rank %d", count,
                               a.status.MPI_SOURCE);
    code = MPI_Mrecv(frame->data, count, MPI_BYTE, &a.message, &a.status);
    if (code != MPI_SUCCESS)
        return mpi_error(code, "receiving from", a.status.MPI_SOURCE, err);
    frame->len = (size_t)count;
    *from = a.status.MPI_SOURCE;
    return DFOPT_OK;
}
