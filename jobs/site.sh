# Settings of this site, for the batch scripts of jobs/slurm and jobs/flux. What is
# set in the environment already (sbatch --export, flux batch --env) goes before.
# Sourced by sh, on the first node of the job.
# shellcheck shell=sh disable=SC2034 # used where it is sourced

# What has to be loaded so that the programs and their MPI are found.
# module load openmpi/4.1 dfopt-mpi

# Folder of dfopt-mpi; empty: where it was installed beside these scripts, or PATH.
: "${DFOPT_BIN:=}"

# Results of a job go to a folder with its id in this one, which every node sees; or,
# to resume a job that has ended, with that job's id.
: "${DFOPT_RESULTS:=.}"
: "${DFOPT_GO_ON_WITH:=}"

# How ranks are started: mpirun, srun (Open MPI with PMIx, and Slurm's plugin for it),
# flux, or none (one rank, without MPI's help); and options for it, split at blanks:
#   mpirun  --cpu-set 0-3 --bind-to core    cores of its own beside the application
#   srun    --mpi=pmix                      has cores of its own by --exact
#   flux    -o pmi=pmix
: "${DFOPT_LAUNCHER:=mpirun}"
: "${DFOPT_LAUNCHER_OPTIONS:=}"

# The service: ranks; nodes for them alone, the first ones of the job (0: the first
# node, beside the application); the interface at which the application reaches them
# (hsn0, ib0; empty: all, by the name of the host); more options of dfopt-mpi, split at
# blanks.
: "${DFOPT_RANKS:=4}"
: "${DFOPT_SERVICE_NODES:=1}"
: "${DFOPT_INTERFACE:=}"
: "${DFOPT_OPTIONS:=}"

# Metrics of the service: HOST:PORT (*:0 is any free port, at every interface); empty:
# none. Where they are is written to JOBID.json in the folder DFOPT_TARGETS (empty: the
# folder of results), as Prometheus' file_sd reads it, and removed at the end.
: "${DFOPT_METRICS:=}"
: "${DFOPT_TARGETS:=}"

# Between the service and the application: zmq, or mofka (docs/mofka.md). With mofka:
# the broker's group file, which has DFOPT_START_S to be there; or a command, split at
# blanks, that is the broker of this job alone and writes the file MOFKA_GROUP_FILE:
#   sh jobs/broker.sh ofi+tcp
# and the topics (Bedrock takes no dots, which DFOptimizer's defaults have).
: "${DFOPT_TRANSPORT:=zmq}"
: "${DFOPT_GROUP_FILE:=}"
: "${DFOPT_BROKER_COMMAND:=}"
: "${DFOPT_FINDINGS_TOPIC:=diagnosis_findings}"
: "${DFOPT_PLANS_TOPIC:=optimizer_plans}"
: "${DFOPT_REGISTRY_TOPIC:=optimizer_registry}"
: "${DFOPT_ACKS_TOPIC:=optimizer_acks}"

# Seconds: for the service, and a broker, to start; and, when the time is up, for the
# application to end after the signal, and then for the service, and a broker.
: "${DFOPT_START_S:=120}"
: "${DFOPT_APP_SIGNAL:=TERM}"
: "${DFOPT_APP_GRACE_S:=20}"
: "${DFOPT_STOP_S:=30}"

# With mpirun of Open MPI 4: a node that is gone ends the job within half a minute; by
# Open MPI's own settings it takes eight.
: "${OMPI_MCA_oob_tcp_keepalive_time:=10}"
: "${OMPI_MCA_oob_tcp_keepalive_intvl:=5}"
: "${OMPI_MCA_oob_tcp_keepalive_probes:=4}"
export OMPI_MCA_oob_tcp_keepalive_time OMPI_MCA_oob_tcp_keepalive_intvl \
    OMPI_MCA_oob_tcp_keepalive_probes

# yes: a job that was stopped at its time limit is put in the queue again (Slurm).
: "${DFOPT_REQUEUE:=no}"
