kantrig_add_bench(ledger LIBRARIES kantrig::ledger)
kantrig_add_bench(menu LIBRARIES kantrig::menu)
