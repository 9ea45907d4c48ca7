# The live service beside application processes. Short here; with
# DFOPT_ONLINE_LONG=1 in the environment the same tests are long.
add_executable(online_app ${CMAKE_CURRENT_LIST_DIR}/app.c)
target_link_libraries(online_app PRIVATE dfopt_client dfopt_flags PkgConfig::ZMQ)

# dfopt_online_test(NAME TIMEOUT): tests/online/test_NAME.py
function(dfopt_online_test name timeout)
  add_test(NAME online.${name}
           COMMAND ${DFOPT_SYSTEM_PYTHON}
                   ${PROJECT_SOURCE_DIR}/tests/online/test_${name}.py)
  set_tests_properties(online.${name} PROPERTIES
    LABELS "online;mpi;fault" TIMEOUT ${timeout}
    ENVIRONMENT "${cli_environment};DFOPT_ONLINE_APP=$<TARGET_FILE:online_app>")
endfunction()

dfopt_online_test(pub 1200)
dfopt_online_test(kills 1800)
dfopt_online_test(resume 1800)
dfopt_online_test(flood 1200)
dfopt_online_test(disk 300)
dfopt_online_test(stall 300)
dfopt_online_test(control 300)
dfopt_online_test(operator 600)
if(NOT DFOPT_SANITIZE) # of an application in Python
  dfopt_online_test(endpoints 300)
  dfopt_online_test(restarts 600)
  dfopt_online_test(lost 300)
  dfopt_online_test(answers 300)
  set_property(TEST online.endpoints online.restarts online.lost online.answers APPEND PROPERTY ENVIRONMENT
               PYTHONPATH=${PROJECT_SOURCE_DIR}/src/client/python
               DFOPT_CLIENT_LIBRARY=$<TARGET_FILE:dfopt_client>)
endif()
if(DFOPT_HAVE_METRICS)
  dfopt_online_test(metrics 300)
endif()
if(DFOPT_HAVE_SYSTEMD)
  dfopt_online_test(notify 300)
endif()
