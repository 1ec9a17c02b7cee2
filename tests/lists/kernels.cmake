kantrig_add_test(contract/kernels/equality_test PER_KERNEL_SET LIBRARIES kantrig::kan kantrig::kernels TIMEOUT 300)
kantrig_add_test(contract/kernels/input_test PER_KERNEL_SET LIBRARIES kantrig::kan kantrig::kernels TIMEOUT 300)
kantrig_add_test(unit/kernels/dispatch_test LIBRARIES kantrig::kernels)
kantrig_add_test(unit/kernels/program_test LIBRARIES kantrig::kernels)
kantrig_add_test(unit/kan/kernel_bench_test LIBRARIES kantrig::kan kantrig::kernels)

# The objects that are built for one instruction set, read by nm.
find_program(KANTRIG_NM nm REQUIRED)
file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/kernel_objects.txt CONTENT "$<JOIN:$<TARGET_OBJECTS:kantrig_kernels>,\n>\n"
  TARGET kantrig_kernels)
kantrig_add_test(unit/kernels/symbols_test LIBRARIES kantrig::kernels)
target_compile_definitions(test_unit_kernels_symbols_test PRIVATE
  KANTRIG_NM="${KANTRIG_NM}" KANTRIG_KERNEL_OBJECTS="${CMAKE_CURRENT_BINARY_DIR}/kernel_objects.txt")
