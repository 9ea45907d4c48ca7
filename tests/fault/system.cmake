# Faults of the system below: full and read-only disks, short writes, clocks that jump.
add_library(dfopt_bad_system MODULE ${CMAKE_CURRENT_LIST_DIR}/bad_system.c)
target_link_libraries(dfopt_bad_system PRIVATE ${CMAKE_DL_LIBS} MPI::MPI_C)
set_target_properties(dfopt_bad_system PROPERTIES C_VISIBILITY_PRESET default)

add_test(NAME fault.system
         COMMAND ${DFOPT_SYSTEM_PYTHON} ${PROJECT_SOURCE_DIR}/tests/fault/test_system.py)
set_tests_properties(fault.system PROPERTIES
  LABELS "cli;fault" TIMEOUT 300
  ENVIRONMENT "${cli_environment};DFOPT_BAD_SYSTEM=$<TARGET_FILE:dfopt_bad_system>")

# A decision log cut at some bytes; by hand with --every: at all.
add_executable(declog_cut ${CMAKE_CURRENT_LIST_DIR}/declog_cut.c)
target_include_directories(declog_cut PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(declog_cut PRIVATE dfopt_state)
set_target_properties(declog_cut PROPERTIES ENABLE_EXPORTS ON) # HDF5 finds its nanosleep
add_test(NAME fault.declog_cut
         COMMAND ${DFOPT_SYSTEM_PYTHON} ${PROJECT_SOURCE_DIR}/tests/fault/test_declog_cut.py)
set_tests_properties(fault.declog_cut PROPERTIES
  LABELS "cli;fault" TIMEOUT 300
  ENVIRONMENT "${cli_environment};DFOPT_DECLOG_CUT=$<TARGET_FILE:declog_cut>")
