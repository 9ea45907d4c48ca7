/* Frames over MPI: nonblocking sends, probed receives. */
#include "runtime/comm.h"

#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME_TAG 1

struct dfopt_comm {
    MPI_Comm comm;
    int rank, size;
    char library[160];
};

struct dfopt_send {
    MPI_Request request;
};

static enum dfopt_err mpi_error(int code, const char *what, int peer,
                                struct dfopt_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int len = 0;
    MPI_Error_string(code, text, &len);
    return dfopt_error_set(err, DFOPT_ERR_MPI, "%s rank %d: %.200s", what, peer,
                           text);
}

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
    *out = c;
    return DFOPT_OK;
}

void dfopt_comm_finish(struct dfopt_comm *c)
{
    if (!c)
        return;
    MPI_Comm_free(&c->comm);
    MPI_Finalize();
    free(c);
}

void dfopt_comm_abort(struct dfopt_comm *c, int exit_code)
{
    MPI_Abort(c->comm, exit_code);
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
    struct dfopt_send *s = malloc(sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    int code = MPI_Isend(frame->data, (int)frame->len, MPI_BYTE, to, FRAME_TAG,
                         c->comm, &s->request);
    if (code != MPI_SUCCESS) {
        free(s);
        return mpi_error(code, "sending to", to, err);
    }
    *out = s;
    return DFOPT_OK;
}

/* Lets others run while there is nothing to do; longer each time in a row. */
static void back_off(unsigned *tries)
{
    const unsigned polls = 64, yields = 128;
    if (++*tries < polls)
        return;
    if (*tries < yields) {
        sched_yield();
        return;
    }
    unsigned shift = (*tries - yields) / 16;
    long ns = 10000L << (shift < 6 ? shift : 6);
    struct timespec t = {.tv_nsec = ns < 500000 ? ns : 500000};
    nanosleep(&t, NULL);
}

enum dfopt_err dfopt_send_finish(struct dfopt_comm *c, struct dfopt_send **s,
                                 struct dfopt_error *err)
{
    (void)c;
    int done = 0, code = MPI_SUCCESS;
    unsigned tries = 0;
    if (!*s)
        return DFOPT_OK;
    while (code == MPI_SUCCESS && !done) {
        code = MPI_Test(&(*s)->request, &done, MPI_STATUS_IGNORE);
        if (!done)
            back_off(&tries);
    }
    free(*s);
    *s = NULL;
    return code == MPI_SUCCESS ? DFOPT_OK : mpi_error(code, "sending to", -1, err);
}

enum dfopt_err dfopt_comm_receive(struct dfopt_comm *c, int source, bool wait,
                                  struct dfopt_buf *frame, int *from,
                                  struct dfopt_error *err)
{
    MPI_Message message;
    MPI_Status status;
    int there = 0, count = 0;
    unsigned tries = 0;
    const int rank = source == DFOPT_RANK_ANY ? MPI_ANY_SOURCE : source;
    *from = -1;
    for (;;) {
        int code = MPI_Improbe(rank, FRAME_TAG, c->comm, &there, &message, &status);
        if (code != MPI_SUCCESS)
            return mpi_error(code, "waiting for", source, err);
        if (there)
            break;
        if (!wait)
            return DFOPT_OK;
        back_off(&tries);
    }
    MPI_Get_count(&status, MPI_BYTE, &count);
    dfopt_buf_clear(frame);
    if (!dfopt_buf_grow(frame, (size_t)count))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM,
                               "out of memory for %d bytes from rank %d", count,
                               status.MPI_SOURCE);
    int code = MPI_Mrecv(frame->data, count, MPI_BYTE, &message, &status);
    if (code != MPI_SUCCESS)
        return mpi_error(code, "receiving from", status.MPI_SOURCE, err);
    *from = status.MPI_SOURCE;
    return DFOPT_OK;
}
