foreach(name adoption state_file start_plan model_registry controller controller_restart)
  kantrig_add_test(unit/control/${name}_test LIBRARIES kantrig::control)
endforeach()
kantrig_add_test(unit/control/control_server_test LIBRARIES kantrig::control kantrig::proto)
