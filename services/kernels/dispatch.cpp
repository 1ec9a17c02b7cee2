#include "kernels/kernels.hpp"

#include <array>

namespace kantrig::kernels {
namespace {

bool scalar_supported() noexcept { return true; }


constexpr std::array kSets = {
    KernelSet{"scalar", scalar_supported, TableForm::kWords, scalar::eval_tiles, scalar::load_float32, scalar::load_code8,
              scalar::load_code16},
};

}  // namespace

std::span<const KernelSet> sets() noexcept { return kSets; }

const KernelSet* select_set(std::string_view name) noexcept {
  for (const KernelSet& set : kSets) {
    if ((name == "auto" || name == set.name) && set.supported()) return &set;
  }
  return nullptr;
}

}  // namespace kantrig::kernels
