# The demonstration's loader.
foreach(name demo_dataset demo_reader demo_diagnosis)
  dfopt_unit_test(${name} dfopt_demo)
endforeach()
set_property(TEST unit.demo_reader APPEND PROPERTY LABELS threads)
add_dependencies(thread_tests test_demo_reader)
