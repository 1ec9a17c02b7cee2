// How cards look: a table for people, JSON for scripts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "card_link/messages.hpp"

namespace kantrig::apps {

struct CardEntry {
  std::filesystem::path socket;
  card_link::Status status;
  std::string error;  // not empty: it did not answer
};

/// One line a card.
[[nodiscard]] std::string cards_text(const std::vector<CardEntry>& cards);
/// Everything known of one card.
[[nodiscard]] std::string card_text(const CardEntry& card);
[[nodiscard]] std::string cards_json(const std::vector<CardEntry>& cards);

}  // namespace kantrig::apps
