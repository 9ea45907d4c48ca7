# Tests against a real broker, which each of them starts on shared memory. Where
# Mofka is not found they are there by name, and skipped.
find_program(DFOPT_BEDROCK bedrock)
set(mofka_tests service records control faults client global demo slurm)

if(DFOPT_HAVE_MOFKA)
  add_executable(mofka_peer ${CMAKE_CURRENT_SOURCE_DIR}/mofka/peer.cpp)
  target_link_libraries(mofka_peer PRIVATE diaspora-stream-api)
endif()

foreach(name ${mofka_tests})
  if(DFOPT_HAVE_MOFKA AND DFOPT_BEDROCK AND NOT DFOPT_SANITIZE)
    add_test(NAME mofka.${name}
             COMMAND ${DFOPT_SYSTEM_PYTHON}
                     ${CMAKE_CURRENT_SOURCE_DIR}/mofka/test_${name}.py)
    set_tests_properties(mofka.${name} PROPERTIES
      ENVIRONMENT "${cli_environment};PYTHONPATH=${PROJECT_SOURCE_DIR}/src/client/python;DFOPT_CLIENT_LIBRARY=$<TARGET_FILE:dfopt_client>;DFOPT_BEDROCK=${DFOPT_BEDROCK};DFOPT_MOFKA_PEER=$<TARGET_FILE:mofka_peer>")
  else()
    add_test(NAME mofka.${name} COMMAND ${CMAKE_COMMAND} -E echo "Mofka is not found")
    set_tests_properties(mofka.${name} PROPERTIES
                         SKIP_REGULAR_EXPRESSION "Mofka is not found")
  endif()
  set_tests_properties(mofka.${name} PROPERTIES LABELS mofka TIMEOUT 300)
endforeach()
# batch jobs: a Slurm as of tests/cluster, too
set_tests_properties(mofka.slurm PROPERTIES LABELS "mofka;slurm" TIMEOUT 900
                     SKIP_REGULAR_EXPRESSION "Mofka is not found|setUpModule .*skipped")
