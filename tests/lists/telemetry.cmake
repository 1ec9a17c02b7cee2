kantrig_add_test(unit/telemetry/histogram_test LIBRARIES kantrig::telemetry)
kantrig_add_test(unit/telemetry/listen_address_test LIBRARIES kantrig::telemetry)
kantrig_add_test(unit/settings/settings_test LIBRARIES kantrig::settings)
