kantrig_add_test(contract/kernels/distance_test PER_KERNEL_SET LIBRARIES kantrig::kan kantrig::kernels TIMEOUT 300)
kantrig_add_test(unit/kan/output_stage_test LIBRARIES kantrig::kan)
kantrig_add_test(unit/backend/card_seat_distance_test LIBRARIES kantrig_test_card kantrig::backend)
