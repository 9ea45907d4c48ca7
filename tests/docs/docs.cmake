# The documents against the program: options, links, tables, examples.
# A sanitized build has the checks of the text alone: the programs that the examples
# run are tested by tests/cli.
set(checks man formats client links paths tables migrating policy)
if(NOT DFOPT_SANITIZE)
  list(APPEND checks run readme)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release") # gdb wants debug information
  list(APPEND checks debugging)
endif()
if(NOT DFOPT_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Release")
  list(APPEND checks clone) # it builds: half a minute of CPU
endif()
foreach(check ${checks})
  add_test(NAME docs.${check}
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/docs/check_docs.py
                   --source ${PROJECT_SOURCE_DIR}
                   --bin $<TARGET_FILE_DIR:dfopt-mpi> --only ${check})
  set_tests_properties(docs.${check} PROPERTIES
    LABELS cli TIMEOUT 600 ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}")
endforeach()
if(TEST docs.clone)
  set_tests_properties(docs.clone PROPERTIES PROCESSORS 2)
endif()
