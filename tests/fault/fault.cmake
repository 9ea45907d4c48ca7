# What a kill leaves, and going on from it. The long versions are run by hand:
# tests/fault/NAME.py --count 200.
if(DFOPT_SANITIZE)
  set(kills 2)
else()
  set(kills 4)
endif()
add_test(NAME fault.kill_replay
         COMMAND ${DFOPT_SYSTEM_PYTHON} ${PROJECT_SOURCE_DIR}/tests/fault/kill_replay.py
                 --count ${kills} --windows 30)
set_tests_properties(fault.kill_replay PROPERTIES
  LABELS "fault;mpi" TIMEOUT 300 ENVIRONMENT "${cli_environment}")
add_test(NAME fault.kill_control
         COMMAND ${DFOPT_SYSTEM_PYTHON} ${PROJECT_SOURCE_DIR}/tests/fault/kill_replay.py
                 --count ${kills} --generated)
set_tests_properties(fault.kill_control PROPERTIES
  LABELS "fault;mpi" TIMEOUT 300 ENVIRONMENT "${cli_environment}")
add_test(NAME fault.restart
         COMMAND ${DFOPT_SYSTEM_PYTHON} ${PROJECT_SOURCE_DIR}/tests/fault/test_restart.py)
set_tests_properties(fault.restart PROPERTIES
  LABELS "fault;mpi" TIMEOUT 300 ENVIRONMENT "${cli_environment}")
