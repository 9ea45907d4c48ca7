# Tests in which the Nth allocation fails (nomem.h).
add_library(dfopt_fail_allocations INTERFACE)
foreach(function malloc calloc realloc strdup _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t)
  target_link_options(dfopt_fail_allocations INTERFACE -Wl,--wrap=${function})
endforeach()

dfopt_unit_test(nomem_codec dfopt_codec dfopt_engine_comm dfopt_fail_allocations)
dfopt_unit_test(nomem_planner dfopt_planner dfopt_codec dfopt_fail_allocations)
dfopt_unit_test(nomem_transport dfopt_transport_file dfopt_transport_zmq dfopt_journal dfopt_fail_allocations)
dfopt_unit_test(nomem_client dfopt_client_static dfopt_fail_allocations dfopt_flags)
foreach(name codec planner transport client)
  set_property(TEST unit.nomem_${name} APPEND PROPERTY LABELS fault)
endforeach()
