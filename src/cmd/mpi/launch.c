/* Launchers number their tasks and announce how many there are. */
#include "cmd/mpi/launch.h"

#include <stdlib.h>

bool dfopt_launch_is_by_launcher(void)
{
    static const char *const numbers[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK",
                                          "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (getenv(numbers[i]))
            return true;
    return false;
}

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? strtol(text, NULL, 10) : 0;
}

/* Slurm steps only: a batch script is none, but has the job's task count. */
static long slurm_tasks(void)
{
    const long n = number_of("SLURM_STEP_NUM_TASKS");
    return n || !getenv("SLURM_STEP_ID") ? n : number_of("SLURM_NTASKS");
}

bool dfopt_launch_check(int size, struct dfopt_log *log)
{
    const struct {
        long tasks;
        const char *by, *then;
    } launchers[] = {
        {slurm_tasks(), "srun",
         "use srun --mpi=pmix (srun --mpi=list shows the choices), or mpirun in "
         "the batch script"},
        {number_of("FLUX_JOB_SIZE"), "flux run",
         "use flux run -o pmi=pmix, or the mpirun of this MPI library"},
        {number_of("PMI_SIZE"), "a launcher of another MPI library",
         "use the mpirun of this MPI library"},
    };
    if (size > 1 || getenv("OMPI_COMM_WORLD_SIZE"))
        return false;
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        if (launchers[i].tasks <= 1)
            continue;
        dfopt_log_event(
            log, DFOPT_LOG_WARNING, "optimizer.ranks.separate",
            DFOPT_F_TEXT("error", "each task runs as a separate job of one rank: "
                                  "MPI does not recognise the launcher"),
            DFOPT_F_TEXT("launcher", launchers[i].by),
            DFOPT_F_INT("tasks", launchers[i].tasks),
            DFOPT_F_TEXT("then", launchers[i].then));
        return true;
    }
    return false;
}
