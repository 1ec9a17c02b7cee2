kantrig_add_test(unit/telemetry/histogram_test LIBRARIES kantrig::telemetry)
