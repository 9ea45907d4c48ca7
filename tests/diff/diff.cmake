# The programs against the executable specification, on generated event logs.
# Sanitized programs are slow: they are given fewer.
if(DFOPT_SANITIZE)
  set(logs 4)
else()
  set(logs 16)
endif()
set(options_all "--readers=all --read-bytes=20000")
set(options_one "--readers=one --batch-events=100")
foreach(readers all one)
  add_test(NAME mpi.differential.${readers}
           COMMAND Python3::Interpreter
                   ${PROJECT_SOURCE_DIR}/tests/diff/differential.py
                   --program $<TARGET_FILE:dfopt-mpi>
                   --log-program $<TARGET_FILE:dfopt-log> --logs ${logs} --jobs 2
                   "--program-options=${options_${readers}}")
  set_tests_properties(mpi.differential.${readers} PROPERTIES
    LABELS mpi TIMEOUT 900 ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}")
endforeach()
if(NOT DFOPT_SANITIZE)
  add_test(NAME mpi.large
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/diff/large.py
                   --program $<TARGET_FILE:dfopt-mpi>
                   --log-program $<TARGET_FILE:dfopt-log>)
  set_tests_properties(mpi.large PROPERTIES LABELS mpi TIMEOUT 900)
endif()
