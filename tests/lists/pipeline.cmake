kantrig_add_test(unit/pipeline/session_table_test LIBRARIES kantrig::pipeline)
