kantrig_add_test(unit/picture/svg_test LIBRARIES kantrig::picture)
kantrig_add_test(unit/picture/chart_test LIBRARIES kantrig::picture)
kantrig_add_test(unit/picture/picture_file_test LIBRARIES kantrig::picture)
kantrig_add_test(compiler/learned_fit_test LIBRARIES kantrig::learned)
