#include "compiler/hardware/overlay_shape.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <string_view>
#include <utility>

#include "compiler/hardware/overlay_node.hpp"

namespace kantrig::compiler {
namespace {

using Figures = std::vector<std::uint32_t>;

Result<Figures> parse_sizes(const std::string& text, const Figures& of_model) {
  if (text.empty()) return of_model;
  Figures sizes;
  const char* next = text.data();
  const char* const end = next + text.size();
  while (true) {
    std::uint32_t size = 0;
    const auto [stop, error] = std::from_chars(next, end, size);
    if (error != std::errc{} || (stop != end && *stop != '-')) {
      return fail(ErrorCode::kInvalid, "--shape {}: expected sizes joined by dashes, such as 16-10-5", text);
    }
    sizes.push_back(size);
    if (stop == end) break;
    next = stop + 1;
  }
  if (sizes.size() != of_model.size()) {
    return fail(ErrorCode::kInvalid,
                "--shape {}: has {} layers, the model has {}: declare {} sizes, such as {}", text,
                sizes.size() - 1, of_model.size() - 1, of_model.size(), joined(of_model, '-'));
  }
  return sizes;
}

/// What was asked for of every layer, else `needed`.
Result<Figures> choose(std::string_view option, const Figures& asked, const Figures& needed) {
  if (asked.empty()) return needed;
  if (asked.size() == 1) return Figures(needed.size(), asked.front());
  if (asked.size() == needed.size()) return asked;
  return fail(ErrorCode::kInvalid, "{} {}: {} values for {} layers, expected one or one a layer", option,
              joined(asked, ','), asked.size(), needed.size());
}

/// What the model needs of each layer, the widths that depend on others left at what it needs itself.
OverlayShape needs(const kan::Model& model) {
  OverlayShape shape;
  shape.sizes.push_back(model.input_count());
  shape.code_bits.push_back(0);
  for (const kan::InputFeature& input : model.inputs) {
    shape.code_bits[0] = std::max(shape.code_bits[0], input.bits);
  }
  for (const kan::Layer& layer : model.layers) {
    shape.sizes.push_back(static_cast<std::uint32_t>(layer.nodes.size()));
    std::uint32_t code = 1;
    std::uint32_t entry = kOverlayEntryBitsMin;
    std::uint32_t sum = 1;
    std::uint32_t shift = 0;
    std::uint32_t output = 1;
    for (const kan::Node& node : layer.nodes) {
      const OverlayNode reduced = overlay_node(layer, node);
      code = std::max(code, static_cast<std::uint32_t>(std::bit_width(reduced.span)));
      output = std::max(output, signed_bits(node.low, node.high));
      sum = std::max(sum, signed_bits(reduced.lowest_sum, reduced.highest_sum));
      shift = std::max(shift, reduced.shift);
      for (std::uint32_t e = node.edge_begin; e < node.edge_end && !reduced.constant; ++e) {
        entry = std::max(entry, entry_bits(entry_range(layer, layer.edges[e])));
      }
    }
    const bool last = shape.sizes.size() == model.layers.size() + 1;
    if (last) {
      shape.output_bits = output;
    } else {
      shape.code_bits.push_back(code);
    }
    shape.entry_bits.push_back(entry);
    shape.sum_bits.push_back(sum);
    shape.shift_max.push_back(shift);
  }
  return shape;
}

Result<void> check_sizes(const Figures& sizes) {
  if (sizes.size() < 2 || sizes.size() > kOverlayLayersMax + 1) {
    return fail(ErrorCode::kUnsupported,
                "overlay: {} sizes, expected 2 to {}: use --target fixed for more layers", sizes.size(),
                kOverlayLayersMax + 1);
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] >= 1 && sizes[i] <= kOverlaySizeMax) continue;
    return fail(ErrorCode::kUnsupported,
                "overlay: {} {}, expected 1 to {}: use --target fixed for a larger model", sizes[i],
                i == 0 ? std::string("inputs") : fmt::format("nodes in layer {}", i - 1), kOverlaySizeMax);
  }
  return {};
}

/// One figure of every layer and its bounds.
struct Bounds {
  std::string_view option;
  const Figures& figures;
  std::uint32_t least;
  std::uint32_t most;
};

Result<void> check_figures(const Bounds& bounds, std::size_t layers) {
  if (bounds.figures.size() != layers) {
    return fail(ErrorCode::kCorrupt, "overlay: {} figures for {}, expected one for each of {} layers",
                bounds.figures.size(), bounds.option, layers);
  }
  for (std::size_t l = 0; l < layers; ++l) {
    if (bounds.figures[l] >= bounds.least && bounds.figures[l] <= bounds.most) continue;
    return fail(
        ErrorCode::kUnsupported,
        "layer {}: {} is {}, an overlay has {} to {}: declare such, or use --target fixed for this model", l,
        bounds.option, bounds.figures[l], bounds.least, bounds.most);
  }
  return {};
}

/// The adders start at the width of an entry, and the clamp cuts codes out of the sum.
Result<void> check_sums(const OverlayShape& shape) {
  for (std::size_t l = 0; l < shape.layer_count(); ++l) {
    const std::uint32_t least = std::max(shape.entry_bits[l], shape.out_bits(l) + 1);
    if (shape.sum_bits[l] >= least) continue;
    return fail(
        ErrorCode::kInvalid,
        "layer {}: sums of {} bits for entries of {} and outputs of {}: declare --sum-bits {} or more", l,
        shape.sum_bits[l], shape.entry_bits[l], shape.out_bits(l), least);
  }
  return {};
}

}  // namespace

std::uint64_t OverlayShape::table_words() const {
  std::uint64_t words = 0;
  for (std::size_t l = 0; l < layer_count(); ++l) {
    words += static_cast<std::uint64_t>(sizes[l]) * groups(l) << code_bits[l];
  }
  return words;
}

OverlayAddress OverlayShape::address() const {
  const auto bits = [](std::size_t count) { return static_cast<std::uint32_t>(std::bit_width(count - 1)); };
  OverlayAddress fields;
  fields.layer_bits = std::max(fields.layer_bits, bits(layer_count()));
  for (const std::uint32_t size : sizes) fields.index_bits = std::max(fields.index_bits, bits(size));
  for (std::size_t l = 0; l < layer_count(); ++l) {
    fields.group_bits = std::max(fields.group_bits, bits(groups(l)));
    fields.place_bits = std::max(fields.place_bits, code_bits[l]);
  }
  return fields;
}

std::uint64_t OverlayShape::block_words() const {
  return std::uint64_t{1} << (address().width() - 1);
}

std::uint32_t OverlayShape::layer_cycles(std::size_t l) const {
  std::uint32_t tree = 1;  // two by two, then three by three
  for (std::uint32_t terms = (sizes[l] + 1) / 2; terms > 1; terms = (terms + 2) / 3) ++tree;
  const bool last = l + 1 == layer_count();
  return tree + 2 + (shift_max[l] > 0 ? 1 : 0) + (last ? 1 : 0);
}

std::uint32_t OverlayShape::cycles() const {
  std::uint32_t cycles = 1;  // kan_overlay_entry
  for (std::size_t l = 0; l < layer_count(); ++l) cycles += layer_cycles(l);
  return cycles;
}

Result<void> check(const OverlayShape& shape) {
  if (auto ok = check_sizes(shape.sizes); !ok) return ok;
  for (const Bounds& bounds :
       {Bounds{"--code-bits", shape.code_bits, 1, kOverlayCodeBitsMax},
        Bounds{"--entry-bits", shape.entry_bits, kOverlayEntryBitsMin, kOverlayEntryBitsMax},
        Bounds{"--sum-bits", shape.sum_bits, 2, kOverlaySumBitsMax},
        Bounds{"--shift-max", shape.shift_max, 0, kan::kShiftMax}}) {
    if (auto ok = check_figures(bounds, shape.sizes.size() - 1); !ok) return ok;
  }
  if (shape.output_bits < 1 || shape.output_bits > kOverlayOutputBitsMax) {
    return fail(ErrorCode::kUnsupported, "--output-bits {}: expected 1 to {}", shape.output_bits,
                kOverlayOutputBitsMax);
  }
  if (auto ok = check_sums(shape); !ok) return ok;
  if (shape.table_words() > kOverlayTableWordsMax) {
    return fail(
        ErrorCode::kUnsupported,
        "overlay {}: its tables are {} words, an overlay has at most {}: declare smaller --code-bits or "
        "--entry-bits, or use --target fixed",
        joined(shape.sizes, '-'), shape.table_words(), kOverlayTableWordsMax);
  }
  if (shape.block_words() > kOverlayBlockWordsMax) {
    return fail(
        ErrorCode::kUnsupported,
        "overlay {}: a bank takes {} addresses, an overlay has at most {}: declare layers of more equal "
        "sizes, or use --target fixed",
        joined(shape.sizes, '-'), shape.block_words(), kOverlayBlockWordsMax);
  }
  return {};
}

Result<OverlayShape> overlay_shape(const kan::Model& model, const OverlayOptions& options) {
  OverlayShape shape = needs(model);
  const auto sizes = parse_sizes(options.sizes, shape.sizes);
  if (!sizes) return tl::unexpected(sizes.error());
  shape.sizes = *sizes;
  if (options.output_bits != 0) shape.output_bits = options.output_bits;
  auto code_bits = choose("--code-bits", options.code_bits, shape.code_bits);
  if (!code_bits) return tl::unexpected(code_bits.error());
  shape.code_bits = std::move(*code_bits);
  auto entry_bits = choose("--entry-bits", options.entry_bits, shape.entry_bits);
  if (!entry_bits) return tl::unexpected(entry_bits.error());
  shape.entry_bits = std::move(*entry_bits);
  for (std::size_t l = 0; l < shape.layer_count(); ++l) {
    shape.sum_bits[l] = std::max({shape.sum_bits[l], shape.entry_bits[l], shape.out_bits(l) + 1});
  }
  auto sum_bits = choose("--sum-bits", options.sum_bits, shape.sum_bits);
  if (!sum_bits) return tl::unexpected(sum_bits.error());
  shape.sum_bits = std::move(*sum_bits);
  auto shift_max = choose("--shift-max", options.shift_max, shape.shift_max);
  if (!shift_max) return tl::unexpected(shift_max.error());
  shape.shift_max = std::move(*shift_max);
  if (auto ok = check(shape); !ok) return tl::unexpected(ok.error());
  return shape;
}

std::string joined(std::span<const std::uint32_t> figures, char separator) {
  std::string text;
  for (const std::uint32_t figure : figures) {
    if (!text.empty()) text += separator;
    text += std::to_string(figure);
  }
  return text;
}

std::string describe(const OverlayShape& shape) {
  return fmt::format("{}, codes of {} bits, entries of {}, sums of {}, shifts to {}, scores of {}",
                     joined(shape.sizes, '-'), joined(shape.code_bits, ','), joined(shape.entry_bits, ','),
                     joined(shape.sum_bits, ','), joined(shape.shift_max, ','), shape.output_bits);
}

base::Digest overlay_digest(const OverlayShape& shape) {
  return base::sha256(describe(shape));
}

}  // namespace kantrig::compiler
