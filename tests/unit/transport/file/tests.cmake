dfopt_unit_tests(dfopt_transport_file framer split transport_file transport_file_pipe
                 transport_file_sink)
