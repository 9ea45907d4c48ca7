# The programs against the executable specification, on generated event logs.
# Sanitized programs are slow: they are given fewer.
if(DFOPT_SANITIZE)
  set(logs 2)
else()
  set(logs 8)
endif()
set(options_all "--readers=all --read-bytes=20000")
set(options_one "--readers=one --batch-events=100")
set(more_all --cases) # the hand-written ones, too
set(more_one --first-seed 101)
foreach(readers all one)
  add_test(NAME mpi.differential.${readers}
           COMMAND Python3::Interpreter
                   ${PROJECT_SOURCE_DIR}/tests/diff/differential.py
                   --program $<TARGET_FILE:dfopt-mpi>
                   --log-program $<TARGET_FILE:dfopt-log> --logs ${logs} --jobs 2
                   ${more_${readers}}
                   "--program-options=${options_${readers}}")
  set_tests_properties(mpi.differential.${readers} PROPERTIES
    LABELS mpi TIMEOUT 900 ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}")
endforeach()
if(NOT DFOPT_SANITIZE)
  add_test(NAME mpi.large
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/diff/large.py
                   --program $<TARGET_FILE:dfopt-mpi>
                   --log-program $<TARGET_FILE:dfopt-log> --findings 30000)
  set_tests_properties(mpi.large PROPERTIES LABELS mpi TIMEOUT 900)
endif()

# The planner alone against the specification, without the engine.
add_executable(planner_driver ${CMAKE_CURRENT_SOURCE_DIR}/diff/planner_driver.c
                              ${CMAKE_CURRENT_SOURCE_DIR}/diff/planner_driver_state.c)
target_link_libraries(planner_driver PRIVATE dfopt_planner dfopt_codec)
if(DFOPT_SANITIZE)
  set(logs 3)
else()
  set(logs 8)
endif()
add_test(NAME unit.planner_differential
         COMMAND Python3::Interpreter
                 ${PROJECT_SOURCE_DIR}/tests/diff/planner_differential.py
                 --driver $<TARGET_FILE:planner_driver> --logs ${logs} --cases)
set_tests_properties(unit.planner_differential PROPERTIES
  LABELS unit TIMEOUT 900 ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}")

# What is claimed of knobs that do nothing, and how soon harm is taken back.
if(NOT DFOPT_SANITIZE)
  add_test(NAME unit.honest_claims
           COMMAND Python3::Interpreter
                   ${PROJECT_SOURCE_DIR}/tests/diff/honest_claims.py
                   --driver $<TARGET_FILE:planner_driver> --knobs 200
                   --harmful 100)
  set_tests_properties(unit.honest_claims PROPERTIES LABELS unit TIMEOUT 300)
endif()

# Simulated applications that the program tunes, live and as a replay.
if(DFOPT_SANITIZE)
  set(closed_loop --plants sharedfs --ranks 1 --replay-ranks 3 --horizon 40)
else()
  set(closed_loop --plants memory,sharedfs,restart --replay-ranks 7 --horizon 50)
endif()
add_test(NAME mpi.closed_loop
         COMMAND Python3::Interpreter
                 ${PROJECT_SOURCE_DIR}/tests/diff/closed_loop.py
                 --program $<TARGET_FILE:dfopt-mpi> ${closed_loop})
set_tests_properties(mpi.closed_loop PROPERTIES
  LABELS mpi TIMEOUT 300 ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}")

# The shipped recordings are what the specification decides.
add_test(NAME unit.recordings
         COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/spec/recordings.py --check)
set_tests_properties(unit.recordings PROPERTIES LABELS unit TIMEOUT 120)

# What the shadow says is what would be planned: the specification, and the program.
add_test(NAME unit.shadow
         COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/diff/shadow.py
                 --logs 3 --program $<TARGET_FILE:dfopt-mpi>
                 --log-program $<TARGET_FILE:dfopt-log>)
set_tests_properties(unit.shadow PROPERTIES
  LABELS unit TIMEOUT 300 ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}")
