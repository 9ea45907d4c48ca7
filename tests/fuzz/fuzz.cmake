# Fuzz targets: tests/fuzz/fuzz_*.c (fuzz.h). With DFOPT_FUZZ, which needs clang, they
# are libFuzzer programs; else tests that run the seeds of tests/fuzz/seeds/TARGET.

# dfopt_fuzz(NAME SOURCES LIBRARIES...): the target fuzz_NAME. SOURCES is a list.
function(dfopt_fuzz name sources)
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/tests/fuzz/)
  add_executable(fuzz_${name} ${sources})
  target_link_libraries(fuzz_${name} PRIVATE ${ARGN} dfopt_flags)
  if(DFOPT_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c)
    add_test(NAME fuzz.${name}
             COMMAND fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
  set_property(GLOBAL APPEND PROPERTY dfopt_fuzz_targets fuzz_${name})
endfunction()

dfopt_fuzz(finding fuzz_finding.c dfopt_codec)
foreach(stream registration ack global_plan objective)
  string(TOUPPER ${stream} STREAM)
  dfopt_fuzz(${stream} fuzz_record.c dfopt_codec dfopt_engine_comm)
  target_compile_definitions(fuzz_${stream} PRIVATE FUZZ_STREAM=DFOPT_STREAM_${STREAM})
endforeach()
dfopt_fuzz(policy fuzz_policy.c dfopt_codec)
dfopt_fuzz(registry fuzz_registry.c dfopt_codec)
dfopt_fuzz(sweep fuzz_sweep.c dfopt_codec m)
dfopt_fuzz(frame fuzz_frame.c dfopt_engine_comm)
dfopt_fuzz(journal fuzz_journal.c dfopt_engine)
dfopt_fuzz(items fuzz_items.c dfopt_engine)
dfopt_fuzz(sweep_journal fuzz_sweep_journal.c dfopt_engine)
dfopt_fuzz(zmq_metadata fuzz_zmq_metadata.c dfopt_transport_zmq)
dfopt_fuzz(zmq_message fuzz_zmq_message.c dfopt_transport_zmq)
dfopt_fuzz(digits fuzz_digits.c dfopt_base m)
dfopt_fuzz(zmq_endpoint fuzz_zmq_endpoint.c dfopt_net_zmq)
dfopt_fuzz(client_plan fuzz_client_plan.c dfopt_client_static PkgConfig::JSONC)
dfopt_fuzz(declog "fuzz_declog.c;declog_base.c" dfopt_declog)
dfopt_fuzz(declog_file "fuzz_declog_file.c;declog_base.c" dfopt_declog)
dfopt_fuzz(block fuzz_block.c dfopt_declog)
dfopt_fuzz(sweep_file fuzz_sweep_file.c dfopt_declog)

if(NOT DFOPT_FUZZ) # HDF5 leaks where it fails to read
  set_tests_properties(fuzz.declog fuzz.declog_file fuzz.block fuzz.sweep_file
                       PROPERTIES ENVIRONMENT "${DFOPT_TEST_ENVIRONMENT}")
endif()

get_property(targets GLOBAL PROPERTY dfopt_fuzz_targets)
add_custom_target(fuzz_targets DEPENDS ${targets})
