#include "apps/kantrig-card/xrt/fabric.hpp"

#include <algorithm>
#include <array>

#include "apps/kantrig-card/xrt/guard.hpp"
#include "apps/kantrig-card/xrt/handles.hpp"

namespace kantrig::card_host {
namespace {

constexpr std::uint32_t kAllOnes = 0xFFFF'FFFF;

/// XRT's way to say it: "kan_kernel:{kan_kernel_1}" for the unit "kan_kernel:kan_kernel_1".
std::string selector_of(const std::string& unit) {
  const auto colon = unit.find(':');
  return colon == std::string::npos ? unit : unit.substr(0, colon + 1) + "{" + unit.substr(colon + 1) + "}";
}

DeviceResult<std::uint32_t> answered(std::uint32_t value, std::uint32_t offset) {
  if (value == kAllOnes)
    return fault(FaultKind::kFirewall, "register {:#x} reads all ones: the device does not answer", offset);
  return value;
}

/// The registers of one unit, through an exclusive xrt::ip that is closed again at the end.
class Registers {
 public:
  explicit Registers(const xrt::ip& ip) : ip_(ip) {}
  [[nodiscard]] std::uint32_t read(std::uint32_t offset) {
    const std::uint32_t value = ip_.read_register(offset);
    if (value == kAllOnes && all_ones_ == 0) all_ones_ = offset + 1;
    return value;
  }
  /// SHA-256, its last byte at the lowest address.
  [[nodiscard]] std::string digest() {
    constexpr std::uint32_t kWords = 8;
    std::string hex;
    for (std::uint32_t word = kWords; word-- > 0;)
      hex += fmt::format("{:08x}", ip_.read_register(card::offset_of("model_digest") + 4 * word));
    return hex;
  }
  /// One more than the first offset that read all ones; 0: none did.
  [[nodiscard]] std::uint32_t all_ones() const noexcept { return all_ones_; }

 private:
  const xrt::ip& ip_;
  std::uint32_t all_ones_ = 0;
};

DeviceResult<FabricFacts> read_facts(const xrt::device& device, const xrt::uuid& uuid,
                                     const std::string& unit) {
  auto read = guard("reading registers of " + unit, [&]() -> DeviceResult<FabricFacts> {
    const xrt::ip ip(device, uuid, selector_of(unit));
    Registers registers(ip);
    const std::uint32_t magic = registers.read(card::offset_of("magic"));
    if (registers.all_ones() != 0)
      return tl::unexpected<Fault>(answered(kAllOnes, card::offset_of("magic")).error());
    if (magic != card::kMagic)
      return fault(FaultKind::kRefused, "{}: register magic reads {:#x}, expected {:#x}: no kan_kernel", unit,
                   magic, card::kMagic);
    FabricFacts facts;
    facts.interface_version = registers.read(card::offset_of("interface_version"));
    facts.overlay = registers.read(card::offset_of("target")) != 0;
    facts.input_record_bits = registers.read(card::offset_of("input_record_bits"));
    facts.output_record_bits = registers.read(card::offset_of("output_record_bits"));
    facts.features = registers.read(card::offset_of("features"));
    facts.outputs = registers.read(card::offset_of("outputs"));
    facts.self_test_events = registers.read(card::offset_of("self_test_events"));
    if (registers.all_ones() != 0)
      return tl::unexpected<Fault>(answered(kAllOnes, registers.all_ones() - 1).error());
    facts.hardware_digest = registers.digest();
    return facts;
  });
  if (!read) return tl::unexpected<Fault>(read.error());
  return *read;
}

Result<void> differs(std::string_view what, const auto& got, const auto& expected) {
  return fail(ErrorCode::kInvalid, "card: register {} reads {}, expected {}", what, got, expected);
}

}  // namespace

Result<void> check_facts(const FabricFacts& facts, const kan::CardImage& image) {
  if (facts.interface_version != image.interface_version)
    return differs("interface_version", facts.interface_version, image.interface_version);
  if (facts.hardware_digest != image.hardware_digest)
    return differs("model_digest", facts.hardware_digest, image.hardware_digest);
  if (facts.overlay != image.overlay)
    return differs("target", facts.overlay ? "overlay" : "fixed", image.overlay ? "overlay" : "fixed");
  if (facts.input_record_bits != image.input.record_bits)
    return differs("input_record_bits", facts.input_record_bits, image.input.record_bits);
  if (facts.output_record_bits != image.output.record_bits)
    return differs("output_record_bits", facts.output_record_bits, image.output.record_bits);
  if (facts.features != image.input.fields.size())
    return differs("features", facts.features, image.input.fields.size());
  if (facts.outputs != image.output.fields.size())
    return differs("outputs", facts.outputs, image.output.fields.size());
  return {};
}

struct Fabric::Handle {
  struct Unit {
    std::string name;
    xrt::kernel kernel;
    std::array<xrt::memory_group, 2> memory{};  // by Use
  };
  xrt::device device;
  std::vector<Unit> units;
};

struct Buffer::Handle {
  xrt::bo bo;
};

struct Run::Handle {
  xrt::run run;
  std::string unit;
};

Fabric::Fabric(std::unique_ptr<Handle> handle, FabricFacts facts)
    : handle_(std::move(handle)), facts_(std::move(facts)) {}
Fabric::~Fabric() = default;

DeviceResult<std::shared_ptr<Fabric>> Fabric::open(const Device& device, const Image& image,
                                                   const kan::CardImage& expected) {
  auto handle = std::make_unique<Handle>();
  handle->device = device.handle().device;
  const auto kernel = std::ranges::find(image.facts().kernels, expected.kernel, &ImageFacts::Kernel::name);
  if (kernel == image.facts().kernels.end() || kernel->compute_units.empty())
    return fault(FaultKind::kRefused, "xclbin: no kernel '{}'", expected.kernel);
  const auto uuid = guard("uuid", [&] { return image.handle().xclbin.get_uuid(); });
  if (!uuid) return tl::unexpected<Fault>(uuid.error());
  FabricFacts facts;
  for (const std::string& unit : kernel->compute_units) {
    auto read = read_facts(handle->device, *uuid, unit);
    if (!read) return tl::unexpected<Fault>(read.error());
    if (auto ok = check_facts(*read, expected); !ok)
      return fault(FaultKind::kRefused, "{}: {}", unit, ok.error().message);
    facts = std::move(*read);
  }
  for (const std::string& unit : kernel->compute_units) {
    auto opened = guard("opening " + unit, [&] {
      Handle::Unit entry{unit, xrt::kernel(handle->device, *uuid, selector_of(unit),
                                           xrt::kernel::cu_access_mode::exclusive)};
      entry.memory[0] = static_cast<xrt::memory_group>(entry.kernel.group_id(card::argument_id("input")));
      entry.memory[1] = static_cast<xrt::memory_group>(entry.kernel.group_id(card::argument_id("output")));
      return entry;
    });
    if (!opened) return tl::unexpected<Fault>(opened.error());
    handle->units.push_back(std::move(*opened));
  }
  return std::shared_ptr<Fabric>(new Fabric(std::move(handle), std::move(facts)));
}

std::size_t Fabric::compute_units() const noexcept {
  return handle_->units.size();
}

bool Fabric::shares_memory() const noexcept {
  return std::ranges::all_of(handle_->units,
                             [&](const auto& unit) { return unit.memory == handle_->units.front().memory; });
}

DeviceResult<Buffer> Fabric::make_buffer(std::size_t unit, Use use, std::size_t bytes) const {
  const auto& entry = handle_->units[unit];
  return guard("a buffer on the card", [&] {
    Buffer buffer;
    buffer.handle_ = std::make_shared<Buffer::Handle>();
    buffer.handle_->bo =
        xrt::bo(handle_->device, bytes, xrt::bo::flags::normal, entry.memory[static_cast<std::size_t>(use)]);
    buffer.memory_ = {buffer.handle_->bo.map<std::byte*>(), bytes};
    return buffer;
  });
}

DeviceResult<Buffer> Fabric::adopt_memory(std::size_t unit, Use use, std::span<std::byte> memory) const {
  const auto& entry = handle_->units[unit];
  return guard("a buffer on the card over shared memory", [&] {
    Buffer buffer;
    buffer.handle_ = std::make_shared<Buffer::Handle>();
    buffer.handle_->bo = xrt::bo(handle_->device, memory.data(), memory.size(), xrt::bo::flags::normal,
                                 entry.memory[static_cast<std::size_t>(use)]);
    buffer.memory_ = memory;
    return buffer;
  });
}

DeviceResult<Run> Fabric::make_run(std::size_t unit, const Buffer& input, const Buffer& output) const {
  const auto& entry = handle_->units[unit];
  return guard("a run of " + entry.name, [&] {
    Run run;
    run.handle_ = std::make_shared<Run::Handle>();
    run.handle_->unit = entry.name;
    run.handle_->run = xrt::run(entry.kernel);
    run.handle_->run.set_arg(card::argument_id("input"), input.handle_->bo);
    run.handle_->run.set_arg(card::argument_id("output"), output.handle_->bo);
    return run;
  });
}

DeviceResult<std::uint32_t> Fabric::read_register(std::size_t unit, std::uint32_t offset) const noexcept {
  auto value = guard("reading a register", [&] { return handle_->units[unit].kernel.read_register(offset); });
  if (!value) return value;
  return answered(*value, offset);
}

DeviceResult<void> Buffer::to_card(std::size_t bytes) const noexcept {
  return guard("copying to the card", [&] { handle_->bo.sync(XCL_BO_SYNC_BO_TO_DEVICE, bytes, 0); });
}

DeviceResult<void> Buffer::from_card(std::size_t bytes) const noexcept {
  return guard("copying from the card", [&] { handle_->bo.sync(XCL_BO_SYNC_BO_FROM_DEVICE, bytes, 0); });
}

DeviceResult<void> Run::start(const RunArguments& arguments) noexcept {
  return guard("starting a run", [&] {
    xrt::run& run = handle_->run;
    if (!started_ || arguments.events != arguments_.events)
      run.set_arg(card::argument_id("events"), arguments.events);
    if (!started_ || arguments.bank != arguments_.bank)
      run.set_arg(card::argument_id("bank"), arguments.bank);
    if (!started_ || arguments.mode != arguments_.mode)
      run.set_arg(card::argument_id("mode"), static_cast<std::uint32_t>(arguments.mode));
    if (!started_ || arguments.table_first != arguments_.table_first)
      run.set_arg(card::argument_id("table_first"), arguments.table_first);
    arguments_ = arguments;
    started_ = true;
    run.start();
  });
}

DeviceResult<RunState> Run::state() const noexcept {
  const auto state = guard("asking for a run's state", [&] { return handle_->run.state(); });
  if (!state) return tl::unexpected<Fault>(state.error());
  switch (*state) {
    case ERT_CMD_STATE_NEW:
    case ERT_CMD_STATE_QUEUED:
    case ERT_CMD_STATE_RUNNING:
    case ERT_CMD_STATE_SUBMITTED:
      return RunState::kGoing;
    case ERT_CMD_STATE_COMPLETED: {
      // XRT lets a run be started again only after a wait has seen its end.
      const auto seen = guard("ending a run", [&] { (void)handle_->run.wait(std::chrono::milliseconds(1)); });
      if (!seen) return tl::unexpected<Fault>(seen.error());
      return RunState::kDone;
    }
    case ERT_CMD_STATE_TIMEOUT:
    case ERT_CMD_STATE_NORESPONSE:
      return fault(FaultKind::kTimeout, "{}: the driver ended a run: state {}", handle_->unit,
                   static_cast<int>(*state));
    default:
      return fault(FaultKind::kFirewall, "{}: a run was ended by the card: state {}", handle_->unit,
                   static_cast<int>(*state));
  }
}

DeviceResult<RunState> Run::wait(std::chrono::milliseconds at_most) const noexcept {
  // What wait() returns may be its own time-out or the command's: state() tells them apart.
  const auto waited = guard(
      "waiting for a run", [&] { (void)handle_->run.wait(std::max(at_most, std::chrono::milliseconds(1))); });
  if (!waited) return tl::unexpected<Fault>(waited.error());
  return state();
}

}  // namespace kantrig::card_host
