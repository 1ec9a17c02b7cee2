kantrig_add_test(contract/kernels/distance_test PER_KERNEL_SET LIBRARIES kantrig::kan kantrig::kernels TIMEOUT 300)
kantrig_add_test(unit/kan/output_stage_test LIBRARIES kantrig::kan)
kantrig_add_test(unit/backend/card_seat_distance_test LIBRARIES kantrig_test_card kantrig::backend)

# The shape of autoencoders for machine sounds: in a real daemon, and as a bundle to measure with.
add_executable(write_autoencoder support/write_autoencoder.cpp support/autoencoder_bundle.hpp)
set_target_properties(write_autoencoder PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_include_directories(write_autoencoder PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(write_autoencoder PRIVATE kantrig::kan kantrig_warnings)
kantrig_add_test(system/autoencoder_test LIBRARIES kantrig_test_load TIMEOUT 120)
add_dependencies(test_system_autoencoder_test kantrig kanc)
kantrig_add_test(compiler/verify_autoencoder_test LIBRARIES kantrig_test_design kantrig::verify TIMEOUT 300)
set_tests_properties(compiler/verify_autoencoder_test PROPERTIES SKIP_REGULAR_EXPRESSION "needs verilator and g[+][+]")
add_dependencies(test_compiler_verify_autoencoder_test kanc)
