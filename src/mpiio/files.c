/* The process's one table: an interposed function only gets a handle. No MPI
 * function is called with the lock held. */
#include "mpiio/files.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct {
    pthread_mutex_t lock;
    struct dfopt_file *first;
    atomic_uint n;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

void dfopt_files_add(struct dfopt_file **f)
{
    pthread_mutex_lock(&table.lock);
    (*f)->next = table.first;
    table.first = *f;
    atomic_fetch_add(&table.n, 1);
    pthread_mutex_unlock(&table.lock);
    *f = NULL;
}

bool dfopt_files_any(void)
{
    return atomic_load(&table.n) != 0;
}

/* The link to the file; it points to NULL if there is none. Locked. */
static struct dfopt_file **at(MPI_File handle)
{
    struct dfopt_file **f = &table.first;
    while (*f && (*f)->handle != handle)
        f = &(*f)->next;
    return f;
}

struct dfopt_file *dfopt_files_remove(MPI_File handle)
{
    if (!dfopt_files_any())
        return NULL;
    pthread_mutex_lock(&table.lock);
    struct dfopt_file **from = at(handle), *f = *from;
    if (f) {
        *from = f->next;
        atomic_fetch_sub(&table.n, 1);
    }
    pthread_mutex_unlock(&table.lock);
    return f;
}

bool dfopt_files_count_view(MPI_File handle, struct dfopt_file *copy)
{
    if (!dfopt_files_any())
        return false;
    pthread_mutex_lock(&table.lock);
    struct dfopt_file *f = *at(handle);
    if (f) {
        f->views++;
        *copy = *f;
    }
    pthread_mutex_unlock(&table.lock);
    return f != NULL;
}

void dfopt_files_begin(MPI_File handle, const struct dfopt_hints *hints,
                       uint64_t generation, double now)
{
    pthread_mutex_lock(&table.lock);
    struct dfopt_file *f = *at(handle);
    if (f) {
        f->hints = *hints;
        f->generation = generation;
        f->opened = now;
        f->views = 0;
        f->seconds = 0;
        f->counts = (struct dfopt_io_counts){.bytes = 0};
    }
    pthread_mutex_unlock(&table.lock);
}

void dfopt_files_spent(MPI_File handle, double seconds)
{
    pthread_mutex_lock(&table.lock);
    struct dfopt_file *f = *at(handle);
    if (f)
        f->seconds += seconds;
    pthread_mutex_unlock(&table.lock);
}

void dfopt_files_view(MPI_File handle, bool has_gaps, double seconds)
{
    pthread_mutex_lock(&table.lock);
    struct dfopt_file *f = *at(handle);
    if (f) {
        f->has_gaps = has_gaps;
        f->seconds += seconds;
    }
    pthread_mutex_unlock(&table.lock);
}

void dfopt_files_count(MPI_File handle, const struct dfopt_io_call *call)
{
    pthread_mutex_lock(&table.lock);
    struct dfopt_file *f = *at(handle);
    if (f) {
        f->seconds += call->seconds;
        f->counts.bytes += call->bytes;
        f->counts.written += call->writes ? call->bytes : 0;
        f->counts.calls += 1;
        f->counts.collective += call->collective;
        f->counts.nonblocking += call->nonblocking;
        f->counts.scattered_bytes += f->has_gaps ? call->bytes : 0;
    }
    pthread_mutex_unlock(&table.lock);
}

unsigned dfopt_files_drop(void)
{
    pthread_mutex_lock(&table.lock);
    struct dfopt_file *f = table.first;
    const unsigned n = atomic_exchange(&table.n, 0);
    table.first = NULL;
    pthread_mutex_unlock(&table.lock);
    while (f) {
        struct dfopt_file *next = f->next;
        free(f);
        f = next;
    }
    return n;
}
