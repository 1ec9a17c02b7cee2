// kantrig-card: the process that owns an FPGA card. The command line; the process itself is process.cpp.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

#include "apps/kantrig-card/bundle_image.hpp"
#include "apps/kantrig-card/options.hpp"
#include "apps/kantrig-card/process.hpp"
#include "apps/kantrig-card/xrt/device.hpp"
#include "apps/kantrig-card/xrt/platform.hpp"
#include "apps/kantrig-card/xrt/runtime_folder.hpp"
#include "base/build_info.hpp"
#include "base/exit_code.hpp"

namespace {

using namespace kantrig;
using namespace kantrig::card_host;

constexpr const char* kFooter = R"(
Examples:
  kantrig-card --list
  kantrig-card --device 0000:03:00.1 --socket /run/kantrig/card-0000:03:00.1 --metrics 127.0.0.1:9465
  kantrig-card --check-image /var/lib/kantrig/models/jets-1.1.0 --platform xilinx_u50_gen3x16_xdma_201920_3

XILINX_XRT says where XRT lies. Where it is not set, /opt/xilinx/xrt is used, else, with Debian's packages, a folder of
this process's own with the link lib that XRT asks for.

Signals: TERM and INT let the runs in flight end, then stop.

Exit codes: 0 stopped as asked, 1 a call into XRT did not return or the work failed, 2 wrong command line, 3 something
that it was given is wrong, missing or taken, 4 no card (--list).)";

int print_devices() {
  const auto devices = Device::list();
  if (!devices) {
    std::fprintf(stderr, "kantrig-card: %s\n", devices.error().message.c_str());
    return base::kExitInput;
  }
  for (const DeviceName& device : *devices) {
    std::printf("%s  %s  platform %s\n", device.address.c_str(), device.name.c_str(),
                platform_named(device.name).c_str());
  }
  if (devices->empty())
    std::fprintf(stderr, "kantrig-card: no card: the driver shows none that can be opened\n");
  return devices->empty() ? base::kExitUnavailable : base::kExitOk;
}

int check_bundle(const std::string& folder, const std::string& platform) {
  const auto checked = [&]() -> Result<ImageFacts> {
    const auto bundle = load_card_bundle(folder, platform);
    if (!bundle) return tl::unexpected(bundle.error());
    const auto bytes = read_xclbin(**bundle);
    if (!bytes) return tl::unexpected(bytes.error());
    const auto image = Image::parse(*bytes);
    if (!image) return tl::unexpected(image.error().to_error());
    if (auto ok = check_image(image->facts(), (*bundle)->image); !ok) return tl::unexpected(ok.error());
    return image->facts();
  }();
  if (!checked) {
    std::fprintf(stderr, "kantrig-card: %s\n", checked.error().message.c_str());
    return base::kExitInput;
  }
  std::printf("image is right: xclbin %s for %s\n", checked->uuid.c_str(), checked->platform.c_str());
  return base::kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "kantrig-card owns one FPGA card: it loads models onto it, proves them with their golden vectors, and "
      "serves the\n"
      "batches that kantrigd puts into shared memory. Whatever happens to the card, kantrigd decides on its "
      "CPU.");
  Options options;
  std::string image;
  bool list = false;
  app.set_config("--config", "", "A file with these options, as key = value (TOML)")->type_name("FILE");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.add_option("--device", options.device, "PCI address or index of the card")->type_name("BDF|INDEX");
  app.add_option("--socket", options.socket, "Where to listen (default: /run/kantrig/card-DEVICE)")
      ->type_name("PATH");
  app.add_option("--platform", options.platform, "Whose images to load (default: as the device's name says)");
  app.add_option("--metrics", options.metrics, "Page for Prometheus (default: none)")
      ->type_name("ADDRESS:PORT");
  app.add_option("--completion", options.completion, "How the end of a run is seen")
      ->check(CLI::IsMember({"interrupt", "polling"}))
      ->capture_default_str();
  app.add_option("--deadline-ms", options.deadline_ms, "Longest time of a run")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "Most slots on their way at a time")
      ->check(CLI::Range(1U, kInFlightMax))
      ->capture_default_str();
  app.add_option("--spin-us", options.spin_us, "How long to look for slots before sleeping")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--load-limit-ms", options.load_limit_ms,
                 "A load of an xclbin that takes longer ends the process")
      ->check(CLI::Range(1'000, 600'000))
      ->capture_default_str();
  app.add_option("--call-limit-ms", options.call_limit_ms,
                 "Any other call into XRT that takes longer ends the process")
      ->check(CLI::Range(100, 600'000))
      ->capture_default_str();
  app.add_option("--retry-min-ms", options.retry_min_ms, "First pause between attempts to recover")
      ->check(CLI::Range(1, 600'000))
      ->capture_default_str();
  app.add_option("--retry-max-ms", options.retry_max_ms, "Longest pause between attempts to recover")
      ->check(CLI::Range(1, 600'000))
      ->capture_default_str();
  app.add_option("--reset-command", options.reset_command,
                 "Run by the shell, with the device closed, when a fault asks for a reset and for kantrig "
                 "card reset; "
                 "{device} stands for the PCI address: \"xbutil reset --device {device} --force\" (default: "
                 "no reset)")
      ->type_name("COMMAND");
  app.add_option("--log-level", options.log_level, "Least level that is logged")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_flag("--list", list, "List the devices that can be opened, and end");
  app.add_option("--check-image", image, "Check a bundle's image for --platform, and end; needs no card")
      ->type_name("BUNDLE");
  app.set_version_flag("--version", std::string(base::build_info().version));
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
    if (options.retry_min_ms > options.retry_max_ms)
      throw CLI::ValidationError("--retry-min-ms", "is above --retry-max-ms");
    if (!image.empty() && options.platform.empty()) throw CLI::RequiredError("--platform");
    if (image.empty() && !list && options.device.empty()) throw CLI::RequiredError("--device");
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? base::kExitOk : base::kExitUsage;
  }
  const auto folder = RuntimeFolder::prepare();
  if (!folder) {
    std::fprintf(stderr, "kantrig-card: %s\n", folder.error().message.c_str());
    return base::kExitInput;
  }
  if (list) return print_devices();
  if (!image.empty()) return check_bundle(image, options.platform);
  if (options.socket.empty()) options.socket = "/run/kantrig/card-" + options.device;
  return run_process(options);
}
