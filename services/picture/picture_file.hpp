// write_picture(): SVG text as a file, .svg or .png by the ending of its name.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace kantrig::picture {

/// A .png is drawn by rsvg-convert (Debian: librsvg2-bin), whose absence is an error that says so.
[[nodiscard]] Result<void> write_picture(const std::filesystem::path& path, const std::string& svg);

}  // namespace kantrig::picture
