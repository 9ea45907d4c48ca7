# Tests of the programs as their users run them: tests/cli/test_*.py.
# Python is the system's: it has the h5py that Debian packages.
find_program(DFOPT_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
set(DFOPT_RELEASE_PROGRAM "" CACHE FILEPATH
    "A dfopt-mpi without sanitizers, for the memory test of a sanitized build")

add_library(dfopt_mpi_leaks MODULE ${CMAKE_CURRENT_LIST_DIR}/mpi_leaks.c)
target_include_directories(dfopt_mpi_leaks PRIVATE ${MPI_C_INCLUDE_DIRS})

set(cli_environment
  DFOPT_PROGRAM=$<TARGET_FILE:dfopt-mpi>
  DFOPT_DEMO_PROGRAM=$<TARGET_FILE:dfopt-demo-loader>
  DFOPT_RELEASE_PROGRAM=${DFOPT_RELEASE_PROGRAM}
  DFOPT_MPI_LEAKS=$<TARGET_FILE:dfopt_mpi_leaks>
  ASAN_OPTIONS=detect_leaks=1:intercept_tls_get_addr=0:verify_asan_link_order=0
  LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0)
if(TARGET dfopt-log)
  list(APPEND cli_environment DFOPT_LOG_PROGRAM=$<TARGET_FILE:dfopt-log>)
endif()

# dfopt_cli_test(NAME TIMEOUT LABELS...): tests/cli/test_NAME.py
function(dfopt_cli_test name timeout)
  add_test(NAME cli.${name}
           COMMAND ${DFOPT_SYSTEM_PYTHON}
                   ${PROJECT_SOURCE_DIR}/tests/cli/test_${name}.py)
  set_tests_properties(cli.${name} PROPERTIES
    LABELS "${ARGN}" TIMEOUT ${timeout} ENVIRONMENT "${cli_environment}")
endfunction()

dfopt_cli_test(options 300 cli)
dfopt_cli_test(bootstrap 300 cli)
dfopt_cli_test(inputs 300 cli)
dfopt_cli_test(bad_input 420 cli mpi)
dfopt_cli_test(policy 300 cli)
dfopt_cli_test(outputs 300 cli fault)
dfopt_cli_test(ranks 420 cli mpi)
dfopt_cli_test(many_ranks 420 cli mpi)
set_tests_properties(cli.many_ranks PROPERTIES RUN_SERIAL ON)
dfopt_cli_test(signals 300 cli fault)
dfopt_cli_test(contention 300 cli mpi fault)
dfopt_cli_test(service 300 cli mpi fault)
dfopt_cli_test(memory 300 cli mpi fault)
if(TARGET dfopt-log)
  dfopt_cli_test(log 300 cli)
  if(NOT DFOPT_SANITIZE) # nothing of C in it
    dfopt_cli_test(completion 300 cli)
  endif()
  dfopt_cli_test(log_commands 300 cli fault)
  dfopt_cli_test(log_why 300 cli)
  dfopt_cli_test(tally 300 cli)
  if(DFOPT_HAVE_NCURSES)
    dfopt_cli_test(log_top 300 cli)
  endif()
  dfopt_cli_test(log_outcomes 300 cli)
  dfopt_cli_test(old_log 300 cli)
  dfopt_cli_test(sweep 300 cli mpi fault)
  dfopt_cli_test(resume 300 cli mpi)
endif()
dfopt_cli_test(demo_loader 300 cli)
dfopt_cli_test(demo_storage 300 cli)
dfopt_cli_test(demo_messages 300 cli)
if(NOT DFOPT_SANITIZE) # its parts are tested by themselves
  dfopt_cli_test(demo 300 cli mpi)
endif()
