kantrig_add_test(unit/wire/messages_test LIBRARIES kantrig::wire kantrig::proto)
kantrig_add_test(unit/wire/decoder_test LIBRARIES kantrig::wire kantrig::proto)
kantrig_add_test(unit/wire/encoder_test LIBRARIES kantrig::wire kantrig::proto)
kantrig_add_test(unit/wire/allocation_test LIBRARIES kantrig::wire)
kantrig_add_test(unit/wire/server_socket_test LIBRARIES kantrig::wire PkgConfig::zmq SOURCES support/tsan_suppressions.cpp)
kantrig_add_test(unit/wire/control_channel_test LIBRARIES kantrig::wire PkgConfig::zmq SOURCES support/tsan_suppressions.cpp)
kantrig_add_test(unit/client/batch_test LIBRARIES kantrig::client)
kantrig_add_test(unit/client/window_test LIBRARIES kantrig::client)
kantrig_add_test(integration/client_test LIBRARIES kantrig::client SOURCES support/scripted_server.cpp support/tsan_suppressions.cpp)
kantrig_add_test(integration/lane_test LIBRARIES kantrig::client SOURCES support/scripted_server.cpp support/tsan_suppressions.cpp)
kantrig_add_fuzzer(decoder LIBRARIES kantrig::wire)

# The Python client, by Debian's interpreter: its zmq and protobuf are not seen by another one on the path.
add_test(NAME integration/python_client_test
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/integration/python_client_test.py)
set_tests_properties(integration/python_client_test PROPERTIES LABELS integration TIMEOUT 120
  ENVIRONMENT "PYTHONPATH=${PROJECT_SOURCE_DIR}/services/client/python:${PROJECT_BINARY_DIR}/proto/python;PYTHONDONTWRITEBYTECODE=1")
