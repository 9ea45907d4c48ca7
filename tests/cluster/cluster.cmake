# Clusters on this machine alone; skipped, by name, where that cannot be.
#   slurm   Debian's Slurm and the batch scripts of jobs/slurm
#   flux    jobs/flux, in a Flux instance of the test's own
#   hosts   network namespaces as hosts
#   shell   shellcheck of all scripts
#   monitoring  what jobs/monitoring and jobs/systemd hold, by the tools that read it
# dfopt_cluster_test(NAME TIMEOUT LABELS...): tests/cluster/test_NAME.py, with the
# label NAME, too
function(dfopt_cluster_test name timeout)
  add_test(NAME cluster.${name}
           COMMAND ${DFOPT_SYSTEM_PYTHON}
                   ${PROJECT_SOURCE_DIR}/tests/cluster/test_${name}.py)
  set_tests_properties(cluster.${name} PROPERTIES
    LABELS "${name};${ARGN}" TIMEOUT ${timeout}
    SKIP_REGULAR_EXPRESSION "setUpModule .*skipped" ENVIRONMENT "${cli_environment}")
endfunction()

if(NOT DFOPT_SANITIZE)
  dfopt_cluster_test(slurm 900 mpi fault)
  dfopt_cluster_test(flux 300)
  dfopt_cluster_test(hosts 300 mpi fault)
  dfopt_cluster_test(shell 300)
  dfopt_cluster_test(monitoring 300)
endif()
