kantrig_add_test(unit/base/npy_test LIBRARIES kantrig::base)
kantrig_add_test(unit/base/csv_test LIBRARIES kantrig::base)
kantrig_add_test(unit/base/event_files_test LIBRARIES kantrig::base)
kantrig_add_test(unit/kan/bundle_test LIBRARIES kantrig::kan)
