#include "pipeline/session_table.hpp"

#include <algorithm>
#include <bit>

namespace kantrig::pipeline {

SessionTable::SessionTable(std::uint32_t sessions_max)
    : sessions_(sessions_max), index_(std::bit_ceil(std::size_t{sessions_max} * 4)) {}

/// FNV-1a: identities are short, and those that libzmq makes differ in a counter.
std::size_t SessionTable::slot_of(const wire::Identity& identity) const noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::byte b : identity.bytes()) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3U;
  return static_cast<std::size_t>(hash ^ (hash >> 32)) & (index_.size() - 1);
}

Session* SessionTable::find(const wire::Identity& identity) noexcept {
  for (std::size_t slot = slot_of(identity); index_[slot] != 0; slot = (slot + 1) & (index_.size() - 1)) {
    Session& session = sessions_[index_[slot] - 1];
    if (session.identity == identity) return &session;
  }
  return nullptr;
}

Session* SessionTable::find_lane(SourceId source, LaneId lane) noexcept {
  for (Session& session : sessions_) {
    if (session.live && session.source == source && session.lane == lane) return &session;
  }
  return nullptr;
}

Session* SessionTable::open(const wire::Identity& identity, SourceId source, LaneId lane) noexcept {
  // A connection that speaks for another lane than before gives up the first.
  if (Session* same = find(identity); same != nullptr && !(same->source == source && same->lane == lane))
    close(*same);
  Session* session = find_lane(source, lane);
  if (session == nullptr) {
    const auto free = std::ranges::find_if(sessions_, [](const Session& s) { return !s.live; });
    if (free == sessions_.end()) return nullptr;
    session = &*free;
    ++live_count_;
  }
  session->identity = identity;
  session->source = source;
  session->lane = lane;
  session->live = true;
  session->drain_acknowledged = false;
  session->unsent_count = 0;
  session->unsent_bytes = 0;
  session->refused_unread = 0;
  rebuild_index();
  return session;
}

void SessionTable::close(Session& session) noexcept {
  if (!session.live) return;
  session.live = false;
  --live_count_;
  rebuild_index();
}

void SessionTable::rebuild_index() noexcept {
  std::ranges::fill(index_, 0U);
  for (std::uint32_t i = 0; i < sessions_.size(); ++i) {
    if (!sessions_[i].live) continue;
    std::size_t slot = slot_of(sessions_[i].identity);
    while (index_[slot] != 0) slot = (slot + 1) & (index_.size() - 1);
    index_[slot] = i + 1;
  }
}

}  // namespace kantrig::pipeline
