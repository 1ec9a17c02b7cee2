kantrig_add_test(unit/kan/record_layout_test LIBRARIES kantrig::kan)
kantrig_add_bench(records LIBRARIES kantrig::kan)
kantrig_add_test(unit/backend/card_seat_test LIBRARIES kantrig_test_card kantrig::backend)
kantrig_add_test(unit/control/card_supervisor_test LIBRARIES kantrig_test_card kantrig::control)
