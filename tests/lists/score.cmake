kantrig_add_test(contract/kernels/distance_test PER_KERNEL_SET LIBRARIES kantrig::kan kantrig::kernels TIMEOUT 300)
kantrig_add_test(unit/kan/output_stage_test LIBRARIES kantrig::kan)
