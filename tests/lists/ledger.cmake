kantrig_add_test(unit/ledger/shard_ledger_test LIBRARIES kantrig::ledger)
