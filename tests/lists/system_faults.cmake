# System tests in Python, by Debian's interpreter: its zmq and protobuf are not seen by another one on the path.
function(kantrig_add_python_test path)
  cmake_parse_arguments(ARG "" "TIMEOUT" "" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  string(JOIN ":" python_path ${CMAKE_CURRENT_SOURCE_DIR}/support ${PROJECT_SOURCE_DIR}/services/client/python
    ${PROJECT_BINARY_DIR}/proto/python)
  add_test(NAME ${path} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/${path}.py -v)
  set_tests_properties(${path} PROPERTIES LABELS system TIMEOUT ${ARG_TIMEOUT}
    SKIP_REGULAR_EXPRESSION "OK \\(skipped="
    ENVIRONMENT "KANTRIG_BIN=${PROJECT_BINARY_DIR}/bin;PYTHONPATH=${python_path};PYTHONDONTWRITEBYTECODE=1")
endfunction()

kantrig_add_python_test(system/faults/bad_input_test)
kantrig_add_python_test(system/faults/start_up_test)
kantrig_add_python_test(system/faults/recording_test)
kantrig_add_python_test(system/faults/prometheus_test)
kantrig_add_python_test(system/faults/service_manager_test)
kantrig_add_python_test(system/faults/python_client_test)
kantrig_add_python_test(system/faults/command_test)
kantrig_add_python_test(system/faults/codes_only_test)
