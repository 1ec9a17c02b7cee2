#include "control/request_handler.hpp"

#include <utility>

#include "base/build_info.hpp"
#include "kantrig/v1/control.pb.h"
#include "wire/messages.hpp"

namespace kantrig::control {
namespace {

void send(const RequestHandler::Reply& reply, v1::ControlReply message) {
  message.set_protocol_version(wire::kProtocol);
  reply(message.SerializeAsString());
}

void send_error(const RequestHandler::Reply& reply, std::string_view error) {
  v1::ControlReply message;
  message.set_error(std::string(error));
  send(reply, std::move(message));
}

void write(const ModelInfo& info, v1::ModelStatus& into) {
  into.set_name(info.name);
  if (info.digest) into.set_digest(info.digest->hex());
  into.set_state(std::string(name_of(info.state)));
  into.set_reason(info.reason);
  into.set_generation(info.generation.value);
}

void write(const ledger::Counts& counts, v1::Counts& into) {
  into.set_received(counts.received);
  into.set_accepted(counts.accepted);
  into.set_rejected(counts.rejected);
  into.set_duplicate(counts.duplicate);
  into.set_malformed(counts.malformed);
  into.set_refused(counts.refused);
  into.set_in_flight(counts.in_flight);
  into.set_residual(counts.residual());
}

void write_lines(const Status& status, google::protobuf::RepeatedPtrField<v1::LineStatus>& into) {
  if (!status.menu) return;
  const auto lines = status.menu->lines();
  for (std::size_t l = 0; l < lines.size(); ++l) {
    v1::LineStatus& line = *into.Add();
    line.set_name(lines[l].name);
    line.set_kind(lines[l].kind == menu::LineKind::kVeto ? "veto" : "accept");
    line.set_prescale(lines[l].prescales[status.column]);
    if (l >= status.lines.size()) continue;
    line.set_before_prescale(status.lines[l].before_prescale);
    line.set_after_prescale(status.lines[l].after_prescale);
    line.set_after_veto(status.lines[l].after_veto);
  }
}

double seconds(std::uint64_t ns) {
  return static_cast<double>(ns) * 1e-9;
}

void add(std::string_view name, std::uint64_t count,
         google::protobuf::RepeatedPtrField<v1::NamedCount>& into) {
  v1::NamedCount& entry = *into.Add();
  entry.set_name(std::string(name));
  entry.set_count(count);
}

void write(const CardStatus& status, v1::CardLinkStatus& into) {
  const CardFigures& figures = status.figures;
  into.set_socket(figures.socket);
  into.set_device(figures.device);
  into.set_breaker(std::string(name_of(figures.breaker)));
  into.set_reason(figures.reason);
  into.set_state(std::string(card_link::name_of(figures.card_state)));
  into.set_route(std::string(name_of_route(status.route)));
  into.set_batches(status.batches);
  into.set_events(status.events);
  into.set_slots(status.slots);
  into.set_slots_in_flight(status.slots_in_flight);
  into.set_taken_over_batches(status.taken_over_batches);
  into.set_taken_over_events(status.taken_over_events);
  into.set_passed_over_batches(status.passed_over_batches);
  into.set_canaries_passed(status.canaries_passed);
  into.set_canaries_failed(status.canaries_failed);
  into.set_cross_checked_events(status.cross_checked_events);
  into.set_cross_check_failures(status.cross_check_failures);
  into.set_joins(figures.joins);
  const std::vector<std::string> reasons = open_reasons();
  for (std::size_t i = 0; i < reasons.size(); ++i) add(reasons[i], figures.opened[i], *into.mutable_opened());
  for (std::size_t i = 1; i < std::size(figures.loads); ++i)
    add(card_link::name_of(static_cast<card_link::LoadKind>(i)), figures.loads[i], *into.mutable_loads());
  into.set_loads_failed(figures.loads_failed);
  if (figures.last_load_kind != card_link::LoadKind::kUnspecified)
    into.set_last_load_kind(std::string(card_link::name_of(figures.last_load_kind)));
  into.set_last_load_seconds(seconds(figures.last_load_ns));
  into.set_last_program_seconds(seconds(figures.last_program_ns));
  for (const std::uint32_t shard : status.shards) into.add_shards(shard);
}

void write(const Status& status, const DaemonFigures& figures, v1::StatusReply& into) {
  into.set_version(std::string(base::build_info().version));
  into.set_state(std::string(name_of(status.state)));
  into.set_start_time_ns(status.start_unix_ns);
  into.set_run(status.run.value);
  into.set_block(status.block.value);
  into.set_generation(status.generation.value);
  if (status.active) write(*status.active, *into.mutable_active());
  if (status.previous) write(*status.previous, *into.mutable_previous());
  if (status.shadow) write(*status.shadow, *into.mutable_shadow());
  if (status.menu) {
    into.set_menu_digest(status.menu->digest().hex());
    into.set_menu_column(status.menu->columns()[status.column]);
  }
  write(status.run_counts, *into.mutable_run_counts());
  write(status.total_counts, *into.mutable_total_counts());
  write_lines(status, *into.mutable_lines());
  into.set_backend(status.backend);
  into.set_kernel_set(status.kernel_set);
  into.set_shard_count(status.shard_count);
  into.set_lane_count(status.lane_count);
  into.set_live_seconds(seconds(status.live_ns));
  into.set_busy_seconds(seconds(status.busy_ns));
  into.set_paused_seconds(seconds(status.paused_ns));
  into.set_batches_total(status.batches_total);
  into.set_shadow_compared(figures.shadow_compared);
  into.set_shadow_class_disagreements(figures.shadow_class_disagreements);
  into.set_shadow_accept_disagreements(figures.shadow_accept_disagreements);
  for (const std::string& endpoint : figures.endpoints) into.add_endpoints(endpoint);
  for (const CardStatus& card : figures.cards) write(card, *into.add_cards());
}

void send_models(const Controller& controller, const RequestHandler::Reply& reply) {
  v1::ControlReply message;
  v1::ModelListReply& models = *message.mutable_models();
  for (const ModelInfo& info : controller.registry().list()) write(info, *models.add_models());
  send(reply, std::move(message));
}

void send_menu(const Controller& controller, const RequestHandler::Reply& reply) {
  const Status status = controller.status();
  if (!status.menu) return send_error(reply, "no menu is on: the daemon is starting; try again");
  v1::ControlReply message;
  v1::MenuReply& menu = *message.mutable_menu();
  menu.set_text(status.menu->text());
  menu.set_digest(status.menu->digest().hex());
  menu.set_column(status.menu->columns()[status.column]);
  for (const std::string& column : status.menu->columns()) menu.add_columns(column);
  write_lines(status, *menu.mutable_lines());
  send(reply, std::move(message));
}

/// Answers with the list of models, or the menu, as it is after the change; or with why there was none.
using SendState = void (*)(const Controller&, const RequestHandler::Reply&);
Done<void> then(const Controller& controller, RequestHandler::Reply reply, SendState send_state) {
  return [&controller, reply = std::move(reply), send_state](const Result<void>& result) {
    if (!result) return send_error(reply, result.error().message);
    send_state(controller, reply);
  };
}

void handle_model(Controller& controller, const v1::ModelAction& action, const RequestHandler::Reply& reply) {
  Done<void> done = then(controller, reply, send_models);
  switch (action.verb()) {
    case v1::ModelAction::VERB_LOAD:
      return controller.load(action.name(), std::move(done));
    case v1::ModelAction::VERB_ACTIVATE:
      return controller.activate(action.name(), std::move(done));
    case v1::ModelAction::VERB_ROLLBACK:
      return controller.rollback(std::move(done));
    case v1::ModelAction::VERB_SHADOW:
      return controller.shadow(action.name(), std::move(done));
    case v1::ModelAction::VERB_UNSHADOW:
      return controller.unshadow(std::move(done));
    case v1::ModelAction::VERB_UNLOAD:
      return done(controller.unload(action.name()));
    default:
      return send_error(reply, fmt::format("model: verb {} is unknown", static_cast<int>(action.verb())));
  }
}

void start_run(Controller& controller, const std::string& comment, const RequestHandler::Reply& reply) {
  controller.start_run(comment, [reply](const Result<RunNumber>& run) {
    if (!run) return send_error(reply, run.error().message);
    v1::ControlReply message;
    message.mutable_run()->set_run(run->value);
    send(reply, std::move(message));
  });
}

void stop_run(Controller& controller, const std::string& comment, const RequestHandler::Reply& reply) {
  controller.stop_run(comment, [reply](const Result<RunStopped>& stopped) {
    if (!stopped) return send_error(reply, stopped.error().message);
    v1::ControlReply message;
    message.mutable_run()->set_run(stopped->run.value);
    message.mutable_run()->set_record_path(stopped->record_path.string());
    message.mutable_run()->set_record_json(stopped->record_json);
    send(reply, std::move(message));
  });
}

}  // namespace

RequestHandler::RequestHandler(Controller& controller, std::function<DaemonFigures()> figures,
                               std::function<void(backend::Route)> set_route)
    : controller_(controller), figures_(std::move(figures)), set_route_(std::move(set_route)) {}

/// Answers with the cards as they are after the change.
void RequestHandler::route_cards(std::string_view name, const Reply& reply) {
  if (figures().cards.empty() || !set_route_)
    return send_error(reply, "this daemon has no cards: backend.kind and card.sockets name them");
  if (!name.empty()) {
    const auto route = parse_route(name);
    if (!route) return send_error(reply, route.error().message);
    set_route_(*route);
  }
  v1::ControlReply message;
  for (const CardStatus& card : figures().cards) write(card, *message.mutable_cards()->add_cards());
  send(reply, std::move(message));
}

DaemonFigures RequestHandler::figures() const {
  return figures_ ? figures_() : DaemonFigures{};
}

std::string RequestHandler::refusal(std::string_view message) {
  v1::ControlReply reply;
  reply.set_protocol_version(wire::kProtocol);
  reply.set_error(std::string(message));
  return reply.SerializeAsString();
}

void RequestHandler::handle(std::string_view request, Reply reply) {
  v1::ControlRequest message;
  if (!message.ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return send_error(reply, "the request is no kantrig.v1.ControlRequest");
  }
  if (message.protocol_version() != wire::kProtocol) {
    return send_error(
        reply, fmt::format("protocol version {}, expected {}: use the kantrig of the daemon's installation",
                           message.protocol_version(), wire::kProtocol));
  }
  switch (message.body_case()) {
    case v1::ControlRequest::kStatus: {
      v1::ControlReply status;
      write(controller_.status(), figures(), *status.mutable_status());
      return send(reply, std::move(status));
    }
    case v1::ControlRequest::kRunStart:
      return start_run(controller_, message.run_start().comment(), reply);
    case v1::ControlRequest::kRunStop:
      return stop_run(controller_, message.run_stop().comment(), reply);
    case v1::ControlRequest::kModelList:
      return send_models(controller_, reply);
    case v1::ControlRequest::kModel:
      return handle_model(controller_, message.model(), reply);
    case v1::ControlRequest::kMenuShow:
      return send_menu(controller_, reply);
    case v1::ControlRequest::kMenuLoad:
      return controller_.load_menu({message.menu_load().text(), message.menu_load().origin()},
                                   then(controller_, reply, send_menu));
    case v1::ControlRequest::kMenuColumn:
      return controller_.set_column(message.menu_column().column(), then(controller_, reply, send_menu));
    case v1::ControlRequest::kCardRoute:
      return route_cards(message.card_route().route(), reply);
    case v1::ControlRequest::BODY_NOT_SET:
      break;
  }
  send_error(reply, "the request asks for nothing that this daemon knows");
}

}  // namespace kantrig::control
