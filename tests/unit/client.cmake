# The application library, as its users link it: the shared one, public calls only.
if(NOT TARGET PkgConfig::ZMQ)
  pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET GLOBAL libzmq>=4.3)
endif()
foreach(name client client_messages client_malformed client_plans client_values
        client_life client_threads client_window)
  dfopt_unit_test(${name} dfopt_client dfopt_flags PkgConfig::ZMQ PkgConfig::JSONC m)
endforeach()
# What the service reads of what the library sends.
target_link_libraries(test_client_messages PRIVATE dfopt_codec)

# To be run by hand: what an empty boundary costs.
add_executable(bench_client ${CMAKE_CURRENT_SOURCE_DIR}/unit/bench_client.c)
target_link_libraries(bench_client PRIVATE dfopt_client dfopt_flags)
