#include "compiler/hardware/compiled_design.hpp"

#include "compiler/hardware/rtl_sources.hpp"

namespace kantrig::compiler {

void put_design(kan::Bundle& bundle, const CompiledDesign& compiled) {
  bundle.rtl_files.clear();
  bundle.fpga_files.clear();
  bundle.fpga_left_out.clear();
  for (const auto& [name, text] : compiled.files) bundle.rtl_files["rtl/" + name] = text;
  std::string list;
  for (const std::string& name : compiled.design.files) list += name + "\n";
  bundle.rtl_files["rtl/files.f"] = std::move(list);
  std::string shells;
  for (const std::string& name : shell_sources()) {
    bundle.rtl_files["rtl/shell/" + name] = rtl_source(name);
    shells += "shell/" + name + "\n";
  }
  bundle.rtl_files["rtl/shell.f"] = std::move(shells);
  bundle.rtl_files["rtl/design.json"] = design_to_json(compiled.design);
}

}  // namespace kantrig::compiler
