// RequestHandler: kantrig.v1.ControlRequest in, ControlReply out, and the Controller between.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/controller.hpp"

namespace kantrig::control {

/// What only the daemon's program knows, for the status.
struct DaemonFigures {
  std::vector<std::string> endpoints;  // where events are taken
  std::uint64_t shadow_compared = 0;
  std::uint64_t shadow_class_disagreements = 0;
  std::uint64_t shadow_accept_disagreements = 0;
};

/// Threading: owned by the control thread; outlives every reply.
class RequestHandler {
 public:
  using Reply = std::function<void(std::string bytes)>;

  RequestHandler(Controller& controller, std::function<DaemonFigures()> figures);

  /// Decodes, runs and answers one request, now or when it is done. What cannot be read is answered too.
  void handle(std::string_view request, Reply reply);

  /// The reply to a request that is not even looked at.
  [[nodiscard]] static std::string refusal(std::string_view message);

 private:
  Controller& controller_;
  std::function<DaemonFigures()> figures_;
};

}  // namespace kantrig::control
