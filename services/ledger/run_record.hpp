// What a run record holds and how blocks and clients enter it. Protobuf inside: only run_book.cpp may use
// this.
#pragma once

#include <filesystem>
#include <string>

#include "kantrig/v1/record.pb.h"

#include "base/result.hpp"
#include "ledger/run_book.hpp"

namespace kantrig::ledger {

/// Replaces the shard's part of the block, or adds it, and sums the record up anew.
void enter_block(v1::RunRecord& record, const CollectedBlock& collected);

/// Adds the report, or replaces the one of the same life of the client. Precondition: record.clients_size() <
/// RunBook::kClientsMax.
void enter_client(v1::RunRecord& record, const ClientReport& report);

[[nodiscard]] RunSummary summarise(const v1::RunRecord& record, const std::filesystem::path& path);
[[nodiscard]] Result<std::string> json_of(const v1::RunRecord& record);
[[nodiscard]] Result<v1::RunRecord> parse_record(const std::string& json);

}  // namespace kantrig::ledger
