dfopt_unit_tests(dfopt_transport_file framer magic split transport_file transport_file_pipe
                 transport_file_sink)
