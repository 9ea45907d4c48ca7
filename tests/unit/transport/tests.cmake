dfopt_nomem_test(transport dfopt_transport_file dfopt_transport_zmq dfopt_journal)

# Services over Mofka that tell each other, with a module that needs no Mofka.
dfopt_unit_test(mofka_presence dfopt_transport_mofka)
target_link_libraries(test_mofka_presence PRIVATE ${CMAKE_DL_LIBS})
add_dependencies(test_mofka_presence dfopt_fake_mofka)
set_property(TEST unit.mofka_presence APPEND PROPERTY
             ENVIRONMENT "DFOPT_FAKE_MOFKA=$<TARGET_FILE:dfopt_fake_mofka>")
