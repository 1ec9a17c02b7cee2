kantrig_add_test(compiler/exchange/kanele_test LIBRARIES kantrig::exchange)
foreach(name onnx_float_test onnx_lookup_test)
  kantrig_add_test(compiler/exchange/${name} LIBRARIES kantrig::exchange)
  add_dependencies(test_compiler_exchange_${name} kantrig_python_proto)
endforeach()

# In Python, by Debian's interpreter: its numpy and protobuf are not seen by another one on the path. kanc has to be built.
function(kantrig_add_exchange_test name)
  string(JOIN ":" python_path ${CMAKE_CURRENT_SOURCE_DIR}/compiler/exchange ${PROJECT_BINARY_DIR}/proto/python)
  add_test(NAME compiler/exchange/${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/compiler/exchange/${name}.py -v)
  set_tests_properties(compiler/exchange/${name} PROPERTIES LABELS compiler TIMEOUT 120 SKIP_REGULAR_EXPRESSION "OK \\(skipped="
    ENVIRONMENT "KANTRIG_BIN=${PROJECT_BINARY_DIR}/bin;KANTRIG_SOURCE=${PROJECT_SOURCE_DIR};KANTRIG_EXPORTERS=${PROJECT_BINARY_DIR}/share/kantrig/exporters;PYTHONPATH=${python_path};PYTHONDONTWRITEBYTECODE=1")
endfunction()
kantrig_add_exchange_test(exporters_test)
kantrig_add_exchange_test(torch_itself_test)
kantrig_add_exchange_test(published_checkpoints_test)
kantrig_add_exchange_test(onnx_models_test)
kantrig_add_exchange_test(onnx_checker_test)
