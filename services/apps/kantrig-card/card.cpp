#include "apps/kantrig-card/card.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "apps/kantrig-card/xrt/platform.hpp"

namespace kantrig::card_host {
namespace {

constexpr std::uint32_t kMeasuredRuns = 101;
constexpr std::uint64_t kMeasureNs = 2'000'000'000;  // at most, over all runs
constexpr std::uint32_t kMeasuredEventsMax = 1U << 20U;

double median_us(std::vector<std::uint64_t>& times_ns) {
  const auto middle = times_ns.begin() + static_cast<std::ptrdiff_t>(times_ns.size() / 2);
  std::nth_element(times_ns.begin(), middle, times_ns.end());
  return static_cast<double>(*middle) * 1e-3;
}

}  // namespace

Card::Card(Parts parts, CardOptions options, std::function<void()> changed)
    : clock_(parts.clock),
      log_(parts.log),
      runner_(parts.runner),
      figures_(parts.figures),
      watch_(parts.watch),
      options_(std::move(options)),
      changed_(std::move(changed)) {}

Card::~Card() {
  if (link_) (void)leave();
  const CallWatch::Call call(watch_, "closing the card", options_.call_limit_ns);
  close_fabric();
  device_.reset();
}

DeviceResult<void> Card::open() {
  const CallWatch::Call call(watch_, "opening the card", options_.call_limit_ns);
  auto device = Device::open(options_.device);
  if (!device) return tl::unexpected<Fault>(device.error());
  device_ = std::move(*device);
  if (platform_.empty()) {
    platform_ = options_.platform.empty() ? platform_named(device_->name().name) : options_.platform;
    shelf_.emplace(platform_);
  }
  return {};
}

DeviceName Card::name() const {
  return device_ ? device_->name() : DeviceName{options_.device, ""};
}

Device::SensorTexts Card::sensors() {
  if (!device_) return {};
  const CallWatch::Call call(watch_, "reading sensors", options_.call_limit_ns);
  return device_->sensors();
}

DeviceResult<void> Card::join(std::shared_ptr<Link> link) {
  link_ = std::move(link);
  const auto made = make_station();
  if (!made) link_.reset();
  link_order_ = publish();
  return made;
}

bool Card::leave() {
  models_.forget_load_ids();
  if (remembered_) remembered_->forget_load_ids();
  link_.reset();
  station_.reset();  // the threads hold it until its slots are back
  const std::uint64_t order = publish();
  return runner_.wait(order, drain_limit_ns(), Runner::Faults::kEndIt);
}

bool Card::link_broken() const {
  return link_ != nullptr && runner_.link_broken(link_order_);
}

DeviceResult<void> Card::make_station() {
  station_.reset();
  if (!link_) return {};
  const CallWatch::Call call(watch_, "making buffers over the daemon's slots", options_.call_limit_ns);
  auto station = Station::create(link_, fabric_);
  if (!station) return tl::unexpected<Fault>(station.error());
  station_ = std::move(*station);
  return {};
}

/// Tells the threads which slots go where from now on.
std::uint64_t Card::publish() {
  auto routes = std::make_shared<Routes>();
  for (const Models::Entry& entry : models_.entries()) {
    const kan::CardImage& image = entry.bundle->image;
    routes->push_back({entry.load_id, entry.bank, image.input, image.output});
  }
  const std::uint64_t order =
      runner_.give({.kind = Order::Kind::kContinue, .station = station_, .routes = std::move(routes)});
  // A daemon that is told "loaded" may have a slot there before the thread looks for orders again.
  runner_.wait_taken_up(order, options_.deadline_ns);
  return order;
}

/// Publishes, and waits until every slot that was taken before is back.
DeviceResult<void> Card::drain() {
  const std::uint64_t order = publish();
  if (runner_.wait(order, drain_limit_ns(), Runner::Faults::kEndIt)) return {};
  return fault(FaultKind::kTimeout, "slots in flight did not come back within {} ms",
               drain_limit_ns() / 1'000'000);
}

/// Every run in flight may take its whole deadline, one after the other on one unit in the worst case; the
/// completing thread raises a fault when one takes longer.
std::uint64_t Card::drain_limit_ns() const {
  return options_.deadline_ns * (std::uint64_t{options_.runs_max} + 1);
}

void Card::close_fabric() {
  prover_.reset();
  station_.reset();
  fabric_.reset();
  image_.reset();
}

void Card::raise(const Fault& fault) {
  runner_.faults().put(fault);
}

DeviceResult<std::uint32_t> Card::prove(const CardBundle& bundle, std::uint32_t bank) {
  const CallWatch::Call call(watch_, "replaying golden vectors", options_.load_limit_ns);
  const std::uint64_t begin_ns = clock_.now_ns();
  auto proved = prover_->replay(bundle, bank);
  golden_ns_ = clock_.now_ns() - begin_ns;
  (proved ? figures_.supervisor.golden_passed : figures_.supervisor.golden_failed).add(1);
  return proved;
}

DeviceResult<std::string> Card::test() {
  if (!device_ || !fabric_) return fault(FaultKind::kRefused, "nothing is loaded: there is nothing to test");
  std::string text = fmt::format("card {} ({}), xclbin {}, {} compute units\n", name().address, name().name,
                                 uuid(), compute_units());
  for (std::uint32_t bank = 0; bank < kBanks; ++bank) {
    const auto& bundle = models_.banks()[bank];
    if (!bundle) continue;
    const auto vectors = prove(*bundle, bank);
    if (!vectors) return tl::unexpected<Fault>(vectors.error());
    text += fmt::format("{} in bank {}: {} golden vectors reproduced by every compute unit\n",
                        bundle->bundle.full_name(), bank, *vectors);
  }
  return text;
}

DeviceResult<card_link::XrtTimes> Card::measure(std::uint32_t events, CompletionMode mode) {
  if (!fabric_ || !models_.hardware())
    return fault(FaultKind::kRefused, "nothing is loaded: there is nothing to measure");
  if (events == 0 || events > kMeasuredEventsMax)
    return fault(FaultKind::kRefused, "{} events, expected 1 to {}", events, kMeasuredEventsMax);
  const CallWatch::Call call(watch_, "measuring runs", options_.load_limit_ns);
  const kan::CardImage& image = models_.hardware()->image;
  const std::uint32_t bank = models_.banks()[0] ? 0 : 1;
  const std::size_t in_bytes = image.input.buffer_bytes(events);
  const std::size_t out_bytes = image.output.buffer_bytes(events);
  auto input = fabric_->make_buffer(0, Fabric::Use::kInput, card_link::whole_pages(in_bytes));
  if (!input) return tl::unexpected<Fault>(input.error());
  auto output = fabric_->make_buffer(0, Fabric::Use::kOutput, card_link::whole_pages(out_bytes));
  if (!output) return tl::unexpected<Fault>(output.error());
  auto run = fabric_->make_run(0, *input, *output);
  if (!run) return tl::unexpected<Fault>(run.error());
  std::ranges::fill(input->memory(), std::byte{0});
  std::vector<std::uint64_t> in, submit, wait, out, total;
  const std::uint64_t begin_ns = clock_.now_ns();
  while (in.size() < kMeasuredRuns && clock_.now_ns() - begin_ns < kMeasureNs) {
    const std::uint64_t t0 = clock_.now_ns();
    if (auto ok = input->to_card(in_bytes); !ok) return tl::unexpected<Fault>(ok.error());
    const std::uint64_t t1 = clock_.now_ns();
    if (auto ok = run->start({.events = events, .bank = bank}); !ok) return tl::unexpected<Fault>(ok.error());
    const std::uint64_t t2 = clock_.now_ns();
    for (;;) {
      const auto state =
          mode == CompletionMode::kPolling ? run->state() : run->wait(std::chrono::milliseconds(1));
      if (!state) return tl::unexpected<Fault>(state.error());
      if (*state == RunState::kDone) break;
      if (clock_.now_ns() - t2 > options_.deadline_ns)
        return fault(FaultKind::kTimeout, "a run of {} events took more than {} ms", events,
                     options_.deadline_ns / 1'000'000);
    }
    const std::uint64_t t3 = clock_.now_ns();
    if (auto ok = output->from_card(out_bytes); !ok) return tl::unexpected<Fault>(ok.error());
    const std::uint64_t t4 = clock_.now_ns();
    in.push_back(t1 - t0);
    submit.push_back(t2 - t1);
    wait.push_back(t3 - t2);
    out.push_back(t4 - t3);
    total.push_back(t4 - t0);
  }
  return card_link::XrtTimes{.runs = static_cast<std::uint32_t>(in.size()),
                             .copy_in_us = median_us(in),
                             .submit_us = median_us(submit),
                             .wait_us = median_us(wait),
                             .copy_out_us = median_us(out),
                             .total_us = median_us(total)};
}

}  // namespace kantrig::card_host
