// A card's process as kantrigd sees it, in a thread: listens, greets, loads what it was given, serves rings,
// and can be told to do all that badly.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "card_link/messages.hpp"
#include "card_link/packet_socket.hpp"
#include "support/test_card.hpp"

namespace kantrig::test {

class TestCardProcess {
 public:
  explicit TestCardProcess(std::filesystem::path socket);
  ~TestCardProcess();

  /// Models by bundle folder. Another folder is refused.
  void add_bundle(const std::string& folder, const kan::Model& model);
  /// How many models fit at once; loading one more evicts the oldest that is not to be kept, or is.
  void set_room(std::size_t models) { room_ = models; }

  /// Ends the process as SIGKILL does, mid-slot or not: its socket closes, its memory is unmapped.
  void kill();
  void start();
  /// Says that the device has gone or is back, as after a fault.
  void set_present(bool present) { present_ = present; }
  /// No heartbeat, no slot, no answer, while the socket stays open.
  void set_hung(bool hung) { hung_ = hung; }
  void set_garbage(bool garbage) { garbage_ = garbage; }      // answers Hello with bytes that are no message
  void set_refusing(bool refusing) { refusing_ = refusing; }  // answers Hello with a refusal
  void set_swallowing(bool swallowing) { swallowing_ = swallowing; }  // never answers Load
  void set_wrong_layout(bool wrong) { wrong_layout_ = wrong; }  // answers Load with a layout of another model
  void set_fault(CardFault fault) { card_.fault = fault; }
  void set_golden_events(std::uint32_t events) { card_.golden_events = events; }  // before start()

  [[nodiscard]] std::uint64_t joins() const { return joins_; }
  [[nodiscard]] std::uint64_t loads() const { return loads_; }
  [[nodiscard]] std::uint64_t slots() const { return slots_; }
  [[nodiscard]] std::uint64_t repeated_load_ids() const { return repeated_load_ids_; }
  [[nodiscard]] std::vector<std::uint64_t> last_keep() const {
    const std::scoped_lock lock(mutex_);
    return last_keep_;
  }

 private:
  struct Link {
    card_link::PacketSocket socket;
    std::shared_ptr<card_link::Region> region;
    std::optional<card_link::Doorbell> bell;
    std::vector<std::unique_ptr<card_link::CardPort>> ports;
  };
  void run();
  void serve();
  void accept();
  bool read();
  void greet(const card_link::Hello& hello, card_link::Packet& packet);
  void load(const card_link::Load& load);
  void tell_state();
  [[nodiscard]] card_link::StateChange state() const;

  std::filesystem::path socket_;
  mutable std::mutex mutex_;
  std::map<std::string, kan::Model> bundles_;
  std::vector<std::uint64_t> last_keep_;
  std::atomic<bool> stop_{false}, present_{true}, hung_{false}, garbage_{false}, refusing_{false};
  std::atomic<bool> swallowing_{false}, wrong_layout_{false};
  std::atomic<std::uint64_t> joins_{0}, loads_{0}, slots_{0}, repeated_load_ids_{0}, room_{2};
  TestCard card_;

  // The thread's own.
  std::optional<card_link::Listener> listener_;
  std::optional<Link> link_;
  std::vector<std::uint64_t> loaded_;  // the oldest first
  std::uint64_t highest_load_id_ = 0;
  bool told_present_ = true;
  std::thread thread_;
};

}  // namespace kantrig::test
