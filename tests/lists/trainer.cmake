kantrig_add_test(compiler/train_spline_test LIBRARIES kantrig::train)
kantrig_add_test(compiler/train_arithmetic_test LIBRARIES kantrig::train)
kantrig_add_test(compiler/train_specification_test LIBRARIES kantrig::train)
kantrig_add_test(compiler/train_trainer_test LIBRARIES kantrig::train)
