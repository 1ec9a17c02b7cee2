// ThreadTeam: a few threads that run numbered tasks together, thousands of times a second.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace kantrig::train {

/// Which thread runs which task is not fixed; that results do not depend on it is the tasks' business.
///
/// Threading: owned by one thread, which works along.
class ThreadTeam {
 public:
  explicit ThreadTeam(std::size_t threads);
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  /// Runs task(0) .. task(count - 1), each once; returns when all are done. Tasks must not throw.
  void run(std::size_t count, const std::function<void(std::size_t)>& task);

 private:
  void serve();
  void work(const std::function<void(std::size_t)>& task, std::size_t count);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::uint64_t round_ = 0;  // guarded by mutex_, as what follows
  std::size_t busy_ = 0;     // threads that have not finished the round
  bool stop_ = false;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  const std::function<void(std::size_t)>* task_ = nullptr;
  std::vector<std::thread> threads_;
};

}  // namespace kantrig::train
