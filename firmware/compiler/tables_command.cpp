// kanc tables
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "compiler/commands.hpp"
#include "compiler/hardware/design.hpp"
#include "compiler/hardware/overlay_tables.hpp"
#include "compiler/report.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {
namespace {

struct Arguments {
  std::filesystem::path model;
  std::filesystem::path overlay;
  std::filesystem::path out;
  std::uint32_t bank = 0;
};

Result<OverlayShape> shape_of(const std::filesystem::path& folder) {
  const auto bundle = kan::load_bundle(folder);
  if (!bundle) return tl::unexpected(bundle.error());
  const auto json = bundle->rtl_files.find("rtl/design.json");
  if (json == bundle->rtl_files.end()) {
    return fail(ErrorCode::kNotFound, "{}: holds no design; kanc compile --target overlay makes one",
                folder.string());
  }
  const auto design = design_from_json(json->second);
  if (!design) return tl::unexpected(design.error().within(folder.string()));
  if (!design->overlay) {
    return fail(ErrorCode::kInvalid, "{}: its design is {}, expected overlay", folder.string(),
                target_name(design->target));
  }
  return *design->overlay;
}

/// Address and data of each word, little endian.
std::string to_bytes(const std::vector<TableWord>& words) {
  std::string bytes;
  for (const TableWord& word : words) {
    for (const std::uint32_t value : {word.address, word.data}) {
      for (std::uint32_t shift = 0; shift < 32; shift += 8) {
        bytes.push_back(static_cast<char>(static_cast<unsigned char>(value >> shift & 0xFFU)));
      }
    }
  }
  return bytes;
}

int run(const Arguments& arguments) {
  const auto shape = shape_of(arguments.overlay);
  if (!shape) return report_failure(shape.error(), base::kExitInput);
  const auto model = kan::load_bundle(arguments.model);
  if (!model) return report_failure(model.error(), base::kExitInput);
  const auto words = overlay_table_words(model->model, *shape, static_cast<TableBank>(arguments.bank));
  if (!words) return report_failure(words.error().within(model->full_name()), base::kExitInput);
  if (arguments.out.empty()) {
    for (const TableWord& word : *words) fmt::print("{:08x} {:08x}\n", word.address, word.data);
    return base::kExitOk;
  }
  if (auto ok = base::write_file_atomic(arguments.out, to_bytes(*words)); !ok) {
    return report_failure(ok.error(), base::kExitOutput);
  }
  fmt::print("wrote {}: {} words that load {} into bank {} of an overlay of {}\n", arguments.out.string(),
             words->size(), model->full_name(), arguments.bank, describe(*shape));
  return base::kExitOk;
}

}  // namespace

void add_tables_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand("tables", "Write the words that load a model into an overlay");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "The bundle whose model is to be loaded")->required();
  command
      ->add_option("overlay", arguments->overlay,
                   "The bundle whose design is the overlay (kanc compile --target overlay)")
      ->required();
  command->add_option("--bank", arguments->bank, "Bank to load")
      ->check(CLI::Range(0U, 1U))
      ->capture_default_str();
  command->add_option("--out", arguments->out,
                      "File of pairs of 32-bit words, address and data, little endian (default: as text to "
                      "stdout, in hex)");
  command->footer(
      "The words may be written in any order while events flow through the other bank; the map of addresses "
      "is "
      "in\n"
      "firmware/rtl/overlay/README.md. A model that does not fit is refused with the figure that it "
      "exceeds.\n\n"
      "Example:\n"
      "  kanc tables jets-1.1.0 jets-overlay --bank 1 --out words.bin\n\n"
      "Exit codes: 0 written, 2 wrong command line, 3 a bundle that is wrong or a model that does not fit, 5 "
      "not\n"
      "written.");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
