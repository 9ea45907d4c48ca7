# Unit tests of what travels between ranks, and of what stands on it.
add_library(test_frame_ends STATIC ${CMAKE_CURRENT_SOURCE_DIR}/unit/frame_ends.c
                                   ${CMAKE_CURRENT_SOURCE_DIR}/unit/frame_kinds.c)
target_link_libraries(test_frame_ends PUBLIC dfopt_engine_comm PkgConfig::XXHASH
                                             PkgConfig::CMOCKA)
foreach(name frame frame_refused frame_random)
  dfopt_unit_test(${name} test_frame_ends)
endforeach()
dfopt_unit_test(split dfopt_transport_file)
dfopt_unit_test(partition dfopt_engine)
dfopt_unit_test(route dfopt_engine)
dfopt_unit_test(batch dfopt_engine)
dfopt_unit_test(block dfopt_declog)
dfopt_unit_test(slice dfopt_engine)
dfopt_unit_test(doorbell dfopt_engine)
dfopt_unit_test(record dfopt_engine)
dfopt_unit_test(journal_source dfopt_journal dfopt_transport_file)
dfopt_unit_test(sweep_journal dfopt_engine)
