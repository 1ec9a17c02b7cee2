#include "card/emulated/fabric.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace kantrig::emulated {
namespace {

/// A file in memory with these bytes.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("kantrig-fabric", MFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error(std::string("memfd_create: ") + std::strerror(errno));
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) {
        ::close(fd_);
        throw std::runtime_error(std::string("cannot copy the fabric into memory: ") + std::strerror(errno));
      }
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  /// Another text for every file, although the numbers of descriptors come again: the dynamic loader knows
  /// libraries by name first.
  [[nodiscard]] std::string path() const {
    static std::atomic<std::uint32_t> files{0};
    std::string path = "/proc/self/fd/";
    for (std::uint32_t bits = files.fetch_add(1); bits != 0; bits >>= 1U)
      path += (bits & 1U) != 0 ? "./" : "/";
    return path + std::to_string(fd_);
  }

 private:
  int fd_;
};

}  // namespace

template <typename Function>
void Fabric::look_up(Function*& function, const char* name) const {
  function = reinterpret_cast<Function*>(::dlsym(handle_, name));
  if (function == nullptr) {
    ::dlclose(handle_);
    throw std::runtime_error(std::string("the fabric has no ") + name);
  }
}

Fabric::Fabric(std::string_view bitstream) {
  if (!bitstream.starts_with("\x7F"
                             "ELF")) {
    throw std::runtime_error(
        "the bitstream is no simulated kernel, expected an xclbin of `kanc pack --platform emulated`");
  }
  const MemoryFile file(bitstream);
  handle_ = ::dlopen(file.path().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* const why = ::dlerror();
    throw std::runtime_error(why != nullptr ? why : "dlopen");
  }
  kantrig_kernel_describe_fn* describe = nullptr;
  look_up(describe, KANTRIG_KERNEL_DESCRIBE);
  if (describe()->abi_version != KANTRIG_KERNEL_ABI_VERSION) {
    ::dlclose(handle_);
    throw std::runtime_error("the simulated kernel is of another version; pack the bundle again (kanc pack)");
  }
  look_up(create_, KANTRIG_KERNEL_CREATE);
  look_up(destroy, KANTRIG_KERNEL_DESTROY);
  look_up(reset, KANTRIG_KERNEL_RESET);
  look_up(read, KANTRIG_KERNEL_READ);
  look_up(write, KANTRIG_KERNEL_WRITE);
  look_up(run, KANTRIG_KERNEL_RUN);
  look_up(interrupt, KANTRIG_KERNEL_INTERRUPT);
  look_up(idle, KANTRIG_KERNEL_IDLE);
}

Fabric::~Fabric() {
  ::dlclose(handle_);
}

}  // namespace kantrig::emulated
