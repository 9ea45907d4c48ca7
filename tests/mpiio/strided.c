/* An MPI-IO program as others write them, which knows nothing of dfopt-mpi: each
 * rank owns every Nth block of 4 kB of a file, and all write theirs in one
 * collective call, again and again, as checkpoints do, with a pause between.
 *
 *     strided [-k] FILE BLOCKS OPENS PAUSE_MS [HINT=VALUE]...
 *
 * With -k the file stays open, and each write but the first comes with a view of
 * its own instead. For each open or view, rank 0 prints its number, MB/s (10^6)
 * until it is written, and the hints that the file was opened with; then whether
 * any rank saw other hints than rank 0. The file's last content is checked. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096

static const char *const shown[] = {"romio_cb_write", "romio_ds_write", "cb_nodes",
                                    "cb_buffer_size", "collective_buffering"};

static void add_hint(MPI_Info info, const char *argument)
{
    char name[MPI_MAX_INFO_KEY + 1];
    const char *value = strchr(argument, '=');
    if (!value || value - argument > MPI_MAX_INFO_KEY)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(value - argument), argument);
    MPI_Info_set(info, name, value + 1);
}

/* The hints that the file has, as this rank sees them. */
static void describe(MPI_File file, char *text, size_t size)
{
    MPI_Info info;
    MPI_File_get_info(file, &info);
    memset(text, 0, size);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char value[MPI_MAX_INFO_VAL + 1];
        int found;
        MPI_Info_get(info, shown[i], MPI_MAX_INFO_VAL, value, &found);
        if (found)
            snprintf(text + strlen(text), size - strlen(text), " %s=%s", shown[i],
                     value);
    }
    MPI_Info_free(&info);
}

/* How many ranks see other hints than rank 0. */
static int others(const char *mine, size_t size)
{
    char *first = malloc(size);
    memcpy(first, mine, size);
    MPI_Bcast(first, (int)size, MPI_CHAR, 0, MPI_COMM_WORLD);
    int differs = strcmp(first, mine) != 0, sum = 0;
    free(first);
    MPI_Allreduce(&differs, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

int main(int argc, char **argv)
{
    int rank, ranks, differing = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    const int keep_open = argc > 1 && strcmp(argv[1], "-k") == 0;
    argc -= keep_open;
    argv += keep_open;
    if (argc < 5) {
        fprintf(stderr,
                "usage: strided [-k] FILE BLOCKS OPENS PAUSE_MS [HINT=VALUE]...\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    const int blocks = atoi(argv[2]), opens = atoi(argv[3]);
    const useconds_t pause_us = (useconds_t)atoi(argv[4]) * 1000;
    const size_t mine = (size_t)blocks * BLOCK;
    char *data = malloc(mine), *back = malloc(mine);
    MPI_Info info = MPI_INFO_NULL;
    MPI_Datatype every;
    MPI_Type_vector(blocks, BLOCK, BLOCK * ranks, MPI_BYTE, &every);
    MPI_Type_commit(&every);
    if (argc > 5)
        MPI_Info_create(&info);
    for (int i = 5; i < argc; i++)
        add_hint(info, argv[i]);
    MPI_File file = MPI_FILE_NULL;
    for (int o = 1; o <= opens; o++) {
        char hints[1024];
        memset(data, o + rank, mine);
        MPI_Barrier(MPI_COMM_WORLD);
        const double begin = MPI_Wtime();
        if (file == MPI_FILE_NULL &&
            MPI_File_open(MPI_COMM_WORLD, argv[1], MPI_MODE_CREATE | MPI_MODE_RDWR,
                          info, &file) != MPI_SUCCESS)
            MPI_Abort(MPI_COMM_WORLD, 1);
        MPI_File_set_view(file, (MPI_Offset)rank * BLOCK, MPI_BYTE, every, "native",
                          info);
        MPI_File_write_all(file, data, (int)mine, MPI_BYTE, MPI_STATUS_IGNORE);
        describe(file, hints, sizeof hints);
        if (!keep_open || o == opens)
            MPI_File_close(&file);
        const double seconds = MPI_Wtime() - begin;
        differing += others(hints, sizeof hints);
        if (rank == 0) {
            printf("%d %.1f%s\n", o, (double)mine * ranks / seconds * 1e-6, hints);
            fflush(stdout);
        }
        usleep(pause_us);
    }
    MPI_File_open(MPI_COMM_SELF, argv[1], MPI_MODE_RDONLY, MPI_INFO_NULL, &file);
    MPI_File_set_view(file, (MPI_Offset)rank * BLOCK, MPI_BYTE, every, "native",
                      MPI_INFO_NULL);
    MPI_File_read(file, back, (int)mine, MPI_BYTE, MPI_STATUS_IGNORE);
    MPI_File_close(&file);
    int wrong = memcmp(data, back, mine) != 0, all = 0;
    MPI_Reduce(&wrong, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d times a rank had other hints, %d ranks read wrong data\n",
               differing, all);
    MPI_Type_free(&every);
    if (info != MPI_INFO_NULL)
        MPI_Info_free(&info);
    free(data);
    free(back);
    MPI_Finalize();
    return all != 0;
}
