#include "apps/kantrig-card/bundle_image.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/file.hpp"

namespace kantrig::card_host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kXclbinBytesMax = 512U << 20U;

/// As it stands in a bundle.
std::string image_file(const std::string& platform, std::string_view suffix) {
  return fmt::format("fpga/{}{}", platform, suffix);
}

Result<void> check_layouts(const CardBundle& card) {
  const kan::Model& model = card.bundle.model;
  const std::string name = card.bundle.full_name();
  for (const kan::RecordLayout* layout : {&card.image.input, &card.image.output}) {
    if (auto ok = kan::check(*layout); !ok) return tl::unexpected(ok.error().within("bundle " + name));
  }
  if (card.image.input.fields.size() != model.input_count() ||
      card.image.output.fields.size() != model.node_count())
    return fail(ErrorCode::kInvalid,
                "bundle {}: image for {} has records of {} codes and {} scores, expected {} and {}", name,
                card.image.platform, card.image.input.fields.size(), card.image.output.fields.size(),
                model.input_count(), model.node_count());
  return {};
}

Result<void> take_tables(CardBundle& card) {
  if (!card.image.overlay) return {};
  const std::string name = image_file(card.image.platform, ".tables");
  const auto file = card.bundle.fpga_files.find(name);
  const std::size_t expected = std::size_t{card.image.table_words} * sizeof(std::uint32_t);
  if (file == card.bundle.fpga_files.end() || file->second.size() != expected || expected == 0)
    return fail(ErrorCode::kCorrupt, "bundle {}: {} has {} bytes, expected {}", card.bundle.full_name(), name,
                file == card.bundle.fpga_files.end() ? 0 : file->second.size(), expected);
  static_assert(std::endian::native == std::endian::little);
  card.tables.resize(card.image.table_words);
  std::memcpy(card.tables.data(), file->second.data(), expected);
  card.tables_digest = base::sha256(file->second);
  return {};
}

}  // namespace

Result<std::shared_ptr<const CardBundle>> load_card_bundle(const fs::path& folder,
                                                           const std::string& platform) {
  auto bundle = kan::load_bundle(folder);
  if (!bundle) return tl::unexpected(bundle.error());
  auto card = std::make_shared<CardBundle>();
  card->bundle = std::move(*bundle);
  card->bundle.rtl_files.clear();
  const std::string json_name = image_file(platform, ".json");
  const auto json = card->bundle.fpga_files.find(json_name);
  if (json == card->bundle.fpga_files.end())
    return fail(ErrorCode::kNotFound,
                "bundle {}: no image for platform {}: expected {}, which kanc pack --platform {} makes",
                card->bundle.full_name(), platform, json_name, platform);
  auto image = kan::card_image_from_json(json->second);
  if (!image) return tl::unexpected(image.error().within("bundle " + card->bundle.full_name()));
  card->image = std::move(*image);
  if (card->image.platform != platform)
    return fail(ErrorCode::kInvalid, "bundle {}: {} is for platform {}, expected {}",
                card->bundle.full_name(), json_name, card->image.platform, platform);
  if (auto ok = check_layouts(*card); !ok) return tl::unexpected(ok.error());
  if (auto ok = take_tables(*card); !ok) return tl::unexpected(ok.error());
  card->bundle.fpga_files.clear();
  card->xclbin = folder / image_file(platform, ".xclbin");
  return card;
}

Result<std::string> read_xclbin(const CardBundle& bundle) {
  auto bytes = base::read_file(bundle.xclbin, kXclbinBytesMax);
  if (!bytes) return bytes;
  const std::string digest = base::sha256(*bytes).hex();
  if (digest != bundle.image.xclbin_sha256)
    return fail(ErrorCode::kCorrupt, "{}: digest {}, expected {}", bundle.xclbin.native(), digest,
                bundle.image.xclbin_sha256);
  return bytes;
}

Result<std::shared_ptr<const CardBundle>> BundleShelf::get(const fs::path& folder,
                                                           const base::Digest& digest) {
  const auto known =
      std::ranges::find(bundles_, digest, [](const auto& card) { return card->bundle.digest; });
  if (known != bundles_.end()) {
    std::rotate(known, known + 1, bundles_.end());
    return bundles_.back();
  }
  auto card = load_card_bundle(folder, platform_);
  if (!card) return card;
  if ((*card)->bundle.digest != digest)
    return fail(ErrorCode::kCorrupt, "bundle {}: digest {}, expected {}: it was changed since it was chosen",
                folder.native(), (*card)->bundle.digest.hex(), digest.hex());
  if (bundles_.size() == kBundlesMax) bundles_.erase(bundles_.begin());
  bundles_.push_back(*card);
  return card;
}

}  // namespace kantrig::card_host
