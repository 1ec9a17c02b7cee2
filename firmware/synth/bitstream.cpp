#include "synth/bitstream.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include "base/file.hpp"
#include "synth/board_files.hpp"
#include "synth/cells.hpp"
#include "synth/netlist.hpp"
#include "synth/tool.hpp"

namespace kantrig::synth {
namespace {

constexpr const char* kTop = "kan_board_up5k";
constexpr const char* kPins = "up5k.pcf";
constexpr std::size_t kTextBytesMax = std::size_t{1} << 30U;

Result<void> place_sources(const kan::Bundle& bundle, const BitstreamOptions& options,
                           const WorkFolder& folder) {
  for (const auto& [path, content] : bundle.rtl_files) {
    if (auto ok = folder.write(path, content); !ok) return ok;
  }
  for (const auto& [name, content] : board_files()) {
    if (auto ok = folder.write(std::string(name), content); !ok) return ok;
  }
  if (options.pins.empty()) return {};
  const auto pins = base::read_file(options.pins, 1'000'000);
  return pins ? folder.write(kPins, *pins) : tl::unexpected(pins.error());
}

Result<void> run_yosys(const compiler::HardwareDesign& design, const WorkFolder& folder) {
  std::string script;
  for (const std::string& file : design.files) script += fmt::format("read_verilog -sv rtl/{}\n", file);
  for (const auto& [name, content] : board_files()) {
    if (name.ends_with(".sv")) script += fmt::format("read_verilog -sv {}\n", name);
  }
  script += fmt::format("synth_ice40 -device u -top {0} -json {0}.json\n", kTop);
  if (auto ok = folder.write("synthesise.ys", script); !ok) return ok;
  return run_tool({.program = "yosys",
                   .package = "yosys",
                   .arguments = {"-s", "synthesise.ys"},
                   .folder = folder.path(),
                   .log = "yosys.log"});
}

/// Before nextpnr, which would search for a while to say the same.
Result<void> count_and_check(const WorkFolder& folder, Bitstream& bitstream) {
  const auto json = base::read_file(folder.path() / (std::string(kTop) + ".json"), kTextBytesMax);
  if (!json) return tl::unexpected(json.error());
  const auto netlist = netlist_from_json(*json, kTop);
  if (!netlist) return tl::unexpected(netlist.error());
  for (const Cell& cell : netlist->cells) {
    const CellType type = cell_type(cell.type);
    bitstream.luts += type.luts;
    bitstream.ffs += type.kind == CellKind::kRegister ? 1 : 0;
  }
  const std::uint32_t least = std::max(bitstream.luts, bitstream.ffs);
  if (least > kUp5kCells) {
    return fail(ErrorCode::kUnsupported,
                "the design needs {} LUT4 and {} registers, an iCE40 UP5K has {} cells of one each: take a "
                "smaller model, or fewer bits",
                bitstream.luts, bitstream.ffs, kUp5kCells);
  }
  return {};
}

/// "ICESTORM_LC:  6000/ 5280" of nextpnr's log, when it says so.
std::string utilisation_in(const std::string& log) {
  const std::size_t at = log.find("ICESTORM_LC:");
  if (at == std::string::npos) return {};
  const std::size_t end = log.find('\n', at);
  return log.substr(at, end == std::string::npos ? end : end - at);
}

Result<void> place_and_route(const BitstreamOptions& options, const WorkFolder& folder,
                             Bitstream& bitstream) {
  const std::string top(kTop);
  if (auto ok = run_tool({.program = "nextpnr-ice40",
                          .package = "nextpnr-ice40",
                          .arguments = {"--up5k", "--package", "sg48", "--json", top + ".json", "--pcf",
                                        kPins, "--asc", top + ".asc", "--freq", "12", "--seed",
                                        std::to_string(options.seed), "--report", "nextpnr.json"},
                          .folder = folder.path(),
                          .log = "nextpnr.log"});
      !ok) {
    const auto log = base::read_file(folder.path() / "nextpnr.log", kTextBytesMax);
    const std::string used = log ? utilisation_in(*log) : "";
    return used.empty() ? ok : tl::unexpected(ok.error().within("it uses " + used));
  }
  const auto text = base::read_file(folder.path() / "nextpnr.json", kTextBytesMax);
  if (!text) return tl::unexpected(text.error());
  try {
    const auto report = nlohmann::json::parse(*text);
    bitstream.cells = report.at("utilization").at("ICESTORM_LC").at("used").get<std::uint32_t>();
    for (const auto& clock : report.at("fmax")) {
      bitstream.fmax_nextpnr_mhz = clock.at("achieved").get<double>();
    }
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorrupt, "nextpnr.json: {}", error.what());
  }
  return {};
}

Result<void> run_icetime(const WorkFolder& folder, Bitstream& bitstream) {
  if (auto ok = run_tool({.program = "icetime",
                          .package = "fpga-icestorm",
                          .arguments = {"-d", "up5k", "-P", "sg48", "-p", kPins, "-t", "-r", "timing.txt",
                                        std::string(kTop) + ".asc"},
                          .folder = folder.path(),
                          .log = "icetime.log"});
      !ok) {
    return ok;
  }
  const auto text = base::read_file(folder.path() / "timing.txt", kTextBytesMax);
  if (!text) return tl::unexpected(text.error());
  constexpr std::string_view kBefore = "Total path delay: ";  // "18.05 ns (55.41 MHz)" follows
  const std::size_t line = text->find(kBefore);
  const std::size_t open = line == std::string::npos ? line : text->find('(', line);
  if (open == std::string::npos ||
      std::from_chars(text->data() + open + 1, text->data() + text->size(), bitstream.fmax_icetime_mhz).ec !=
          std::errc{}) {
    return fail(ErrorCode::kCorrupt, "timing.txt: has no line \"{}\", expected it of icetime", kBefore);
  }
  return {};
}

Result<void> pack(const WorkFolder& folder, Bitstream& bitstream) {
  bitstream.file = std::string(kTop) + ".bin";
  if (auto ok = run_tool({.program = "icepack",
                          .package = "fpga-icestorm",
                          .arguments = {std::string(kTop) + ".asc", bitstream.file},
                          .folder = folder.path(),
                          .log = "icepack.log"});
      !ok) {
    return ok;
  }
  std::error_code error;
  bitstream.bytes = std::filesystem::file_size(folder.path() / bitstream.file, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", bitstream.file, error.message());
  return {};
}

}  // namespace

Result<Bitstream> make_bitstream(const kan::Bundle& bundle, const compiler::HardwareDesign& design,
                                 const BitstreamOptions& options) {
  if (design.device != "ice40" && design.device != "generic") {
    return fail(ErrorCode::kUnsupported,
                "bundle {}: its design is for {}, expected ice40: compile it with --device ice40",
                bundle.full_name(), design.device);
  }
  const auto folder = WorkFolder::make(options.out);
  if (!folder) return tl::unexpected(folder.error());
  Bitstream bitstream;
  if (auto ok = place_sources(bundle, options, *folder); !ok) return tl::unexpected(ok.error());
  if (auto ok = run_yosys(design, *folder); !ok) return tl::unexpected(ok.error());
  if (auto ok = count_and_check(*folder, bitstream); !ok) return tl::unexpected(ok.error());
  if (auto ok = place_and_route(options, *folder, bitstream); !ok) return tl::unexpected(ok.error());
  if (auto ok = run_icetime(*folder, bitstream); !ok) return tl::unexpected(ok.error());
  if (auto ok = pack(*folder, bitstream); !ok) return tl::unexpected(ok.error());
  if (auto ok = folder->write("bitstream.json", bitstream_to_json(bitstream, design)); !ok)
    return tl::unexpected(ok.error());
  return bitstream;
}

std::string bitstream_to_json(const Bitstream& bitstream, const compiler::HardwareDesign& design) {
  const nlohmann::ordered_json json{{"bundle", design.bundle},
                                    {"device", "up5k"},
                                    {"package", "sg48"},
                                    {"file", bitstream.file},
                                    {"bytes", bitstream.bytes},
                                    {"luts", bitstream.luts},
                                    {"ffs", bitstream.ffs},
                                    {"cells", bitstream.cells},
                                    {"cells_available", kUp5kCells},
                                    {"fmax_nextpnr_mhz", bitstream.fmax_nextpnr_mhz},
                                    {"fmax_icetime_mhz", bitstream.fmax_icetime_mhz}};
  return json.dump(1) + "\n";
}

}  // namespace kantrig::synth
