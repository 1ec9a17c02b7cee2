kantrig_add_test(unit/ledger/shard_ledger_test LIBRARIES kantrig::ledger)

if(KANTRIG_WITH_BENCH)
  find_package(benchmark REQUIRED)
  add_executable(ledger_bench bench/ledger_bench.cpp)
  target_include_directories(ledger_bench PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(ledger_bench PRIVATE kantrig::ledger benchmark::benchmark kantrig_warnings)
endif()
