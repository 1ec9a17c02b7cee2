// kantrig-emulated-card: commands an emulated card.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "card/emulated/state.hpp"

namespace kantrig::emulated {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path folder;
  unsigned card = 0;
  std::string fault;
  std::vector<std::string> words;  // after the fault
  std::uint32_t times = 0;         // 0: as the fault has it
  std::string duration;
  std::string on_off;
  bool json = false;
};

/// "250us", "3ms", "8s" in microseconds.
std::uint64_t microseconds(const std::string& text) {
  std::size_t used = 0;
  double number = 0;
  try {
    number = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string unit = used == 0 ? "" : text.substr(used);
  const double scale = unit == "us" ? 1 : unit == "ms" ? 1e3 : unit == "s" ? 1e6 : 0;
  if (scale == 0 || number < 0 || number * scale > 1e12)
    throw std::invalid_argument("'" + text + "': expected a time such as 250us, 3ms or 8s");
  return static_cast<std::uint64_t>(number * scale);
}

/// "20x" as a factor, or a time.
std::uint64_t slowness(const std::string& text) {
  if (!text.ends_with('x')) return microseconds(text);
  std::size_t used = 0;
  double factor = 0;
  try {
    factor = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used + 1 != text.size() || factor < 1 || factor > 1e6)
    throw std::invalid_argument("'" + text + "': expected a factor such as 20x, or a time such as 500us");
  return static_cast<std::uint64_t>(factor * 1000) | kSlowIsFactor;
}

std::uint64_t errno_named(const std::string& name) {
  const std::vector<std::pair<std::string, int>> known{
      {"EBUSY", EBUSY},   {"EINVAL", EINVAL},      {"EIO", EIO}, {"ENODEV", ENODEV}, {"EPERM", EPERM},
      {"ENOMEM", ENOMEM}, {"ETIMEDOUT", ETIMEDOUT}};
  std::string all;
  for (const auto& [text, number] : known) {
    if (text == name) return static_cast<std::uint64_t>(number);
    all.append(" ").append(text);
  }
  throw std::invalid_argument("'" + name + "': expected one of" + all);
}

Fault fault_named(const std::string& name) {
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    if (kFaultNames[i] == name) return static_cast<Fault>(i);
  }
  std::string all;
  for (const std::string_view text : kFaultNames) all.append(" ").append(text);
  throw std::invalid_argument("'" + name + "': expected one of" + all + ", or clear, revive");
}

/// How often a fault strikes when nobody says: what happens to one run happens once.
std::uint32_t usual_times(Fault fault) {
  return fault == Fault::kCorrupt || fault == Fault::kDropInterrupt ? 1 : kLasting;
}

void command_fault(const State& state, const Arguments& arguments) {
  if (arguments.fault == "clear" || arguments.fault == "revive") return state.clear();
  const Fault fault = fault_named(arguments.fault);
  std::uint32_t times = arguments.times == 0 ? usual_times(fault) : arguments.times;
  std::uint64_t value = fault == Fault::kRefuseXclbin ? EINVAL : 0;
  std::vector<std::string> words = arguments.words;
  if (!words.empty() && (words.front() == "always" || words.front() == "once")) {
    times = words.front() == "once" ? 1 : kLasting;
    words.erase(words.begin());
  }
  if (fault == Fault::kSlow) {
    if (words.size() != 1) throw std::invalid_argument("slow: expected how slow, such as 20x or 500us");
    value = slowness(words.front());
  } else if (fault == Fault::kRefuseXclbin && words.size() == 1) {
    value = errno_named(words.front());
  } else if (!words.empty()) {
    throw std::invalid_argument("'" + words.front() + "': " + arguments.fault + " takes no such word");
  }
  state.arm(fault, times, value);
}

void print_json(const State& state) {
  const CardState& words = state.words();
  std::printf("{\"faults\": {");
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    const FaultState& fault = words.faults[i];
    const std::uint32_t times = fault.times.load();
    std::printf("%s\"%s\": {\"armed\": %s, \"times\": %s, \"taken\": %llu}", i == 0 ? "" : ", ",
                std::string(kFaultNames[i]).c_str(), times != 0 ? "true" : "false",
                times == kLasting ? "null" : std::to_string(times).c_str(),
                static_cast<unsigned long long>(fault.taken.load()));
  }
  std::printf("}, \"hung_units\": %u, \"tripped\": %s, \"instant\": %s, \"program_time_us\": %llu, ",
              words.hung_units.load(), words.tripped.load() != 0 ? "true" : "false",
              words.instant.load() != 0 ? "true" : "false",
              static_cast<unsigned long long>(words.program_us.load()));
  std::printf(
      "\"programmed\": %s, \"opener_pid\": %u, \"opens\": %llu, \"xclbins\": %llu, \"resets\": %u, \"runs\": "
      "%llu, \"runs_aborted\": %llu}\n",
      words.uuid[0].load() != 0 || words.uuid[1].load() != 0 ? "true" : "false", words.opener_pid.load(),
      static_cast<unsigned long long>(words.opens.load()),
      static_cast<unsigned long long>(words.programmed.load()), words.resets.load(),
      static_cast<unsigned long long>(words.runs.load()),
      static_cast<unsigned long long>(words.runs_aborted.load()));
}

void print_text(const State& state) {
  const CardState& words = state.words();
  std::printf("runs          %llu completed, %llu aborted\n",
              static_cast<unsigned long long>(words.runs.load()),
              static_cast<unsigned long long>(words.runs_aborted.load()));
  std::printf("programmed    %llu times, each taking %llu us\n",
              static_cast<unsigned long long>(words.programmed.load()),
              static_cast<unsigned long long>(words.program_us.load()));
  std::printf("opened        %llu times, last by process %u\n",
              static_cast<unsigned long long>(words.opens.load()), words.opener_pid.load());
  std::printf("resets        %u\n", words.resets.load());
  if (words.instant.load() != 0) std::printf("instant       runs complete at once and do nothing\n");
  if (words.hung_units.load() != 0)
    std::printf("hung          units of mask 0x%x\n", words.hung_units.load());
  if (words.tripped.load() != 0) std::printf("firewall      tripped\n");
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    const FaultState& fault = words.faults[i];
    const std::uint32_t times = fault.times.load();
    if (times == 0 && fault.taken.load() == 0) continue;
    const std::string left = times == kLasting ? "lasting" : std::to_string(times) + " times more";
    std::printf("%-14s%s, struck %llu times\n", std::string(kFaultNames[i]).c_str(), left.c_str(),
                static_cast<unsigned long long>(fault.taken.load()));
  }
}

/// Beside this program's folder: in the build tree, or installed.
fs::path root() {
  const fs::path prefix = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
  for (const fs::path& candidate : {prefix / "emulated-card", prefix / "lib/kantrig/emulated-card"}) {
    if (fs::exists(candidate / "lib/libxrt_core.so.2")) return candidate;
  }
  throw std::runtime_error(
      "no emulated-card/lib/libxrt_core.so.2 beside " + prefix.string() +
      ": build the target kantrig_emulated_card, or install the component emulated_card");
}

void add_commands(CLI::App& app, Arguments& arguments) {
  const auto state = [&arguments] {
    if (arguments.folder.empty()) throw std::invalid_argument("--dir: expected the folder of the card");
    return State(arguments.folder, arguments.card);
  };
  CLI::App* const fault = app.add_subcommand("fault", "Let something go wrong");
  fault->add_option("name", arguments.fault, "The fault, or clear (all of them; alias revive)")->required();
  fault->add_option("words", arguments.words, "once, always; slow: 20x or 500us; refuse-xclbin: an errno");
  fault->add_option("--times", arguments.times, "How often it strikes, then no more")
      ->check(CLI::Range(1U, 1'000'000U));
  fault->callback([state, &arguments] { command_fault(state(), arguments); });
  app.add_subcommand("clear", "Take all faults and what came of them back")->callback([state] {
    state().clear();
  });
  app.add_subcommand("revive", "The same")->callback([state] { state().clear(); });
  app.add_subcommand("reset", "Reset the device, as the driver's reset does")->callback([state] {
    state().reset();
  });
  CLI::App* const status = app.add_subcommand("status", "Print what the card did and what is wrong with it");
  status->add_flag("--json", arguments.json, "For scripts");
  status->callback([state, &arguments] { arguments.json ? print_json(state()) : print_text(state()); });
  CLI::App* const time = app.add_subcommand("program-time", "How long programming another xclbin takes");
  time->add_option("time", arguments.duration, "Such as 8s, as a U250 takes")->required();
  time->callback([state, &arguments] { state().words().program_us.store(microseconds(arguments.duration)); });
  CLI::App* const instant = app.add_subcommand("instant", "Let runs complete at once and do nothing");
  instant->add_option("switch", arguments.on_off, "on or off")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  instant->callback([state, &arguments] {
    state().words().instant.store(arguments.on_off == "on" ? 1 : 0);
    state().tell();
  });
  app.add_subcommand("root", "Print what XILINX_XRT must be for programs to find the emulated card")
      ->callback([] { std::printf("%s\n", root().c_str()); });
}

}  // namespace
}  // namespace kantrig::emulated

int main(int argc, char** argv) {
  using namespace kantrig::emulated;
  CLI::App app{
      "kantrig-emulated-card commands an accelerator card that is none: XRT's host code over our RTL in "
      "simulation."};
  Arguments arguments;
  app.add_option("--dir", arguments.folder,
                 "The folder of the card, which is KANTRIG_EMULATED_CARD for its users");
  app.add_option("--card", arguments.card, "Its index")->check(CLI::Range(0U, 15U))->capture_default_str();
  app.require_subcommand(1);
  app.footer(
      "A fault is there when this program has returned, for processes that run and for those to come.\n"
      "  die             the card is lost: every call fails (ENODEV, EIO), no run ends, it cannot be opened\n"
      "  hang            the unit of the next run never ends it, until reset or another xclbin\n"
      "  slow 20x|500us  runs take so many times as long, or so much longer\n"
      "  corrupt         one random bit of the next run's scores is wrong (always: of every run's)\n"
      "  refuse-xclbin   no other xclbin is taken; the errno can be named: EINVAL, EIO, EBUSY, ...\n"
      "  drop-interrupt  nobody is told of the next completion\n"
      "  io-error        moving buffers fails (EIO)\n"
      "  firewall        registers read 0xFFFFFFFF and runs end aborted, until reset\n"
      "  busy            compute units cannot be taken (EBUSY)\n"
      "  absent          there is no card\n"
      "corrupt and drop-interrupt strike once unless 'always' is said, the others until cleared unless "
      "'once' or\n"
      "--times is.\n\n"
      "Example:\n"
      "  export XILINX_XRT=$(kantrig-emulated-card root) KANTRIG_EMULATED_CARD=/tmp/card\n"
      "  kantrig-emulated-card --dir /tmp/card program-time 8s\n"
      "  kantrig-emulated-card --dir /tmp/card fault hang once\n"
      "  kantrig-emulated-card --dir /tmp/card reset\n\n"
      "Exit codes: 0 done, 2 wrong command line, 3 no such folder or card.");
  try {
    add_commands(app, arguments);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "kantrig-emulated-card: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kantrig-emulated-card: %s\n", error.what());
    return 3;
  }
  return 0;
}
