kantrig_add_test(contract/kernels/equality_test PER_KERNEL_SET LIBRARIES kantrig::kan kantrig::kernels TIMEOUT 300)
