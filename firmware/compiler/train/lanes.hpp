// Eight floats at once, for the loops of this folder (loops.cpp, loss.cpp) only: GCC's vector type, which
// every instruction set computes with the same bits as long as nothing is fused (-ffp-contract=off).
#pragma once

#include <cstddef>
#include <cstdint>

namespace kantrig::train::lanes {

inline constexpr std::size_t kWidth = 8;

// NOLINTBEGIN: attributes are all that can say this.
typedef float Float8 __attribute__((vector_size(32)));
typedef float LooseFloat8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::int32_t Int8 __attribute__((vector_size(32)));
#define KANTRIG_LANES_INLINE static inline __attribute__((always_inline))
/// A function built for several instruction sets; the loader picks one. Not under ThreadSanitizer, which is
/// not up yet when it does.
#ifdef __SANITIZE_THREAD__
#define KANTRIG_LANES_CLONES
#else
#define KANTRIG_LANES_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#endif
// NOLINTEND

KANTRIG_LANES_INLINE Float8 load(const float* from) noexcept {
  return *reinterpret_cast<const LooseFloat8*>(from);
}
KANTRIG_LANES_INLINE void store(float* to, Float8 values) noexcept {
  *reinterpret_cast<LooseFloat8*>(to) = values;
}
KANTRIG_LANES_INLINE Float8 all(float value) noexcept {
  return Float8{value, value, value, value, value, value, value, value};
}
/// In one order, whatever the instruction set.
KANTRIG_LANES_INLINE float sum(Float8 v) noexcept {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}
KANTRIG_LANES_INLINE Float8 smaller(Float8 a, Float8 b) noexcept {
  return a < b ? a : b;
}
KANTRIG_LANES_INLINE Float8 larger(Float8 a, Float8 b) noexcept {
  return a > b ? a : b;
}
/// Nearest integers, ties to even. Precondition: |v| < 2^22.
KANTRIG_LANES_INLINE Float8 round(Float8 v) noexcept {
  const Float8 magic = all(0x1.8p23F);
  return (v + magic) - magic;
}
/// Largest integers not above. Precondition: |v| < 2^22.
KANTRIG_LANES_INLINE Float8 floor(Float8 v) noexcept {
  const Float8 nearest = round(v);
  return nearest - (nearest > v ? all(1.0F) : all(0.0F));
}

/// e^v, relative error below 2e-7; v is clamped to [-87, 87].
KANTRIG_LANES_INLINE Float8 exponential(Float8 v) noexcept {
  v = smaller(larger(v, all(-87.0F)), all(87.0F));
  const Float8 n = round(v * all(1.44269504F));
  const Float8 r = (v - n * all(0.693359375F)) - n * all(-2.12194440e-4F);
  Float8 p = all(1.0F / 5040.0F);
  p = p * r + all(1.0F / 720.0F);
  p = p * r + all(1.0F / 120.0F);
  p = p * r + all(1.0F / 24.0F);
  p = p * r + all(1.0F / 6.0F);
  p = p * r + all(0.5F);
  p = p * r + all(1.0F);
  p = p * r + all(1.0F);
  const Int8 power = (__builtin_convertvector(n, Int8) + 127) << 23;
  return p * reinterpret_cast<Float8>(power);
}

}  // namespace kantrig::train::lanes
