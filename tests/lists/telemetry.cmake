kantrig_add_test(unit/telemetry/exposer_test LIBRARIES kantrig::telemetry)
kantrig_add_test(unit/telemetry/health_test LIBRARIES kantrig::telemetry Boost::headers)
kantrig_add_test(unit/base/histogram_test LIBRARIES kantrig::base)
kantrig_add_test(unit/telemetry/http_server_test LIBRARIES kantrig::telemetry Boost::headers)
kantrig_add_test(unit/telemetry/listen_address_test LIBRARIES kantrig::telemetry)
kantrig_add_test(unit/settings/settings_test LIBRARIES kantrig::settings)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME unit/deploy/monitoring_test
  COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/unit/deploy/monitoring_test.py)
set_tests_properties(unit/deploy/monitoring_test PROPERTIES LABELS unit TIMEOUT 120 SKIP_RETURN_CODE 77)
