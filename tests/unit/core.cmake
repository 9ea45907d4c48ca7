# Unit tests of src/base, src/model and src/planner.
foreach(name buf_log dict value finding policy number number_cast planner
        planner_gates planner_step planner_value planner_acks planner_global
        planner_parts
        sample)
  dfopt_unit_test(${name} dfopt_planner)
endforeach()
