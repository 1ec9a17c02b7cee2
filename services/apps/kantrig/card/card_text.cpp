#include "apps/kantrig/card/card_text.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "apps/kantrig/print.hpp"

namespace kantrig::apps {
namespace {

using Json = nlohmann::ordered_json;

std::string daemon_text(std::uint64_t pid) {
  return pid == 0 ? "none" : fmt::format("process {}", pid);
}

std::string state_text(const card_link::StateChange& state) {
  const std::string_view name = card_link::name_of(state.state);
  return state.reason.empty() ? std::string(name) : fmt::format("{}: {}", name, state.reason);
}

std::string models_text(const card_link::Status& status) {
  std::string text;
  for (const card_link::ModelStatus& model : status.models) {
    text +=
        fmt::format("{}{}, {}", text.empty() ? "" : "; ", model.bundle,
                    model.overlay ? fmt::format("bank {} of an overlay", model.bank) : "burnt in as logic");
  }
  return text.empty() ? "none" : text;
}

Json json_of(const card_link::Status& s) {
  Json json{{"version", s.version},
            {"pid", s.pid},
            {"device", s.device},
            {"device_name", s.device_name},
            {"platform", s.platform},
            {"state", card_link::name_of(s.state.state)},
            {"reason", s.state.reason},
            {"daemon_pid", s.daemon_pid},
            {"xclbin", s.xclbin},
            {"compute_units", s.compute_units},
            {"completion", s.completion},
            {"models", Json::array()},
            {"batches", s.batches},
            {"events", s.events},
            {"runs_in_flight", s.runs_in_flight},
            {"faults", s.faults},
            {"recoveries", s.recoveries},
            {"table_swaps", s.table_swaps},
            {"bitstream_swaps", s.bitstream_swaps},
            {"sensors", Json::object()}};
  for (const card_link::ModelStatus& model : s.models) {
    json["models"].push_back({{"bundle", model.bundle},
                              {"digest", model.digest},
                              {"bank", model.bank},
                              {"overlay", model.overlay},
                              {"load_id", model.load_id}});
  }
  for (const card_link::Sensor& sensor : s.sensors) json["sensors"][sensor.name] = sensor.value;
  return json;
}

}  // namespace

std::string cards_text(const std::vector<CardEntry>& cards) {
  Table table({{"socket", Align::kLeft},
               {"device", Align::kLeft},
               {"name", Align::kLeft},
               {"state", Align::kLeft},
               {"model", Align::kLeft},
               {"joined", Align::kLeft}});
  for (const CardEntry& card : cards) {
    if (!card.error.empty()) {
      table.add({card.socket.native(), "-", "-", card.error, "-", "-"});
    } else {
      table.add({card.socket.native(), card.status.device, card.status.device_name,
                 state_text(card.status.state), models_text(card.status),
                 daemon_text(card.status.daemon_pid)});
    }
  }
  return table.text();
}

std::string card_text(const CardEntry& card) {
  const card_link::Status& s = card.status;
  std::string text = fmt::format(
      "card        {} {} at {}\n"
      "process     {}, kantrig-card {}\n"
      "state       {}\n"
      "joined by   {}\n"
      "platform    {}\n"
      "xclbin      {}, {} compute unit(s), completion by {}\n"
      "models      {}\n"
      "slots       {} done, {} events, {} runs in flight\n"
      "swaps       {} of tables, {} of bitstreams\n"
      "faults      {}, recovered {} times\n",
      s.device, s.device_name, card.socket.native(), s.pid, s.version, state_text(s.state),
      daemon_text(s.daemon_pid), s.platform, s.xclbin.empty() ? "none" : s.xclbin, s.compute_units,
      s.completion, models_text(s), grouped(s.batches), grouped(s.events), s.runs_in_flight, s.table_swaps,
      s.bitstream_swaps, s.faults, s.recoveries);
  for (const card_link::Sensor& sensor : s.sensors)
    text += fmt::format("sensor      {} {:g}\n", sensor.name, sensor.value);
  return text;
}

std::string cards_json(const std::vector<CardEntry>& cards) {
  Json json{{"cards", Json::array()}};
  for (const CardEntry& card : cards) {
    Json entry{{"socket", card.socket.native()}};
    if (card.error.empty()) {
      entry.update(json_of(card.status));
    } else {
      entry["error"] = card.error;
    }
    json["cards"].push_back(std::move(entry));
  }
  return json.dump(2) + '\n';
}

}  // namespace kantrig::apps
