# The ZMQ transport; its tests use TCP on 127.0.0.1, any port.
foreach(name zmq_endpoint zmq_metadata zmq_queue zmq_topics zmq_source zmq_connect zmq_sink zmq_pub
        zmq_curve zmq_life zmq_answers)
  dfopt_unit_test(${name} dfopt_transport_zmq)
endforeach()
