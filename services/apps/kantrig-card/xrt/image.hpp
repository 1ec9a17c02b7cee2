// Image: an xclbin that was read and understood, but not loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/kantrig-card/xrt/fault.hpp"
#include "kan/card_image.hpp"

namespace kantrig::card_host {

/// What an xclbin says of itself.
struct ImageFacts {
  struct Argument {
    std::string name;
    std::size_t index = 0;
    std::uint64_t offset = 0;
  };
  struct Kernel {
    std::string name;
    bool handshake = false;  // ap_ctrl_hs or ap_ctrl_chain
    std::vector<Argument> arguments;
    std::vector<std::string> compute_units;  // "kan_kernel:kan_kernel_1"
  };
  std::string uuid;
  std::string platform;
  std::vector<Kernel> kernels;
};

/// Does the xclbin hold what the bundle says and this program drives: kernel, arguments with their numbers
/// and registers, compute units, platform? The error names what was expected.
[[nodiscard]] Result<void> check_image(const ImageFacts& facts, const kan::CardImage& image);

/// Immutable.
class Image {
 public:
  /// Needs no card. `bytes` is the whole xclbin.
  [[nodiscard]] static DeviceResult<Image> parse(const std::string& bytes);
  [[nodiscard]] const ImageFacts& facts() const noexcept { return *facts_; }

  struct Handle;
  [[nodiscard]] const Handle& handle() const noexcept { return *handle_; }

 private:
  Image(std::shared_ptr<const Handle> handle, std::shared_ptr<const ImageFacts> facts)
      : handle_(std::move(handle)), facts_(std::move(facts)) {}
  std::shared_ptr<const Handle> handle_;
  std::shared_ptr<const ImageFacts> facts_;
};

}  // namespace kantrig::card_host
