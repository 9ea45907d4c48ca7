foreach(name number number_cast planner planner_gates planner_step planner_value
        planner_acks planner_global planner_parts hosts)
  dfopt_unit_test(${name} dfopt_planner)
endforeach()
dfopt_nomem_test(planner dfopt_planner dfopt_codec)
