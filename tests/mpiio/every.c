/* Everything of MPI-IO that the library stands before, called as programs call it.
 * What is printed must not depend on whether the library is loaded.
 *
 *     every FOLDER CASE */
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTS 64

static int rank, ranks;
static const char *folder;

/* Rank after rank. */
static void say(const char *what, int value)
{
    for (int r = 0; r < ranks; r++) {
        if (r == rank) {
            printf("rank %d: %s %d\n", rank, what, value);
            fflush(stdout);
        }
        MPI_Barrier(MPI_COMM_WORLD);
    }
}

static int class_of(int rc)
{
    int class = MPI_SUCCESS;
    MPI_Error_class(rc, &class);
    return class;
}

static const char *path(const char *name)
{
    static char text[512];
    snprintf(text, sizeof text, "%s/%s", folder, name);
    return text;
}

static MPI_File open_in(MPI_Comm comm, const char *name)
{
    MPI_File f = MPI_FILE_NULL;
    const int rc = MPI_File_open(comm, path(name), MPI_MODE_CREATE | MPI_MODE_RDWR,
                                 MPI_INFO_NULL, &f);
    if (rc != MPI_SUCCESS)
        say("open failed", class_of(rc));
    return f;
}

static int count_of(const MPI_Status *s)
{
    int n = -1;
    MPI_Get_count(s, MPI_INT, &n);
    return n;
}

static int sum_of(const int *b)
{
    int sum = 0;
    for (int i = 0; i < INTS; i++)
        sum += b[i];
    return sum;
}

static void fill(int *b, int by)
{
    for (int i = 0; i < INTS; i++)
        b[i] = by * 1000 + rank * 100 + i;
}

/* Writes by one function, and reads by its twin. */
#define PAIR(label, write, read)                                                   \
    do {                                                                           \
        int b[INTS], back[INTS] = {0};                                             \
        MPI_Status s = {0};                                                        \
        MPI_Request q;                                                             \
        (void)q;                                                                   \
        fill(b, ++step);                                                           \
        const MPI_Offset at = (MPI_Offset)rank * INTS;                             \
        MPI_File_seek(f, at, MPI_SEEK_SET);                                        \
        write;                                                                     \
        const int wrote = count_of(&s);                                            \
        MPI_File_sync(f);                                                          \
        MPI_Barrier(MPI_COMM_WORLD);                                               \
        MPI_File_seek(f, at, MPI_SEEK_SET);                                        \
        MPI_File_seek_shared(f, 0, MPI_SEEK_SET);                                  \
        read;                                                                      \
        say(label, wrote * 1000 + count_of(&s) + sum_of(back) - sum_of(b));        \
        (void)at;                                                                  \
        MPI_File_seek_shared(f, 0, MPI_SEEK_SET);                                  \
    } while (0)

#define WAIT MPI_Wait(&q, &s)

static void all_functions(void)
{
    int step = 0;
    MPI_File f = open_in(MPI_COMM_WORLD, "all");
    MPI_File_set_view(f, 0, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
    PAIR("at", MPI_File_write_at(f, at, b, INTS, MPI_INT, &s),
         MPI_File_read_at(f, at, back, INTS, MPI_INT, &s));
    PAIR("at_all", MPI_File_write_at_all(f, at, b, INTS, MPI_INT, &s),
         MPI_File_read_at_all(f, at, back, INTS, MPI_INT, &s));
    PAIR("here", MPI_File_write(f, b, INTS, MPI_INT, &s),
         MPI_File_read(f, back, INTS, MPI_INT, &s));
    PAIR("all", MPI_File_write_all(f, b, INTS, MPI_INT, &s),
         MPI_File_read_all(f, back, INTS, MPI_INT, &s));
    PAIR("iat", (MPI_File_iwrite_at(f, at, b, INTS, MPI_INT, &q), WAIT),
         (MPI_File_iread_at(f, at, back, INTS, MPI_INT, &q), WAIT));
    PAIR("iat_all", (MPI_File_iwrite_at_all(f, at, b, INTS, MPI_INT, &q), WAIT),
         (MPI_File_iread_at_all(f, at, back, INTS, MPI_INT, &q), WAIT));
    PAIR("i", (MPI_File_iwrite(f, b, INTS, MPI_INT, &q), WAIT),
         (MPI_File_iread(f, back, INTS, MPI_INT, &q), WAIT));
    PAIR("iall", (MPI_File_iwrite_all(f, b, INTS, MPI_INT, &q), WAIT),
         (MPI_File_iread_all(f, back, INTS, MPI_INT, &q), WAIT));
    PAIR("ordered", MPI_File_write_ordered(f, b, INTS, MPI_INT, &s),
         MPI_File_read_ordered(f, back, INTS, MPI_INT, &s));
    PAIR("at_all_begin",
         (MPI_File_write_at_all_begin(f, at, b, INTS, MPI_INT),
          MPI_File_write_at_all_end(f, b, &s)),
         (MPI_File_read_at_all_begin(f, at, back, INTS, MPI_INT),
          MPI_File_read_at_all_end(f, back, &s)));
    PAIR("all_begin",
         (MPI_File_write_all_begin(f, b, INTS, MPI_INT),
          MPI_File_write_all_end(f, b, &s)),
         (MPI_File_read_all_begin(f, back, INTS, MPI_INT),
          MPI_File_read_all_end(f, back, &s)));
    PAIR("ordered_begin",
         (MPI_File_write_ordered_begin(f, b, INTS, MPI_INT),
          MPI_File_write_ordered_end(f, b, &s)),
         (MPI_File_read_ordered_begin(f, back, INTS, MPI_INT),
          MPI_File_read_ordered_end(f, back, &s)));
    MPI_File_close(&f);
    say("closed", f == MPI_FILE_NULL);
    /* The order of ranks is not known: one of them alone. */
    f = open_in(MPI_COMM_WORLD, "shared");
    if (rank == 1) {
        int b[INTS], back[INTS] = {0};
        MPI_Status s;
        MPI_Request q;
        fill(b, 9);
        MPI_File_write_shared(f, b, INTS, MPI_INT, &s);
        MPI_File_iwrite_shared(f, b, INTS, MPI_INT, &q);
        WAIT;
        MPI_File_seek(f, 0, MPI_SEEK_SET);
        MPI_File_read(f, back, INTS, MPI_INT, &s);
        printf("shared %d\n", sum_of(back) - sum_of(b));
        fflush(stdout);
    }
    MPI_File_close(&f);
    MPI_Barrier(MPI_COMM_WORLD);
}

static void errors(void)
{
    MPI_File f = MPI_FILE_NULL;
    int rc = MPI_File_open(MPI_COMM_WORLD, path("missing"), MPI_MODE_RDONLY,
                           MPI_INFO_NULL, &f);
    say("missing", class_of(rc));
    rc = MPI_File_open(MPI_COMM_WORLD, path("no/folder"),
                       MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &f);
    say("no folder", class_of(rc));
    rc = MPI_File_open(MPI_COMM_WORLD, path("mode"),
                       MPI_MODE_RDONLY | MPI_MODE_WRONLY, MPI_INFO_NULL, &f);
    say("both modes", class_of(rc));
    f = open_in(MPI_COMM_WORLD, "read-only");
    MPI_File_close(&f);
    rc = MPI_File_open(MPI_COMM_WORLD, path("read-only"), MPI_MODE_RDONLY,
                       MPI_INFO_NULL, &f);
    int b[INTS] = {0};
    say("opened", class_of(rc));
    rc = MPI_File_write_at(f, 0, b, INTS, MPI_INT, MPI_STATUS_IGNORE);
    say("write refused", class_of(rc) != MPI_SUCCESS);
    rc = MPI_File_set_view(f, 0, MPI_INT, MPI_INT, "no such", MPI_INFO_NULL);
    say("view", class_of(rc));
    MPI_File_close(&f);
}

static void communicators(void)
{
    char name[64];
    MPI_Comm half, back;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &back);
    snprintf(name, sizeof name, "self-%d", rank);
    MPI_File self = open_in(MPI_COMM_SELF, name);
    snprintf(name, sizeof name, "half-%d", rank % 2);
    MPI_File shared = open_in(half, name);
    MPI_File backwards = open_in(back, "back");
    MPI_File world = open_in(MPI_COMM_WORLD, "world");
    MPI_Comm_free(&half); /* a file outlives the communicator that opened it */
    MPI_Comm_free(&back);
    int b[INTS];
    MPI_Status s;
    fill(b, 1);
    MPI_File_write_all(self, b, INTS, MPI_INT, &s);
    say("self", count_of(&s));
    MPI_File_write_at_all(shared, (MPI_Offset)rank * INTS * 4, b, INTS, MPI_INT,
                          &s);
    say("half", count_of(&s));
    MPI_File_write_at_all(world, (MPI_Offset)rank * INTS * 4, b, INTS, MPI_INT, &s);
    say("world", count_of(&s));
    MPI_File_write_at_all(backwards, (MPI_Offset)rank * INTS * 4, b, INTS, MPI_INT,
                          &s);
    say("back", count_of(&s));
    MPI_File_close(&world); /* in another order than they were opened */
    MPI_File_close(&self);
    MPI_File_close(&backwards);
    MPI_File_close(&shared);
    say("closed", world == MPI_FILE_NULL && shared == MPI_FILE_NULL);
}

static void left_open(void)
{
    MPI_File f = open_in(MPI_COMM_WORLD, "left");
    int b[INTS];
    fill(b, 1);
    MPI_File_write_at_all(f, (MPI_Offset)rank * INTS * 4, b, INTS, MPI_INT,
                          MPI_STATUS_IGNORE);
    say("left open", f != MPI_FILE_NULL);
}

/* ---- threads, each with a communicator and files of its own ---- */

#define THREADS 4
#define OPENS   20

struct thread {
    pthread_t id;
    MPI_Comm comm;
    int number, bad;
    char path[512];
};

static void *work(void *arg)
{
    struct thread *t = arg;
    int b[INTS];
    for (int i = 0; i < OPENS; i++) {
        MPI_File f;
        MPI_Status s;
        fill(b, i);
        if (MPI_File_open(t->comm, t->path, MPI_MODE_CREATE | MPI_MODE_RDWR,
                          MPI_INFO_NULL, &f) != MPI_SUCCESS) {
            t->bad++;
            continue;
        }
        MPI_File_write_at_all(f, (MPI_Offset)rank * INTS * 4, b, INTS, MPI_INT, &s);
        t->bad += count_of(&s) != INTS;
        MPI_File_close(&f);
    }
    return NULL;
}

static void threads(void)
{
    struct thread t[THREADS];
    int bad = 0;
    for (int i = 0; i < THREADS; i++) {
        t[i] = (struct thread){.number = i};
        MPI_Comm_dup(MPI_COMM_WORLD, &t[i].comm);
        snprintf(t[i].path, sizeof t[i].path, "%s/thread-%d", folder, i);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i].id, NULL, work, &t[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i].id, NULL);
        bad += t[i].bad;
        MPI_Comm_free(&t[i].comm);
    }
    say("bad", bad);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"functions", all_functions},
                 {"errors", errors},
                 {"communicators", communicators},
                 {"left_open", left_open},
                 {"threads", threads}};
    int level;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    folder = argc > 1 ? argv[1] : ".";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (argc > 2 && strcmp(argv[2], cases[i].name) == 0)
            cases[i].run();
    MPI_Finalize();
    printf("rank %d: finalized\n", rank);
    return 0;
}
