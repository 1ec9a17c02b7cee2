// RequestHandler: kantrig.v1.ControlRequest in, ControlReply out, and the Controller between.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/card_status.hpp"
#include "control/controller.hpp"

namespace kantrig::control {

/// What only the daemon's program knows, for the status.
struct DaemonFigures {
  std::vector<std::string> endpoints;  // where events are taken
  std::uint64_t shadow_compared = 0;
  std::uint64_t shadow_class_disagreements = 0;
  std::uint64_t shadow_accept_disagreements = 0;
  std::vector<CardStatus> cards{};
};

/// Threading: owned by the control thread; outlives every reply.
class RequestHandler {
 public:
  using Reply = std::function<void(std::string bytes)>;

  /// `set_route` sends batches another way; it may be empty where there are no cards.
  RequestHandler(Controller& controller, std::function<DaemonFigures()> figures,
                 std::function<void(backend::Route)> set_route = {});

  /// Decodes, runs and answers one request, now or when it is done. What cannot be read is answered too.
  void handle(std::string_view request, Reply reply);

  /// The reply to a request that is not even looked at.
  [[nodiscard]] static std::string refusal(std::string_view message);

 private:
  void route_cards(std::string_view name, const Reply& reply);
  [[nodiscard]] DaemonFigures figures() const;

  Controller& controller_;
  std::function<DaemonFigures()> figures_;
  std::function<void(backend::Route)> set_route_;
};

}  // namespace kantrig::control
