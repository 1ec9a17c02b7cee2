// Writes protobuf's wire format by hand where a generated message would copy the content twice. Internal to
// wire.
//
// A message is described once, as a template over its sink: with Sizer the description says how long the
// message is, with Writer it writes it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace kantrig::wire {

class Sizer {
 public:
  void varint(std::uint64_t value) noexcept {
    bytes_ += (static_cast<std::size_t>(std::bit_width(value | 1U)) + 6) / 7;
  }
  void raw(std::span<const std::byte> content) noexcept { bytes_ += content.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

/// Precondition: the room at `at` was measured with Sizer.
class Writer {
 public:
  explicit Writer(std::byte* at) noexcept : at_(at) {}
  void varint(std::uint64_t value) noexcept {
    while (value >= 0x80) {
      *at_++ = static_cast<std::byte>(value | 0x80);
      value >>= 7;
    }
    *at_++ = static_cast<std::byte>(value);
  }
  void raw(std::span<const std::byte> content) noexcept {
    if (!content.empty()) std::memcpy(at_, content.data(), content.size());
    at_ += content.size();
  }

 private:
  std::byte* at_;
};

template <typename Sink>
void put_number_always(Sink& sink, std::uint32_t field, std::uint64_t value) noexcept {
  sink.varint(std::uint64_t{field} << 3);  // wire type 0
  sink.varint(value);
}

/// Zero is proto3's default and takes no bytes.
template <typename Sink>
void put_number(Sink& sink, std::uint32_t field, std::uint64_t value) noexcept {
  if (value != 0) put_number_always(sink, field, value);
}

template <typename Sink>
void put_length(Sink& sink, std::uint32_t field, std::size_t bytes) noexcept {
  sink.varint((std::uint64_t{field} << 3) | 2U);
  sink.varint(bytes);
}

template <typename Sink>
void put_bytes(Sink& sink, std::uint32_t field, std::span<const std::byte> content) noexcept {
  if (content.empty()) return;
  put_length(sink, field, content.size());
  sink.raw(content);
}

template <typename Sink>
void put_text(Sink& sink, std::uint32_t field, std::string_view text) noexcept {
  put_bytes(sink, field, std::as_bytes(std::span(text)));
}

/// A sub-message; `describe(sink)` puts its fields.
template <typename Sink, typename Describe>
void put_message(Sink& sink, std::uint32_t field, const Describe& describe) noexcept {
  Sizer sizer;
  describe(sizer);
  put_length(sink, field, sizer.bytes());
  describe(sink);
}

/// Writes what `describe(sink)` puts. 0 when it does not fit.
template <typename Describe>
[[nodiscard]] std::size_t write_described(std::span<std::byte> out, const Describe& describe) noexcept {
  Sizer sizer;
  describe(sizer);
  if (sizer.bytes() > out.size()) return 0;
  Writer writer(out.data());
  describe(writer);
  return sizer.bytes();
}

}  // namespace kantrig::wire
