// Card: one emulated card in this process, as the driver would keep it: what it is programmed with, its
// memory and buffers, who may use which compute unit. hal.cpp is XRT's way to it.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "card/emulated/compute_unit.hpp"
#include "card/emulated/fabric.hpp"
#include "card/emulated/memory.hpp"
#include "card/emulated/state.hpp"

namespace kantrig::emulated {

inline constexpr unsigned kVirtualUnit = 0xFFFF'FFFF;  // contexts that are of no unit

/// What an xclbin makes of a card. Goes whole when another one comes.
struct Programmed {
  std::string uuid;  // 16 bytes; empty after a reset. Guarded by the card's mutex.
  std::shared_ptr<Memory> memory;
  std::unique_ptr<Fabric> fabric;
  std::vector<std::unique_ptr<ComputeUnit>> units;  // in XRT's order
};

/// A buffer object: pages of the host, and for all but command buffers as many bytes of the card's memory.
struct Buffer {
  std::uint64_t bytes = 0;
  std::uint32_t flags = 0;
  std::uint64_t address = 0;  // in the card; 0 for command buffers
  std::byte* host = nullptr;
  bool own_pages = false;
  std::shared_ptr<Memory> memory;  // null for command buffers

  ~Buffer();
};

/// One opening of the card.
struct Opening {
  std::shared_ptr<Completions> completions = std::make_shared<Completions>();
  std::map<unsigned, unsigned> contexts;  // by compute unit: how many of them this opening holds
};

/// A lock between processes on a file; without a folder, none.
class ProcessLock {
 public:
  explicit ProcessLock(const std::filesystem::path& file);
  ~ProcessLock();
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;
  /// False when another process holds it otherwise.
  [[nodiscard]] bool take(bool shared) const noexcept;
  void release() const noexcept;

 private:
  int fd_ = -1;
};

/// Threading: any thread. Answers are 0 or a negative errno, as of the driver.
class Card {
 public:
  Card(const std::filesystem::path& folder, unsigned index);
  ~Card();
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;

  [[nodiscard]] State& state() noexcept { return state_; }
  [[nodiscard]] bool dead() const noexcept { return state_.armed(Fault::kDie); }

  [[nodiscard]] Opening* open();
  void close(Opening* opening);

  /// Programs the card unless it is already programmed with this file.
  [[nodiscard]] int program(std::string_view file);
  void reset();

  [[nodiscard]] int open_context(Opening& opening, std::string_view uuid, unsigned unit, bool shared);
  [[nodiscard]] int close_context(Opening& opening, unsigned unit);

  /// `pages` null: own ones. 0: no memory, or the card is lost.
  [[nodiscard]] std::uint32_t allocate(void* pages, std::uint64_t bytes, std::uint32_t flags);
  void free(std::uint32_t handle);
  [[nodiscard]] std::shared_ptr<Buffer> buffer(std::uint32_t handle) const;
  [[nodiscard]] int sync(std::uint32_t handle, bool to_card, std::uint64_t bytes, std::uint64_t offset) const;

  [[nodiscard]] int execute(Opening& opening, std::uint32_t handle);
  /// 1 after a completion, 0 after `ms`.
  [[nodiscard]] int wait(Opening& opening, int ms);

  [[nodiscard]] int read_register(unsigned unit, std::uint32_t offset, std::uint32_t& value) const;
  [[nodiscard]] int write_register(unsigned unit, std::uint32_t offset, std::uint32_t value) const;
  [[nodiscard]] int notify(unsigned unit, int event_fd) const;

 private:
  [[nodiscard]] bool is_programmed_with(std::string_view uuid) const;
  [[nodiscard]] int check_before_programming(std::string_view uuid) const;
  [[nodiscard]] int wait_while_programming(std::string_view uuid);
  [[nodiscard]] int take_unit(unsigned unit, bool shared);
  void release_unit(unsigned unit);
  [[nodiscard]] std::shared_ptr<Programmed> programmed() const;
  [[nodiscard]] ComputeUnit* unit_for(const Programmed& programmed, std::uint64_t mask) const;
  void watch();

  State state_;
  ProcessLock contexts_lock_;
  std::map<unsigned, std::unique_ptr<ProcessLock>> unit_locks_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::mutex programming_;  // one load at a time
  std::shared_ptr<Programmed> programmed_;
  std::shared_ptr<Memory> memory_;
  std::set<Opening*> openings_;
  std::map<unsigned, unsigned> context_counts_;  // of all openings
  std::set<unsigned> exclusive_;
  std::map<std::uint32_t, std::shared_ptr<Buffer>> buffers_;
  std::uint32_t next_handle_ = 1;
  std::uint32_t resets_seen_ = 0;
  bool quit_ = false;
  std::thread watcher_;
};

}  // namespace kantrig::emulated
