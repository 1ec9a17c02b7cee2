#include "kernels/kernels.hpp"

#include <array>

namespace kantrig::kernels {
namespace {

bool scalar_supported() noexcept {
  return true;
}

#if defined(__x86_64__)
// The compiler's check covers the operating system too: it reads XCR0 before it believes in wide registers.
bool avx2_supported() noexcept {
  return __builtin_cpu_supports("avx2") != 0;
}

bool avx512_supported() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
         __builtin_cpu_supports("avx512vbmi") != 0;
}
#endif

constexpr std::array kSets = {
#if defined(__x86_64__)
    KernelSet{"avx512", avx512_supported, TableForm::kBytes, avx512::eval_tiles, avx512::score_tiles,
              avx512::load_float32, avx512::load_code8, avx512::load_code16},
    KernelSet{"avx2", avx2_supported, TableForm::kByteChunks, avx2::eval_tiles, avx2::score_tiles,
              avx2::load_float32, avx2::load_code8, avx2::load_code16},
#endif
    KernelSet{"scalar", scalar_supported, TableForm::kWords, scalar::eval_tiles, scalar::score_tiles,
              scalar::load_float32, scalar::load_code8, scalar::load_code16},
};

}  // namespace

std::span<const KernelSet> sets() noexcept {
  return kSets;
}

const KernelSet* select_set(std::string_view name) noexcept {
  for (const KernelSet& set : kSets) {
    if ((name == "auto" || name == set.name) && set.supported()) return &set;
  }
  return nullptr;
}

}  // namespace kantrig::kernels
