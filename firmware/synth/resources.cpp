#include "synth/resources.hpp"

#include <vector>

#include "synth/published_structure.hpp"

namespace kantrig::synth {
namespace {

constexpr const char* kDatapath = "kan_datapath";

Result<SynthesisJob> place_design(const kan::Bundle& bundle, const compiler::HardwareDesign& design,
                                  Family family, const WorkFolder& folder) {
  for (const auto& [path, content] : bundle.rtl_files) {
    if (auto ok = folder.write(path, content); !ok) return tl::unexpected(ok.error());
  }
  SynthesisJob job{.name = "design", .top = kDatapath, .files = {}, .family = family};
  for (const std::string& file : design.files) job.files.push_back("rtl/" + file);
  return job;
}

Result<Synthesised> synthesise_and_examine(const SynthesisJob& job, const WorkFolder& folder) {
  const auto netlist = synthesise(job, folder);
  if (!netlist) return tl::unexpected(netlist.error());
  auto figures = figures_of(*netlist);
  if (!figures) return tl::unexpected(figures.error());
  return Synthesised{std::move(*figures), area_of(*netlist)};
}

Result<Synthesised> measure_baseline(const kan::Bundle& bundle, const ResourceOptions& options,
                                     const WorkFolder& folder) {
  const auto baseline = published_structure(bundle.model, options.baseline_operands);
  if (!baseline) return tl::unexpected(baseline.error());
  if (auto ok = folder.write("baseline.v", baseline->verilog); !ok) return tl::unexpected(ok.error());
  auto measured = synthesise_and_examine({.name = "baseline",
                                          .top = std::string(kPublishedModule),
                                          .files = {"baseline.v"},
                                          .family = options.family},
                                         folder);
  return measured;
}

}  // namespace

Result<compiler::HardwareDesign> design_of(const kan::Bundle& bundle) {
  const auto found = bundle.rtl_files.find("rtl/design.json");
  if (found == bundle.rtl_files.end()) {
    return fail(ErrorCode::kInvalid,
                "bundle {}: has no design, expected rtl/design.json: make one with kanc compile",
                bundle.full_name());
  }
  return compiler::design_from_json(found->second);
}

Result<Resources> measure_resources(const kan::Bundle& bundle, const compiler::HardwareDesign& design,
                                    const ResourceOptions& options) {
  const auto folder = WorkFolder::make(options.keep);
  if (!folder) return tl::unexpected(folder.error());
  const auto job = place_design(bundle, design, options.family, *folder);
  if (!job) return tl::unexpected(job.error());
  auto measured = synthesise_and_examine(*job, *folder);
  if (!measured) return tl::unexpected(measured.error());
  if (measured->figures.cycles != design.cycles) {
    return fail(ErrorCode::kInvalid, "{}: the netlist takes {} cycles, design.json says {}", kDatapath,
                measured->figures.cycles, design.cycles);
  }
  Resources resources;
  resources.family = options.family;
  resources.tool = yosys_version(*job, *folder);
  resources.design = std::move(*measured);
  if (options.baseline_operands == 0) return resources;
  measured = measure_baseline(bundle, options, *folder);
  if (!measured) return tl::unexpected(measured.error());
  resources.baseline_operands = options.baseline_operands;
  resources.baseline = std::move(*measured);
  return resources;
}

}  // namespace kantrig::synth
