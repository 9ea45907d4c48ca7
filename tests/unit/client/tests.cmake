# The application library, as its users link it: the shared one, public calls only.
if(NOT TARGET PkgConfig::ZMQ)
  pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET GLOBAL libzmq>=4.3)
endif()
foreach(name client client_messages client_malformed client_plans client_values
        client_endpoints client_life client_lost client_orphan client_room client_broken client_threads client_window
        client_group client_objective client_measure client_answer)
  dfopt_unit_test(${name} dfopt_client dfopt_flags PkgConfig::ZMQ PkgConfig::JSONC m)
  list(APPEND client_tests test_${name})
  dfopt_threads(${name})
  set_property(TEST unit.${name} APPEND PROPERTY ENVIRONMENT
               TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp)
endforeach()
# The client's tests under locales that write numbers and letters differently: those that
# write or read numbers. `locales.py BUILD/tests/test_client*` runs all of them.
set(client_programs ${client_tests})
list(FILTER client_programs INCLUDE REGEX
     "messages|malformed|plans|values|window|objective")
list(TRANSFORM client_programs PREPEND $<TARGET_FILE:)
list(TRANSFORM client_programs APPEND >)
add_test(NAME unit.client_locales
         COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/locales.py
                 ${client_programs})
set_tests_properties(unit.client_locales PROPERTIES LABELS unit TIMEOUT 900
  SKIP_RETURN_CODE 77
  ENVIRONMENT LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lsan.supp)
# What the service reads of what the library sends.
target_link_libraries(test_client_messages PRIVATE dfopt_codec)
dfopt_nomem_test(client dfopt_client_static dfopt_flags)

# Boundaries of many ranks: the header over MPI, with the library that knows none.
add_executable(client_ranks ${CMAKE_CURRENT_LIST_DIR}/client_ranks.c)
target_link_libraries(client_ranks PRIVATE dfopt_client dfopt_flags MPI::MPI_C)
foreach(ranks 2 16)
  add_test(NAME unit.client_ranks_${ranks}
           COMMAND timeout -k 5 280 ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none
                   ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:client_ranks> 2000 120)
  set_tests_properties(unit.client_ranks_${ranks} PROPERTIES
    LABELS "unit;mpi" TIMEOUT 300 ENVIRONMENT
    "${DFOPT_TEST_ENVIRONMENT};OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
endforeach()
