foreach(name ledger_file redo run_book shard_ledger shard_ledger_crash shard_ledger_reader)
  kantrig_add_test(unit/ledger/${name}_test LIBRARIES kantrig::ledger)
endforeach()
