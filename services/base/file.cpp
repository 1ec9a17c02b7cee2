#include "base/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace kantrig::base {
namespace {

/// Owns a file descriptor for the length of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> system_error(const std::filesystem::path& path, std::string_view action) {
  const int code = errno;
  return fail(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: cannot {}: {}", path.string(),
              action, std::strerror(code));
}

Result<void> write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(path, "write");
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return system_error(path, "open");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error(path, "read");
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kInvalid, "{}: expected a regular file", path.string());
  if (static_cast<std::size_t>(info.st_size) > bytes_max) {
    return fail(ErrorCode::kInvalid, "{}: has {} bytes, expected at most {}", path.string(), info.st_size,
                bytes_max);
  }
  std::string content(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::read(fd.get(), content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(path, "read");
    if (n == 0) break;  // shorter than it said: somebody truncates it
    done += static_cast<std::size_t>(n);
  }
  content.resize(done);
  return content;
}

Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::path temporary = path;
  temporary += ".new";
  {
    const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (fd.get() < 0) return system_error(temporary, "create");
    if (auto written = write_all(fd.get(), content, temporary); !written) {
      ::unlink(temporary.c_str());
      return written;
    }
    if (::fsync(fd.get()) != 0) return system_error(temporary, "sync");
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error(path, "rename into place");
  return {};
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path, std::size_t bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (fd.get() < 0) return system_error(path, "open");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error(path, "read");
  const bool created = info.st_size == 0;
  if (!created && static_cast<std::size_t>(info.st_size) != bytes) {
    return fail(ErrorCode::kCorrupt, "{}: has {} bytes, expected {}", path.string(), info.st_size, bytes);
  }
  if (const int code = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes)); code != 0) {
    if (created) ::unlink(path.c_str());
    return fail(ErrorCode::kIo, "{}: cannot reserve {} bytes: {}", path.string(), bytes, std::strerror(code));
  }
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return system_error(path, "map");
  return MappedFile(static_cast<std::byte*>(data), bytes, created);
}

MappedFile::MappedFile(std::byte* data, std::size_t bytes, bool created) noexcept
    : data_(data), bytes_(bytes), created_(created) {}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      created_(other.created_) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(created_, other.created_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

Result<void> MappedFile::sync() const {
  if (::msync(data_, bytes_, MS_SYNC) != 0) {
    return fail(ErrorCode::kIo, "cannot sync a mapped file: {}", std::strerror(errno));
  }
  return {};
}

}  // namespace kantrig::base
