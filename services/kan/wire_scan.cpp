#include "kan/wire_scan.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <map>

namespace kantrig::kan {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using Stream = google::protobuf::io::CodedInputStream;

bool wire_type_fits(std::uint32_t tag, const FieldDescriptor& field) {
  const auto found = WireFormatLite::GetTagWireType(tag);
  if (field.is_packable() && found == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) return true;
  return found == WireFormatLite::WireTypeForFieldType(static_cast<WireFormatLite::FieldType>(field.type()));
}

/// Reads one message up to the limit that is set on `stream`. The depth is that of the types, which is fixed.
Result<void> scan_message(Stream& stream, const Descriptor& type) {
  std::map<int, std::uint32_t> occurrences;
  const auto garbled = [&] { return fail(ErrorCode::kCorrupt, "{} is cut off or garbled", type.name()); };
  while (const std::uint32_t tag = stream.ReadTag()) {
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    const FieldDescriptor* const field = type.FindFieldByNumber(number);
    if (field == nullptr) return fail(ErrorCode::kCorrupt, "{} has no field {}", type.name(), number);
    if (!wire_type_fits(tag, *field)) return garbled();
    if (field->message_type() == nullptr) {
      if (!WireFormatLite::SkipField(&stream, tag)) return garbled();
      continue;
    }
    if (++occurrences[number] > kRepeatedMessagesMax) {
      return fail(ErrorCode::kCorrupt, "{}.{} occurs more than {} times", type.name(), field->name(),
                  kRepeatedMessagesMax);
    }
    int length = 0;
    if (!stream.ReadVarintSizeAsInt(&length) || length > stream.BytesUntilLimit()) return garbled();
    const Stream::Limit outer = stream.PushLimit(length);
    if (auto ok = scan_message(stream, *field->message_type()); !ok) return ok;
    stream.PopLimit(outer);
  }
  if (stream.BytesUntilLimit() != 0) return garbled();
  return {};
}

}  // namespace

Result<void> scan_wire(std::string_view bytes, const Descriptor& type) {
  if (bytes.empty()) return {};
  Stream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  stream.PushLimit(static_cast<int>(bytes.size()));
  return scan_message(stream, type);
}

}  // namespace kantrig::kan
