#include "ledger/run_record.hpp"

#include "kantrig/v1/decision.pb.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace kantrig::ledger {
namespace {

constexpr double kSecond_ns = 1e9;

void put(const Counts& from, v1::Counts& to) {
  to.set_received(from.received);
  to.set_accepted(from.accepted);
  to.set_rejected(from.rejected);
  to.set_duplicate(from.duplicate);
  to.set_malformed(from.malformed);
  to.set_refused(from.refused);
  to.set_in_flight(from.in_flight);
  to.set_residual(from.residual());
}

Counts get(const v1::Counts& from) {
  return {.received = from.received(),
          .accepted = from.accepted(),
          .rejected = from.rejected(),
          .duplicate = from.duplicate(),
          .malformed = from.malformed(),
          .refused = from.refused(),
          .in_flight = from.in_flight()};
}

void put_lines(const CollectedBlock& from, v1::ShardBlock& to) {
  const std::uint32_t line_count = std::min(from.counts.key.line_count, kLinesMax);
  for (std::uint32_t i = 0; i < line_count; ++i) {
    v1::LineStatus& line = *to.add_lines();
    if (i < from.labels.lines.size()) {
      line.set_name(from.labels.lines[i].name);
      line.set_kind(from.labels.lines[i].kind);
      line.set_prescale(from.labels.lines[i].prescale);
    } else {
      line.set_name(fmt::format("line {}", i));
    }
    line.set_before_prescale(from.counts.lines[i].before_prescale);
    line.set_after_prescale(from.counts.lines[i].after_prescale);
    line.set_after_veto(from.counts.lines[i].after_veto);
  }
}

v1::ShardBlock shard_block(const CollectedBlock& from) {
  const BlockCounts& counts = from.counts;
  v1::ShardBlock to;
  to.set_shard(from.shard);
  put(counts.totals, *to.mutable_counts());
  for (const BlockCounts::Source& source : counts.sources) {
    if (source.used == 0 || source.counts == Counts{}) continue;
    v1::SourceCounts& s = *to.add_sources();
    s.set_source_id(source.id.value);
    put(source.counts, *s.mutable_counts());
  }
  put_lines(from, to);
  for (std::uint32_t i = 0; i < kReasonsMax; ++i) {
    if (counts.reasons[i] == ReasonCounts{}) continue;
    v1::ReasonCount& r = *to.add_reasons();
    const auto number = static_cast<int>(i);
    r.set_reason(v1::Reason_IsValid(number) ? v1::Reason_Name(number) : fmt::format("REASON_{}", i));
    r.set_events(counts.reasons[i].events);
    r.set_batches(counts.reasons[i].batches);
  }
  to.set_cpu_events(counts.path_events[v1::PATH_CPU]);
  to.set_fpga_events(counts.path_events[v1::PATH_FPGA]);
  to.set_live_seconds(static_cast<double>(counts.live_ns) / kSecond_ns);
  to.set_busy_seconds(static_cast<double>(counts.busy_ns) / kSecond_ns);
  to.set_paused_seconds(static_cast<double>(counts.paused_ns) / kSecond_ns);
  to.set_batches(counts.batches);
  return to;
}
static_assert(v1::Path_ARRAYSIZE <= kPathsMax && v1::Reason_ARRAYSIZE <= kReasonsMax);
static_assert(v1::REASON_NOT_FINITE == 7, "shard_ledger_counting.cpp counts malformed events under it");

/// The record of the block: found by its number and by what was in force, or added.
v1::BlockRecord& block_record(v1::RunRecord& record, const CollectedBlock& collected) {
  const BlockKey& key = collected.counts.key;
  const std::string model_digest = key.model_digest.hex();
  const std::string menu_digest = key.menu_digest.hex();
  for (v1::BlockRecord& b : *record.mutable_blocks()) {
    if (b.block() == key.block.value && b.generation() == key.generation.value &&
        b.model_digest() == model_digest && b.menu_digest() == menu_digest) {
      return b;
    }
  }
  v1::BlockRecord& b = *record.add_blocks();
  b.set_block(key.block.value);
  b.set_generation(key.generation.value);
  b.set_model_digest(model_digest);
  b.set_menu_digest(menu_digest);
  b.set_start_time_ns(collected.counts.start_unix_ns);
  return b;
}

void put_shard(v1::BlockRecord& block, v1::ShardBlock shard) {
  auto& shards = *block.mutable_shards();
  const auto same =
      std::find_if(shards.begin(), shards.end(), [&](const auto& s) { return s.shard() == shard.shard(); });
  if (same != shards.end()) {
    *same = std::move(shard);
  } else {
    *shards.Add() = std::move(shard);
  }
  std::sort(shards.begin(), shards.end(), [](const auto& a, const auto& b) { return a.shard() < b.shard(); });
  Counts sum;
  for (const auto& s : shards) sum += get(s.counts());
  put(sum, *block.mutable_counts());
}

void add_lines(v1::RunRecord& record, const v1::ShardBlock& shard,
               std::unordered_map<std::string, int>& index_of) {
  for (const v1::LineStatus& line : shard.lines()) {
    const auto [known, added] = index_of.try_emplace(line.name(), record.lines_size());
    v1::LineStatus& sum = added ? *record.add_lines() : *record.mutable_lines(known->second);
    sum.set_name(line.name());
    if (!line.kind().empty()) sum.set_kind(line.kind());
    sum.set_prescale(line.prescale());
    sum.set_before_prescale(sum.before_prescale() + line.before_prescale());
    sum.set_after_prescale(sum.after_prescale() + line.after_prescale());
    sum.set_after_veto(sum.after_veto() + line.after_veto());
  }
}

/// Sums follow from the blocks, so that a block that is entered again counts once.
void sum_up(v1::RunRecord& record) {
  Counts totals;
  bool residual_is_zero = true;
  std::unordered_map<std::string, int> index_of;
  record.clear_lines();
  for (const v1::BlockRecord& block : record.blocks()) {
    for (const v1::ShardBlock& shard : block.shards()) {
      const Counts counts = get(shard.counts());
      totals += counts;
      residual_is_zero = residual_is_zero && counts.residual() == 0;
      for (const v1::SourceCounts& s : shard.sources())
        residual_is_zero = residual_is_zero && get(s.counts()).residual() == 0;
      add_lines(record, shard, index_of);
    }
  }
  put(totals, *record.mutable_totals());
  record.set_residual_is_zero(residual_is_zero);
}

bool agrees(const ClientReport& report, const Counts& ledger) {
  return report.accepted == ledger.accepted && report.rejected == ledger.rejected &&
         report.malformed == ledger.malformed && report.refused == ledger.refused &&
         report.sent == ledger.received - ledger.duplicate;
}

}  // namespace

void enter_block(v1::RunRecord& record, const CollectedBlock& collected) {
  v1::BlockRecord& block = block_record(record, collected);
  if (!collected.labels.model.empty()) block.set_model(collected.labels.model);
  if (!collected.labels.column.empty()) block.set_column(collected.labels.column);
  block.set_start_time_ns(std::min(block.start_time_ns(), collected.counts.start_unix_ns));
  block.set_stop_time_ns(std::max(block.stop_time_ns(), collected.counts.stop_unix_ns));
  block.set_close_reason(std::string(name_of(static_cast<BlockClose>(collected.counts.close_reason))));
  put_shard(block, shard_block(collected));
  auto& blocks = *record.mutable_blocks();
  std::stable_sort(blocks.pointer_begin(), blocks.pointer_end(), [](const auto* a, const auto* b) {
    return std::tuple(a->block(), a->start_time_ns()) < std::tuple(b->block(), b->start_time_ns());
  });
  sum_up(record);
}

void enter_client(v1::RunRecord& record, const ClientReport& report) {
  v1::ClientCounts* entry = nullptr;
  for (v1::ClientCounts& known : *record.mutable_clients()) {
    const bool same = known.source_id() == report.source.value && known.lane() == report.lane.value &&
                      known.instance() == report.instance;
    if (same) entry = &known;
  }
  if (entry == nullptr) entry = record.add_clients();
  entry->set_source_id(report.source.value);
  entry->set_lane(report.lane.value);
  entry->set_instance(report.instance);
  v1::Bye& bye = *entry->mutable_client();
  bye.set_run(report.run.value);
  bye.set_events_sent(report.sent);
  bye.set_events_accepted(report.accepted);
  bye.set_events_rejected(report.rejected);
  bye.set_events_malformed(report.malformed);
  bye.set_events_refused(report.refused);
  put(report.ledger, *entry->mutable_ledger());
  entry->set_agree(agrees(report, report.ledger));
  const auto& clients = record.clients();
  record.set_clients_agree(
      std::all_of(clients.begin(), clients.end(), [](const auto& c) { return c.agree(); }));
}

RunSummary summarise(const v1::RunRecord& record, const std::filesystem::path& path) {
  RunSummary summary{.run = RunNumber{record.run()},
                     .running = record.state() == "running",
                     .start_unix_ns = record.start_time_ns(),
                     .stop_unix_ns = record.stop_time_ns(),
                     .path = path,
                     .block_count = static_cast<std::uint32_t>(record.blocks_size()),
                     .last_block = {},
                     .totals = get(record.totals()),
                     .lines = {},
                     .client_count = static_cast<std::uint32_t>(record.clients_size()),
                     .residual_is_zero = record.residual_is_zero(),
                     .clients_agree = record.clients_agree()};
  if (record.blocks_size() > 0) summary.last_block = BlockNumber{record.blocks().rbegin()->block()};
  for (const v1::LineStatus& line : record.lines()) {
    summary.lines.push_back({{line.name(), line.kind(), line.prescale()},
                             {line.before_prescale(), line.after_prescale(), line.after_veto()}});
  }
  return summary;
}

Result<std::string> json_of(const v1::RunRecord& record) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(record, &json, options);
  if (!status.ok()) return fail(ErrorCode::kInvalid, "cannot write it as JSON: {}", status.ToString());
  return json;
}

Result<v1::RunRecord> parse_record(const std::string& json) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // of a later version
  v1::RunRecord record;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &record, options);
  if (!status.ok()) return fail(ErrorCode::kCorrupt, "is not a run record: {}", status.ToString());
  return record;
}

}  // namespace kantrig::ledger
