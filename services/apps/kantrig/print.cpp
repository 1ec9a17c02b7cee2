#include "apps/kantrig/print.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/exit_code.hpp"

namespace kantrig::apps {
namespace {

std::string local_time(std::uint64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
  std::tm parts{};
  if (localtime_r(&seconds, &parts) == nullptr) return "?";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", parts);
}

std::string or_none(const std::string& text) {
  return text.empty() ? "none" : text;
}

std::string model_text(const v1::ModelStatus& model) {
  if (model.name().empty()) return "none";
  return fmt::format("{}  digest {}", model.name(), model.digest().substr(0, 12));
}

std::vector<std::string> counts_row(std::string title, const v1::Counts& counts) {
  return {std::move(title),           grouped(counts.received()),  grouped(counts.accepted()),
          grouped(counts.rejected()), grouped(counts.duplicate()), grouped(counts.malformed()),
          grouped(counts.refused()),  grouped(counts.in_flight()), std::to_string(counts.residual())};
}

std::string counts_text(const v1::StatusReply& status) {
  Table table({{"events", Align::kLeft},
               {"received", Align::kRight},
               {"accepted", Align::kRight},
               {"rejected", Align::kRight},
               {"duplicate", Align::kRight},
               {"malformed", Align::kRight},
               {"refused", Align::kRight},
               {"in flight", Align::kRight},
               {"residual", Align::kRight}});
  table.add(counts_row("this run", status.run_counts()));
  table.add(counts_row("since the ledger began", status.total_counts()));
  return table.text();
}

std::string shadow_text(const v1::StatusReply& status) {
  if (status.shadow().name().empty()) return "none";
  return fmt::format("{}  compared {}, other class {}, other decision {}", model_text(status.shadow()),
                     grouped(status.shadow_compared()), grouped(status.shadow_class_disagreements()),
                     grouped(status.shadow_accept_disagreements()));
}

std::string count_of(const google::protobuf::RepeatedPtrField<v1::NamedCount>& counts) {
  std::string text;
  for (const v1::NamedCount& entry : counts) {
    if (entry.count() > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", entry.name(), grouped(entry.count()));
  }
  return text.empty() ? "none" : text;
}

}  // namespace

std::string card_link_text(const v1::CardLinkStatus& card) {
  return fmt::format(
      "card       {}  {}{}\n"
      "           device {}, {}, route {}, loads: {}{}, out of use: {}\n"
      "           decided {} events in {} batches and {} slots, taken over by the CPU {} batches, compared "
      "{} events, differing "
      "{} batches\n",
      card.socket(), card.breaker(), card.reason().empty() ? "" : ": " + card.reason(),
      or_none(card.device()), or_none(card.state()), card.route(), count_of(card.loads()),
      card.loads_failed() == 0 ? "" : fmt::format(", failed {}", card.loads_failed()),
      count_of(card.opened()), grouped(card.events()), grouped(card.batches()), grouped(card.slots()),
      grouped(card.taken_over_batches()), grouped(card.cross_checked_events()),
      grouped(card.cross_check_failures()));
}

int print_text(std::string_view text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return base::kExitOk;
  fmt::print(stderr, "kantrig: cannot write to the standard output\n");
  return base::kExitOutput;
}

int print_json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return base::kExitOutput;
  return print_text(text);
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = columns_[c].title.size();
    for (const auto& row : rows_) width = std::max(width, row[c].size());
    widths.push_back(width);
  }
  std::string text;
  const auto line = [&](const auto& cell) {
    std::string out;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      out += columns_[c].align == Align::kLeft ? fmt::format("{:<{}}  ", cell(c), widths[c])
                                               : fmt::format("{:>{}}  ", cell(c), widths[c]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    text += out + "\n";
  };
  line([&](std::size_t c) -> const std::string& { return columns_[c].title; });
  for (const auto& row : rows_) line([&](std::size_t c) -> const std::string& { return row[c]; });
  return text;
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t from_end = 3; from_end < text.size(); from_end += 4)
    text.insert(text.size() - from_end, 1, ',');
  return text;
}

std::string lines_text(const google::protobuf::RepeatedPtrField<v1::LineStatus>& lines) {
  Table table({{"line", Align::kLeft},
               {"kind", Align::kLeft},
               {"prescale", Align::kRight},
               {"before prescale", Align::kRight},
               {"after prescale", Align::kRight},
               {"after veto", Align::kRight}});
  for (const v1::LineStatus& line : lines) {
    table.add({line.name(), line.kind(), line.prescale() == 0 ? "off" : grouped(line.prescale()),
               grouped(line.before_prescale()), grouped(line.after_prescale()), grouped(line.after_veto())});
  }
  return table.text();
}

std::string models_text(const v1::ModelListReply& models) {
  if (models.models().empty()) return "no bundles in the repository: kanc pack or kanc train makes one\n";
  Table table({{"model", Align::kLeft},
               {"state", Align::kLeft},
               {"generation", Align::kRight},
               {"digest", Align::kLeft},
               {"reason", Align::kLeft}});
  for (const v1::ModelStatus& model : models.models()) {
    table.add({model.name(), model.state(),
               model.generation() == 0 ? "-" : std::to_string(model.generation()),
               model.digest().empty() ? "-" : model.digest().substr(0, 12), model.reason()});
  }
  return table.text();
}

std::string status_text(const v1::StatusReply& status) {
  std::string endpoints;
  for (const std::string& endpoint : status.endpoints())
    endpoints += (endpoints.empty() ? "" : " ") + endpoint;
  std::string text = fmt::format("kantrigd {}  {}  since {}\n", status.version(), status.state(),
                                 local_time(status.start_time_ns()));
  text += fmt::format("run        {}\n",
                      status.run() == 0 ? "none" : fmt::format("{}  block {}", status.run(), status.block()));
  text += fmt::format("active     {}  generation {}\n", model_text(status.active()), status.generation());
  text += fmt::format("previous   {}\n", model_text(status.previous()));
  text += fmt::format("shadow     {}\n", shadow_text(status));
  text += fmt::format("menu       digest {}  column {}\n", or_none(status.menu_digest().substr(0, 12)),
                      or_none(status.menu_column()));
  text += fmt::format("events at  {}\n", or_none(endpoints));
  text += fmt::format("backend    {}, kernel set {}, shards {}, lanes {}\n", or_none(status.backend()),
                      or_none(status.kernel_set()), status.shard_count(), status.lane_count());
  for (const v1::CardLinkStatus& card : status.cards()) text += card_link_text(card);
  text += fmt::format("time       live {:.1f} s, busy {:.1f} s, paused {:.1f} s\n\n", status.live_seconds(),
                      status.busy_seconds(), status.paused_seconds());
  text += counts_text(status) + "\n" + lines_text(status.lines());
  return text;
}

}  // namespace kantrig::apps
