#include "card_link/messages.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "kantrig/v1/card.pb.h"

namespace kantrig::card_link {
namespace {

namespace pb = kantrig::v1;

constexpr int kListMax = 1'024;  // load ids, models, sensors: far above what there can be

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;  // which clang 14 does not find by itself

void put(const kan::RecordLayout& layout, pb::RecordLayout& out) {
  out.set_record_bits(layout.record_bits);
  for (const kan::RecordField& field : layout.fields) {
    out.add_offsets(field.offset);
    out.add_widths(field.width);
  }
}

Result<kan::RecordLayout> get(const pb::RecordLayout& in) {
  if (in.offsets_size() != in.widths_size())
    return fail(ErrorCode::kInvalid, "card link: {} offsets and {} widths of fields, expected as many",
                in.offsets_size(), in.widths_size());
  kan::RecordLayout layout;
  layout.record_bits = in.record_bits();
  for (int i = 0; i < in.offsets_size(); ++i) layout.fields.push_back({in.offsets(i), in.widths(i)});
  if (auto ok = kan::check(layout); !ok) return tl::unexpected(ok.error().within("card link"));
  return layout;
}

void put(const StateChange& state, pb::CardStateChange& out) {
  out.set_state(static_cast<pb::CardStateChange::State>(state.state));
  out.set_reason(state.reason);
  for (const std::uint64_t id : state.ready) out.add_ready(id);
}

StateChange get(const pb::CardStateChange& in) {
  StateChange state;
  const int number = static_cast<int>(in.state());
  if (pb::CardStateChange::State_IsValid(number)) state.state = static_cast<CardState>(number);
  state.reason = in.reason();
  const int ready = std::min(in.ready_size(), kListMax);
  state.ready.assign(in.ready().begin(), in.ready().begin() + ready);
  return state;
}

void put(const Hello& hello, pb::CardHello& out) {
  out.set_role(static_cast<pb::CardHello::Role>(hello.role));
  out.set_pid(hello.pid);
  out.set_version(hello.version);
  if (hello.role != Role::kDaemon) return;
  pb::CardRegion& region = *out.mutable_region();
  region.set_layout_version(kLayoutVersion);
  region.set_ports(hello.region.ports);
  region.set_slots(hello.region.slots);
  region.set_input_bytes(hello.region.input_bytes);
  region.set_output_bytes(hello.region.output_bytes);
}

Result<Message> get(const pb::CardHello& in) {
  Hello hello;
  hello.pid = in.pid();
  hello.version = in.version();
  if (in.role() != pb::CardHello::ROLE_DAEMON && in.role() != pb::CardHello::ROLE_OPERATOR)
    return fail(ErrorCode::kInvalid, "card link: a greeting of role {}, expected a daemon's or an operator's",
                static_cast<int>(in.role()));
  hello.role = static_cast<Role>(in.role());
  if (hello.role != Role::kDaemon) return hello;
  if (in.region().layout_version() != kLayoutVersion)
    return fail(ErrorCode::kUnsupported,
                "card link: a region of layout {}, expected {}: install one version of both",
                in.region().layout_version(), kLayoutVersion);
  hello.region = {in.region().ports(), in.region().slots(), in.region().input_bytes(),
                  in.region().output_bytes()};
  if (auto ok = check(hello.region); !ok) return tl::unexpected(ok.error());
  return hello;
}

void put(const Welcome& welcome, pb::CardWelcome& out) {
  out.set_pid(welcome.pid);
  out.set_version(welcome.version);
  out.set_device(welcome.device);
  out.set_platform(welcome.platform);
  put(welcome.state, *out.mutable_state());
}

Welcome get(const pb::CardWelcome& in) {
  return {in.pid(), in.version(), in.device(), in.platform(), get(in.state())};
}

void put(const Load& load, pb::CardLoad& out) {
  out.set_load_id(load.load_id);
  out.set_folder(load.folder);
  out.set_bundle_digest(load.bundle_digest.bytes.data(), load.bundle_digest.bytes.size());
  for (const std::uint64_t id : load.keep) out.add_keep(id);
}

Result<Message> get(const pb::CardLoad& in) {
  Load load;
  load.load_id = in.load_id();
  load.folder = in.folder();
  if (load.load_id == 0) return fail(ErrorCode::kInvalid, "card link: load id 0, expected another");
  if (in.bundle_digest().size() != load.bundle_digest.bytes.size())
    return fail(ErrorCode::kInvalid, "card link: a digest of {} bytes, expected {}",
                in.bundle_digest().size(), load.bundle_digest.bytes.size());
  std::ranges::transform(in.bundle_digest(), load.bundle_digest.bytes.begin(),
                         [](char c) { return static_cast<std::uint8_t>(c); });
  const int keep = std::min(in.keep_size(), kListMax);
  load.keep.assign(in.keep().begin(), in.keep().begin() + keep);
  return load;
}

void put(const Loaded& loaded, pb::CardMessage& message) {
  message.set_error(loaded.error);
  pb::CardLoaded& out = *message.mutable_loaded();
  out.set_load_id(loaded.load_id);
  out.set_kind(static_cast<pb::CardLoaded::Kind>(loaded.kind));
  out.set_duration_ns(loaded.duration_ns);
  out.set_program_ns(loaded.program_ns);
  out.set_golden_events(loaded.golden_events);
  if (!loaded.error.empty()) return;
  put(loaded.input, *out.mutable_input());
  put(loaded.output, *out.mutable_output());
}

Result<Message> get_loaded(const pb::CardMessage& message) {
  const pb::CardLoaded& in = message.loaded();
  Loaded loaded;
  loaded.load_id = in.load_id();
  loaded.error = message.error();
  if (pb::CardLoaded::Kind_IsValid(in.kind())) loaded.kind = static_cast<LoadKind>(in.kind());
  loaded.duration_ns = in.duration_ns();
  loaded.program_ns = in.program_ns();
  loaded.golden_events = in.golden_events();
  if (!loaded.error.empty()) return loaded;
  auto input = get(in.input());
  if (!input) return tl::unexpected(input.error());
  auto output = get(in.output());
  if (!output) return tl::unexpected(output.error());
  loaded.input = std::move(*input);
  loaded.output = std::move(*output);
  return loaded;
}

void put(const CommandDone& done, pb::CardMessage& message) {
  message.set_error(done.error);
  pb::CardCommandDone& out = *message.mutable_done();
  out.set_text(done.text);
  if (done.times.runs == 0) return;
  pb::XrtTimes& times = *out.mutable_times();
  times.set_runs(done.times.runs);
  times.set_copy_in_us(done.times.copy_in_us);
  times.set_submit_us(done.times.submit_us);
  times.set_wait_us(done.times.wait_us);
  times.set_copy_out_us(done.times.copy_out_us);
  times.set_total_us(done.times.total_us);
}

CommandDone get_done(const pb::CardMessage& message) {
  const pb::XrtTimes& times = message.done().times();
  return {message.error(),
          message.done().text(),
          {times.runs(), times.copy_in_us(), times.submit_us(), times.wait_us(), times.copy_out_us(),
           times.total_us()}};
}

Command get(const pb::CardCommand& in) {
  const int verb = static_cast<int>(in.verb());
  return {pb::CardCommand::Verb_IsValid(verb) ? static_cast<Verb>(verb) : Verb::kUnspecified, in.events()};
}

void put(const Status& status, pb::CardStatus& out) {
  out.set_version(status.version);
  out.set_pid(status.pid);
  out.set_device(status.device);
  out.set_device_name(status.device_name);
  out.set_platform(status.platform);
  put(status.state, *out.mutable_state());
  out.set_daemon_pid(status.daemon_pid);
  out.set_xclbin(status.xclbin);
  out.set_compute_units(status.compute_units);
  for (const ModelStatus& model : status.models) {
    pb::CardModel& entry = *out.add_models();
    entry.set_load_id(model.load_id);
    entry.set_bundle(model.bundle);
    entry.set_digest(model.digest);
    entry.set_bank(model.bank);
    entry.set_overlay(model.overlay);
  }
  out.set_batches(status.batches);
  out.set_events(status.events);
  out.set_runs_in_flight(status.runs_in_flight);
  out.set_faults(status.faults);
  out.set_recoveries(status.recoveries);
  out.set_table_swaps(status.table_swaps);
  out.set_bitstream_swaps(status.bitstream_swaps);
  for (const Sensor& sensor : status.sensors) {
    pb::CardSensor& entry = *out.add_sensors();
    entry.set_name(sensor.name);
    entry.set_value(sensor.value);
  }
  out.set_completion(status.completion);
}

Status get(const pb::CardStatus& in) {
  Status status;
  status.version = in.version();
  status.pid = in.pid();
  status.device = in.device();
  status.device_name = in.device_name();
  status.platform = in.platform();
  status.state = get(in.state());
  status.daemon_pid = in.daemon_pid();
  status.xclbin = in.xclbin();
  status.compute_units = in.compute_units();
  for (int i = 0; i < std::min(in.models_size(), kListMax); ++i) {
    const pb::CardModel& model = in.models(i);
    status.models.push_back({model.load_id(), model.bundle(), model.digest(), model.bank(), model.overlay()});
  }
  status.batches = in.batches();
  status.events = in.events();
  status.runs_in_flight = in.runs_in_flight();
  status.faults = in.faults();
  status.recoveries = in.recoveries();
  status.table_swaps = in.table_swaps();
  status.bitstream_swaps = in.bitstream_swaps();
  for (int i = 0; i < std::min(in.sensors_size(), kListMax); ++i)
    status.sensors.push_back({in.sensors(i).name(), in.sensors(i).value()});
  status.completion = in.completion();
  return status;
}

}  // namespace

std::string_view name_of(CardState state) noexcept {
  static constexpr std::array<std::string_view, 6> kNames{"unknown", "absent", "idle",
                                                          "loading", "ready",  "recovering"};
  const auto number = static_cast<std::size_t>(state);
  return number < kNames.size() ? kNames[number] : kNames[0];
}

std::string_view name_of(LoadKind kind) noexcept {
  static constexpr std::array<std::string_view, 4> kNames{"unknown", "none", "tables", "bitstream"};
  const auto number = static_cast<std::size_t>(kind);
  return number < kNames.size() ? kNames[number] : kNames[0];
}

std::string encode(const Message& message) {
  pb::CardMessage out;
  out.set_protocol_version(kProtocolVersion);
  std::visit(
      Overloaded{[&](const Refusal& m) { out.set_error(m.error); },
                 [&](const Hello& m) { put(m, *out.mutable_hello()); },
                 [&](const Welcome& m) { put(m, *out.mutable_welcome()); },
                 [&](const Load& m) { put(m, *out.mutable_load()); }, [&](const Loaded& m) { put(m, out); },
                 [&](const StateChange& m) { put(m, *out.mutable_state()); },
                 [&](const Command& m) {
                   out.mutable_command()->set_verb(static_cast<pb::CardCommand::Verb>(m.verb));
                   out.mutable_command()->set_events(m.events);
                 },
                 [&](const CommandDone& m) { put(m, out); },
                 [&](const StatusRequest&) { out.mutable_status_request(); },
                 [&](const Status& m) { put(m, *out.mutable_status()); }},
      message);
  return out.SerializeAsString();
}

Result<Message> decode(std::span<const std::byte> packet) {
  pb::CardMessage in;
  if (!in.ParseFromArray(packet.data(), static_cast<int>(packet.size())))
    return fail(ErrorCode::kInvalid, "card link: {} bytes that are no CardMessage", packet.size());
  if (in.protocol_version() != kProtocolVersion)
    return fail(
        ErrorCode::kUnsupported,
        "card link: protocol version {}, expected {}: install one version of kantrigd and kantrig-card",
        in.protocol_version(), kProtocolVersion);
  switch (in.body_case()) {
    case pb::CardMessage::kHello:
      return get(in.hello());
    case pb::CardMessage::kWelcome:
      return get(in.welcome());
    case pb::CardMessage::kLoad:
      return get(in.load());
    case pb::CardMessage::kLoaded:
      return get_loaded(in);
    case pb::CardMessage::kState:
      return get(in.state());
    case pb::CardMessage::kCommand:
      return get(in.command());
    case pb::CardMessage::kDone:
      return get_done(in);
    case pb::CardMessage::kStatusRequest:
      return StatusRequest{};
    case pb::CardMessage::kStatus:
      return get(in.status());
    case pb::CardMessage::BODY_NOT_SET:
      break;
  }
  if (!in.error().empty()) return Refusal{in.error()};
  return fail(ErrorCode::kInvalid, "card link: a message without a body, expected one that version {} knows",
              kProtocolVersion);
}

}  // namespace kantrig::card_link
