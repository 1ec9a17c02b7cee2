#include "system/reference_decisions.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <random>

#include "base/npy.hpp"
#include "kan/reference.hpp"
#include "support/daemon.hpp"

namespace kantrig::test {
namespace {

constexpr std::uint32_t kPadding = 64;  // the menu reads up to the next multiple

/// One row in twenty has something that real data should not have.
void spoil(std::span<float> row, std::mt19937_64& random) {
  constexpr std::array<float, 5> kOddities{
      std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::quiet_NaN(),
      std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), 3.0e38F};
  if (random() % 20 != 0) return;
  row[random() % row.size()] = kOddities[random() % kOddities.size()];
}

ReferenceDecisions::Outputs room_for(std::uint32_t output_count) {
  ReferenceDecisions::Outputs outputs;
  outputs.columns.assign(output_count, std::vector<std::int16_t>(EventPool::kRowsStored + kPadding));
  outputs.rows.resize(std::size_t{EventPool::kRowsStored} * output_count);
  outputs.classes.resize(EventPool::kRowsStored + kPadding);
  outputs.malformed.resize(EventPool::kRowsStored);
  return outputs;
}

template <typename T>
T value_at(std::span<const std::byte> bytes, std::size_t index) {
  T value{};
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

bool bit_at(std::span<const std::byte> bitmap, std::uint32_t i) {
  return ((static_cast<unsigned>(bitmap[i / 8]) >> (i % 8)) & 1U) != 0;
}

bool bit_at(std::span<const std::uint64_t> words, std::uint32_t i) {
  return ((words[i / 64] >> (i % 64)) & 1U) != 0;
}

}  // namespace

DigestBytes digest_of(std::span<const std::byte> bytes) {
  DigestBytes digest{};
  if (bytes.size() == digest.size()) std::memcpy(digest.data(), bytes.data(), bytes.size());
  return digest;
}

Result<EventPool> EventPool::make(const kan::Model& model, std::uint64_t seed) {
  const auto sample = base::read_npy(source_file("tests/data/jets16_slice_x.npy"));
  if (!sample) return tl::unexpected<Error>(sample.error());
  EventPool pool;
  pool.feature_count = model.input_count();
  if (sample->columns != pool.feature_count || sample->rows < kRows)
    return fail(ErrorCode::kInvalid, "sample: another shape");
  pool.floats.assign(sample->values.begin(),
                     sample->values.begin() + std::ptrdiff_t{kRows} * pool.feature_count);
  return finished(std::move(pool), model, seed);
}

Result<EventPool> EventPool::random(const kan::Model& model, std::uint64_t seed) {
  std::mt19937_64 random(~seed);
  EventPool pool;
  pool.feature_count = model.input_count();
  for (std::uint32_t r = 0; r < kRows; ++r) {
    for (const kan::InputFeature& feature : model.inputs) {
      const auto code = static_cast<float>(random() >> (64U - feature.bits));
      pool.floats.push_back((code - feature.offset) / feature.scale);
    }
  }
  return finished(std::move(pool), model, seed);
}

Result<EventPool> EventPool::finished(EventPool pool, const kan::Model& model, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::uint32_t r = 0; r < kRows; ++r) {
    spoil(std::span(pool.floats).subspan(std::size_t{r} * pool.feature_count, pool.feature_count), random);
  }
  pool.floats.resize(std::size_t{kRowsStored} * pool.feature_count);
  std::copy_n(pool.floats.begin(), std::size_t{kEventsMax} * pool.feature_count,
              pool.floats.begin() + std::ptrdiff_t{kRows} * pool.feature_count);
  for (std::size_t i = 0; i < pool.floats.size(); ++i) {
    const kan::InputFeature& feature = model.inputs[i % pool.feature_count];
    if (feature.bits >= 8)
      return fail(ErrorCode::kUnsupported, "a feature of {} bits: expected fewer than 8", feature.bits);
    const auto code = kan::reference_code(feature, pool.floats[i]);
    pool.codes16.push_back(code.value_or(std::uint16_t{0xFFFF}));  // a code that does not exist
    pool.codes8.push_back(static_cast<std::uint8_t>(code.value_or(0xFF)));
  }
  return pool;
}

std::span<const std::byte> EventPool::rows(wire::Encoding encoding, std::uint32_t first,
                                           std::uint32_t events) const {
  const auto part = [&](const auto& values) {
    return std::as_bytes(
        std::span(values).subspan(std::size_t{first} * feature_count, std::size_t{events} * feature_count));
  };
  if (encoding == wire::Encoding::kCode8) return part(codes8);
  if (encoding == wire::Encoding::kCode16) return part(codes16);
  return part(floats);
}

ReferenceDecisions::Outputs ReferenceDecisions::evaluate(const kan::Model& model, bool from_floats) const {
  Outputs outputs = room_for(model.output_count());
  std::vector<std::uint16_t> codes(model.input_count());
  for (std::uint32_t r = 0; r < EventPool::kRowsStored; ++r) {
    for (std::uint32_t f = 0; f < model.input_count(); ++f) {
      const std::size_t at = std::size_t{r} * model.input_count() + f;
      const auto code =
          from_floats ? kan::reference_code(model.inputs[f], pool_.floats[at]) : pool_.codes16[at];
      const bool exists = code.has_value() && *code < 1U << model.inputs[f].bits;
      if (!exists) outputs.malformed[r] = true;
      codes[f] = exists ? *code : std::uint16_t{0};
    }
    if (outputs.malformed[r]) continue;
    const auto scores = kan::reference_outputs(model, codes);
    for (std::uint32_t k = 0; k < scores.size(); ++k) {
      outputs.columns[k][r] = scores[k];
      outputs.rows[std::size_t{r} * scores.size() + k] = scores[k];
    }
    outputs.classes[r] = kan::reference_class(model, scores);
  }
  return outputs;
}

void ReferenceDecisions::add_model(const kan::Bundle& bundle) {
  models_[bundle.digest.bytes] = {.output_count = bundle.model.output_count(),
                                  .of_floats = evaluate(bundle.model, true),
                                  .of_codes = evaluate(bundle.model, false)};
  bundles_[bundle.digest.bytes] = bundle;
}

Result<void> ReferenceDecisions::add_menu(const std::string& text) {
  for (const auto& [digest, bundle] : bundles_) {
    auto compiled = control::compile_menu({text, "reference"}, bundle);
    if (!compiled) return tl::unexpected<Error>(compiled.error());
    const DigestBytes menu_digest = (*compiled)->digest().bytes;
    menus_[{menu_digest, digest}] = std::move(*compiled);
  }
  return {};
}

const ReferenceDecisions::Model* ReferenceDecisions::model(const DigestBytes& digest) const {
  const auto found = models_.find(digest);
  return found == models_.end() ? nullptr : &found->second;
}

const menu::Menu* ReferenceDecisions::menu(const DigestBytes& menu_digest,
                                           const DigestBytes& model_digest) const {
  const auto found = menus_.find({menu_digest, model_digest});
  return found == menus_.end() ? nullptr : found->second.get();
}

std::optional<std::string> AnswerCheck::fault(const Cut& cut, const wire::DecisionView& decision) {
  const DigestBytes model_digest = digest_of(decision.model_digest);
  const ReferenceDecisions::Model* model = reference_.model(model_digest);
  const menu::Menu* menu = reference_.menu(digest_of(decision.menu_digest), model_digest);
  if (model == nullptr || menu == nullptr) return "decided by a model or menu that was never put on";
  if (decision.accept_bitmap.size() != (cut.event_count + 7) / 8) return "accept bitmap of another size";
  const auto& outputs = cut.encoding == wire::Encoding::kFloat32 ? model->of_floats : model->of_codes;

  malformed_.assign((cut.event_count + 63) / 64, 0);
  std::uint32_t malformed_count = 0;
  for (std::uint32_t i = 0; i < cut.event_count; ++i) {
    if (!outputs.malformed[cut.first_row + i]) continue;
    malformed_[i / 64] |= std::uint64_t{1} << (i % 64);
    ++malformed_count;
  }
  std::vector<const std::int16_t*> columns;
  for (const auto& column : outputs.columns) columns.push_back(column.data() + cut.first_row);
  auto [at, made] = spaces_.try_emplace(menu, *menu, EventPool::kEventsMax);
  menu->decide({.scores = columns,
                .classes = outputs.classes.data() + cut.first_row,
                .malformed = malformed_,
                .event_count = cut.event_count,
                .first_event_id = cut.first_event_id,
                .column = decision.column},
               at->second);
  const auto accepted = at->second.accepted();
  std::uint32_t accepted_count = 0;
  for (std::uint32_t i = 0; i < cut.event_count; ++i) {
    if (bit_at(decision.accept_bitmap, i) != bit_at(accepted, i))
      return fmt::format("event {} of the batch: accept differs", i);
    accepted_count += bit_at(accepted, i) ? 1 : 0;
    const bool told = !decision.malformed_bitmap.empty() && bit_at(decision.malformed_bitmap, i);
    if (told != bit_at(malformed_, i)) return fmt::format("event {} of the batch: malformed differs", i);
  }
  if (decision.accepted_count != accepted_count || decision.malformed_count != malformed_count ||
      decision.rejected_count != cut.event_count - accepted_count - malformed_count) {
    return fmt::format("counts {} {} {}, expected {} accepted and {} malformed of {}",
                       decision.accepted_count, decision.rejected_count, decision.malformed_count,
                       accepted_count, malformed_count, cut.event_count);
  }
  if (decision.line_bits.size() != (cut.want_lines ? cut.event_count * sizeof(std::uint64_t) : 0))
    return "line bits: size";
  if (cut.want_lines) {
    line_bits_.resize(cut.event_count);
    at->second.write_line_bits(line_bits_);
    if (std::memcmp(line_bits_.data(), decision.line_bits.data(), decision.line_bits.size()) != 0)
      return "line bits differ";
  }
  return fault_of_outputs(cut, decision, *model);
}

std::optional<std::string> AnswerCheck::fault_of_outputs(const Cut& cut, const wire::DecisionView& decision,
                                                         const ReferenceDecisions::Model& model) const {
  const auto& outputs = cut.encoding == wire::Encoding::kFloat32 ? model.of_floats : model.of_codes;
  if (decision.classes.size() != (cut.want_classes ? cut.event_count : 0)) return "classes: size";
  const std::size_t scores = std::size_t{cut.event_count} * model.output_count;
  if (decision.scores.size() != (cut.want_scores ? scores * sizeof(std::int16_t) : 0)) return "scores: size";
  for (std::uint32_t i = 0; i < cut.event_count; ++i) {
    if (outputs.malformed[cut.first_row + i]) continue;  // these mean nothing
    const std::size_t row = std::size_t{cut.first_row} + i;
    if (cut.want_classes && static_cast<std::uint8_t>(decision.classes[i]) != outputs.classes[row]) {
      return fmt::format("event {} of the batch: class differs", i);
    }
    for (std::uint32_t k = 0; cut.want_scores && k < model.output_count; ++k) {
      if (value_at<std::int16_t>(decision.scores, std::size_t{i} * model.output_count + k) !=
          outputs.rows[row * model.output_count + k]) {
        return fmt::format("event {} of the batch: score {} differs", i, k);
      }
    }
  }
  return std::nullopt;
}

}  // namespace kantrig::test
