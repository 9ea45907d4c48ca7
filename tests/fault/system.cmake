# Faults of the system below: full and read-only disks, short writes, clocks that jump.
add_library(dfopt_bad_system MODULE ${CMAKE_CURRENT_LIST_DIR}/bad_system.c)
target_link_libraries(dfopt_bad_system PRIVATE ${CMAKE_DL_LIBS})
set_target_properties(dfopt_bad_system PROPERTIES C_VISIBILITY_PRESET default)

add_test(NAME fault.system
         COMMAND ${DFOPT_SYSTEM_PYTHON} ${PROJECT_SOURCE_DIR}/tests/fault/test_system.py)
set_tests_properties(fault.system PROPERTIES
  LABELS "cli;fault" TIMEOUT 240
  ENVIRONMENT "${cli_environment};DFOPT_BAD_SYSTEM=$<TARGET_FILE:dfopt_bad_system>")

# A decision log cut at every STEPth byte; by hand with 1: every one.
add_executable(test_declog_cut ${CMAKE_CURRENT_LIST_DIR}/test_declog_cut.c
                               ${PROJECT_SOURCE_DIR}/tests/fuzz/declog_base.c)
target_include_directories(test_declog_cut PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(test_declog_cut PRIVATE dfopt_declog)
add_test(NAME fault.declog_cut COMMAND test_declog_cut 14983)
set_tests_properties(fault.declog_cut PROPERTIES LABELS fault TIMEOUT 240
                     ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}") # HDF5's own leaks
