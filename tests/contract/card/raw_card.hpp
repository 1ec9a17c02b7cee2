// A card through XRT's own C++ interface and nothing else of ours but the record layout: what these tests
// hold the emulated card to is what XRT makes of it.
#pragma once

#include <gtest/gtest.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "kan/bundle.hpp"
#include "kan/card_image.hpp"
#include "kan/record_layout.hpp"
#include "kan/reference.hpp"
#include "support/emulated_card.hpp"

namespace kantrig::test {

inline constexpr std::uint32_t kEventsMax = 512;
inline constexpr std::chrono::milliseconds kPatience{20'000};

/// Events of a model, and what the reference evaluator says of them.
struct Events {
  std::uint32_t count = 0;
  std::vector<std::uint16_t> codes;  // rows
  std::vector<std::int16_t> scores;  // rows
};

inline Events random_events(const kan::Model& model, std::uint32_t count, std::mt19937_64& random) {
  Events events{.count = count, .codes = {}, .scores = {}};
  for (std::uint32_t i = 0; i < count; ++i) {
    for (const std::uint32_t codes : model.layers.front().input_codes)
      events.codes.push_back(static_cast<std::uint16_t>(random() % codes));
    const auto row = std::span(events.codes).last(model.input_count());
    const auto scores = kan::reference_outputs(model, row);
    events.scores.insert(events.scores.end(), scores.begin(), scores.end());
  }
  return events;
}

/// XRT asks for whole pages of memory, and gives sizes on as they come.
inline std::size_t whole_pages(std::size_t bytes) {
  return (bytes + 4095) / 4096 * 4096;
}

/// Buffers and a run of one batch, reused.
class RawSlot {
 public:
  RawSlot(const xrt::device& device, const xrt::kernel& kernel, const kan::CardImage& image)
      : image_(image),
        input_(device, whole_pages(image.input.buffer_bytes(kEventsMax)), kernel.group_id(0)),
        output_(device, whole_pages(image.output.buffer_bytes(kEventsMax)), kernel.group_id(1)),
        run_(kernel) {}

  void start(const Events& events, std::uint32_t bank = 0) {
    kan::pack_records(image_.input, events.codes, events.count, bytes_of(input_));
    input_.sync(XCL_BO_SYNC_BO_TO_DEVICE, image_.input.buffer_bytes(events.count), 0);
    run_.set_arg(0, input_);
    run_.set_arg(1, output_);
    run_.set_arg(2, events.count);
    run_.set_arg(3, bank);
    run_.set_arg(4, 0U);
    run_.set_arg(5, 0U);
    run_.start();
  }
  [[nodiscard]] ert_cmd_state wait(std::chrono::milliseconds patience = kPatience) {
    return run_.wait(patience);
  }
  /// Events whose scores are not those of the reference.
  [[nodiscard]] std::size_t wrong(const Events& events) {
    output_.sync(XCL_BO_SYNC_BO_FROM_DEVICE, image_.output.buffer_bytes(events.count), 0);
    const std::size_t outputs = events.scores.size() / events.count;
    std::vector<std::vector<std::int16_t>> scores(image_.output.fields.size(),
                                                  std::vector<std::int16_t>(events.count));
    std::vector<std::int16_t*> columns;
    for (auto& column : scores) columns.push_back(column.data());
    kan::unpack_records(image_.output, bytes_of(output_), events.count, columns);
    std::size_t count = 0;
    for (std::size_t i = 0; i < events.count; ++i) {
      bool same = true;
      for (std::size_t k = 0; k < outputs; ++k) same = same && scores[k][i] == events.scores[i * outputs + k];
      count += same ? 0U : 1U;
    }
    return count;
  }
  [[nodiscard]] xrt::run& run() { return run_; }

 private:
  static std::span<std::byte> bytes_of(xrt::bo& buffer) { return {buffer.map<std::byte*>(), buffer.size()}; }

  const kan::CardImage image_;
  xrt::bo input_;
  xrt::bo output_;
  xrt::run run_;
};

/// The xclbin of a packed bundle as a file, as XRT wants it.
inline std::string xclbin_file(const kan::Bundle& bundle, const std::filesystem::path& folder) {
  const std::string path = (folder / (image_of(bundle).xclbin_sha256.substr(0, 12) + ".xclbin")).string();
  std::ofstream(path, std::ios::binary) << bundle.fpga_files.at("fpga/emulated.xclbin");
  return path;
}

/// A device that is programmed with a packed bundle, and a kernel object over all its compute units.
struct RawCard {
  RawCard(const kan::Bundle& bundle, const EmulatedCard& card, unsigned index = 0)
      : image(image_of(bundle)),
        device(index),
        uuid(device.load_xclbin(xclbin_file(bundle, card.folder()))),
        kernel(std::make_unique<xrt::kernel>(device, uuid, image.kernel)) {}

  [[nodiscard]] RawSlot slot() const { return {device, *kernel, image}; }

  kan::CardImage image;
  xrt::device device;
  xrt::uuid uuid;
  std::unique_ptr<xrt::kernel> kernel;
};

/// The errno that `call` throws as a std::system_error; 0 when it throws nothing, -1 another exception.
template <typename Call>
int errno_of(const Call& call) {
  try {
    call();
    return 0;
  } catch (const std::system_error& error) {
    return error.code().value();
  } catch (const std::exception& error) {
    std::printf("another exception: %s\n", error.what());
    return -1;
  }
}

}  // namespace kantrig::test
