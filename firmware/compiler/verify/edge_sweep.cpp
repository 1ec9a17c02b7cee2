#include "compiler/verify/edge_sweep.hpp"

#include <algorithm>
#include <cstdlib>

namespace kantrig::compiler {
namespace {

constexpr std::uint32_t kBackgroundsMin = 64;
constexpr std::uint32_t kBackgroundsMax = 512;
constexpr std::uint32_t kSteerPasses = 2;

/// How far the sum is from one where an error of `step` (+1 or -1) in an entry changes the output. 0: it
/// shows.
std::uint64_t distance_to_visible(const kan::Node& node, std::int64_t sum, int step) {
  const std::int64_t unit = std::int64_t{1} << node.shift;
  const std::int64_t floor = sum >> node.shift;  // what the output is before it is clamped
  const std::int64_t residue = sum - floor * unit;
  const std::int64_t first = step > 0 ? node.low : node.low + 1;
  const std::int64_t last = step > 0 ? node.high - 1 : node.high;
  if (first > last) return UINT64_MAX;  // a constant: nothing shows
  std::int64_t outside = 0;
  if (floor < first) outside = (first - floor) * unit;
  if (floor > last) outside = (floor - last) * unit;
  return static_cast<std::uint64_t>(outside + (step > 0 ? unit - 1 - residue : residue));
}

}  // namespace

EdgeSweep::EdgeSweep(const kan::Layer& layer, std::uint32_t node, const CodeSpace& space, std::uint64_t seed)
    : layer_(layer), node_(layer.nodes[node]), space_(space), seed_(mix(seed, node)) {
  for (std::uint32_t e = node_.edge_begin; e < node_.edge_end; ++e) inputs_.push_back(layer.edges[e].input);
  if (inputs_.empty()) return;
  const std::uint32_t residues = node_.shift < 7 ? 4U << node_.shift : kBackgroundsMax;
  make_backgrounds(std::clamp(residues, kBackgroundsMin, kBackgroundsMax));
  for (std::uint32_t e = 0; e < inputs_.size(); ++e) {
    for (const std::uint16_t code : space_.codes(inputs_[e])) plan_entry(e, code);
  }
}

std::int32_t EdgeSweep::entry(std::uint32_t edge, std::uint16_t code) const {
  return layer_.tables[layer_.edges[node_.edge_begin + edge].table_offset + code];
}

std::int64_t EdgeSweep::sum_of(std::span<const std::uint16_t> codes) const {
  std::int64_t sum = node_.bias + (node_.shift == 0 ? 0 : std::int64_t{1} << (node_.shift - 1));
  for (std::uint32_t e = 0; e < inputs_.size(); ++e) sum += entry(e, codes[e]);
  return sum;
}

std::span<const std::uint16_t> EdgeSweep::background(std::uint32_t index) const {
  return std::span(backgrounds_).subspan(index * inputs_.size(), inputs_.size());
}

/// Half of them as they come, the others steered to sums all over the range that is not clamped.
void EdgeSweep::make_backgrounds(std::uint32_t count) {
  std::vector<std::uint16_t> row(space_.input_count());
  const std::int64_t low = std::int64_t{node_.low} << node_.shift;
  const std::int64_t high = (std::int64_t{node_.high} + 1) << node_.shift;
  for (std::uint32_t b = 0; b < count; ++b) {
    space_.random_row(seed_, b, row);
    std::vector<std::uint16_t> codes;
    for (const std::uint32_t input : inputs_) codes.push_back(row[input]);
    const std::uint64_t random = mix(seed_ + 1, b);
    if (b % 2 == 1)
      steer(codes, low + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(high - low)), random);
    sums_.push_back(sum_of(codes));
    backgrounds_.insert(backgrounds_.end(), codes.begin(), codes.end());
  }
}

/// Input by input, in an order of its own, the code that brings the sum closest to `target`.
void EdgeSweep::steer(std::span<std::uint16_t> codes, std::int64_t target, std::uint64_t seed) const {
  std::int64_t sum = sum_of(codes);
  const std::size_t count = codes.size();
  for (std::uint32_t pass = 0; pass < kSteerPasses; ++pass) {
    const std::size_t start = mix(seed, pass) % count;
    for (std::size_t i = 0; i < count && sum != target; ++i) {
      const auto e = static_cast<std::uint32_t>((start + i) % count);
      const std::int64_t others = sum - entry(e, codes[e]);
      for (const std::uint16_t code : space_.codes(inputs_[e])) {
        const std::int64_t with = others + entry(e, code);
        if (std::abs(with - target) >= std::abs(sum - target)) continue;
        sum = with;
        codes[e] = code;
      }
    }
  }
}

void EdgeSweep::plan_entry(std::uint32_t edge, std::uint16_t code) {
  const auto count = static_cast<std::uint32_t>(sums_.size());
  const std::uint32_t start = static_cast<std::uint32_t>(mix(seed_ + edge, code) % count);
  std::uint32_t shows_up = start;
  std::uint32_t shows_down = start;
  std::uint64_t best_up = UINT64_MAX;
  std::uint64_t best_down = UINT64_MAX;
  for (std::uint32_t i = 0; i < count && (best_up > 0 || best_down > 0); ++i) {
    const std::uint32_t b = (start + i) % count;
    const std::int64_t sum = sums_[b] - entry(edge, background(b)[edge]) + entry(edge, code);
    const std::uint64_t up = distance_to_visible(node_, sum, 1);
    const std::uint64_t down = distance_to_visible(node_, sum, -1);
    if (up < best_up) {
      best_up = up;
      shows_up = b;
    }
    if (down < best_down) {
      best_down = down;
      shows_down = b;
    }
  }
  ++entries_;
  entries_exact_ += best_up == 0 && best_down == 0 ? 1 : 0;
  for (const std::uint32_t b : {shows_up, shows_down, (start + 1) % count, (start + count / 2) % count})
    steps_.push_back({edge, code, static_cast<std::uint16_t>(b)});
}

void EdgeSweep::fill(std::uint64_t number, std::span<std::uint16_t> row) const {
  const Step& step = steps_[number];
  space_.random_row(seed_ + 2, number, row);
  const auto codes = background(step.background);
  for (std::size_t e = 0; e < inputs_.size(); ++e) row[inputs_[e]] = codes[e];
  row[inputs_[step.edge]] = step.code;
}

}  // namespace kantrig::compiler
