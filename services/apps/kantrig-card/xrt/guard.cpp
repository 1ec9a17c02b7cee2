#include "apps/kantrig-card/xrt/guard.hpp"

#include <cerrno>
#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>

namespace kantrig::card_host {
namespace {

/// XRT says some things by text alone; all of these are std::runtime_error.
bool is_about_setup(std::string_view message) noexcept {
  for (const std::string_view text : {"XILINX_XRT", "No such library", "Failed to open library",
                                      "shim library", "cannot open shared object"}) {
    if (message.find(text) != std::string_view::npos) return true;
  }
  return false;
}

FaultKind kind_of_text(std::string_view message, int error) noexcept {
  if (is_about_setup(message)) return FaultKind::kNotSetUp;
  if (error != 0) return kind_of(error);
  if (message.find("Could not open device") != std::string_view::npos) return FaultKind::kLost;
  if (message.find("No such device") != std::string_view::npos) return FaultKind::kLost;
  return FaultKind::kRefused;  // XRT itself, before it asked the device
}

Fault told(std::string_view doing, FaultKind kind, int error, std::string_view what) {
  return {kind, error, fmt::format("{}: {}", doing, what)};
}

}  // namespace

Fault current_fault(std::string_view doing) noexcept {
  try {
    throw;
  } catch (const std::system_error& e) {
    const int error = e.code().value() < 0 ? -e.code().value() : e.code().value();
    if (error == 0) return told(doing, kind_of_text(e.what(), 0), 0, e.what());
    return told(doing, kind_of(error), error, e.what());
  } catch (const std::bad_alloc& e) {
    return told(doing, FaultKind::kMemory, ENOMEM, e.what());
  } catch (const std::logic_error& e) {  // out_of_range: a register or index that this xclbin does not have
    return told(doing, FaultKind::kRefused, 0, e.what());
  } catch (const std::exception& e) {
    const int error = errno_in(e.what());
    return told(doing, kind_of_text(e.what(), error), error, e.what());
  } catch (...) {
    return told(doing, FaultKind::kIo, 0, "XRT threw something that is no exception");
  }
}

}  // namespace kantrig::card_host
