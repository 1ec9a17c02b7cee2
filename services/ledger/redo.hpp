// RedoRecord: many words of the ledger file changed at once, or none of them, whenever the process is killed.
#pragma once

#include <cstddef>

#include "base/assert.hpp"
#include "base/shared_word.hpp"
#include "ledger/layout.hpp"

namespace kantrig::ledger {

/// One change. Its new values are written down beside the data first, absolute ones; then the record is made
/// valid by one store; then the data are stored; then the record is made void by one store. Killed in
/// between, the next open() stores the same values again.
///
/// No word may be given twice: an addition reads the value before the change.
class RedoRecord {
 public:
  RedoRecord(Word* words, std::size_t record_word) noexcept : words_(words), record_(words + record_word) {}

  void set(std::size_t word, Word value) noexcept {
    Word* entry = record_ + redo::kEntriesWord + 2 * count_;
    base::store_release(entry[0], word);
    base::store_release(entry[1], value);
    ++count_;
  }
  /// Adds to a word. Adding 0 costs no entry, and no branch: the next entry takes its place.
  void add(std::size_t word, Word n) noexcept {
    Word* entry = record_ + redo::kEntriesWord + 2 * count_;
    base::store_release(entry[0], word);
    base::store_release(entry[1], words_[word] + n);
    count_ += n != 0 ? 1 : 0;
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

  /// The change happens, as of one moment for readers under `lock`.
  void commit(base::SequenceLock& lock) noexcept {
    KANTRIG_ASSERT(count_ <= redo::kEntriesMax);
    base::store_release(record_[redo::kCountWord], count_);
    lock.begin_write();
    store(words_, record_, count_);
    lock.end_write();
    base::store_release(record_[redo::kCountWord], 0);
  }

  /// Finishes a change that was cut short. Precondition: is_valid().
  static void finish(Word* words, std::size_t record_word) noexcept {
    Word* record = words + record_word;
    store(words, record, record[redo::kCountWord]);
    base::store_release(record[redo::kCountWord], 0);
  }
  /// Whether the record in a file names only words that may change, and none of its own.
  [[nodiscard]] static bool is_valid(const Word* words, const Layout& layout) noexcept {
    const Word* record = words + layout.redo_word;
    const Word count = record[redo::kCountWord];
    if (count > redo::kEntriesMax) return false;
    for (std::size_t i = 0; i < count; ++i) {
      const Word word = record[redo::kEntriesWord + 2 * i];
      const bool in_header = word >= header::kOpenSlotWord && word < header::kEnd;
      const bool in_data = word >= layout.sum_word && word < layout.rings_word;
      if (!in_header && !in_data) return false;
    }
    return true;
  }

 private:
  static void store(Word* words, const Word* record, std::size_t count) noexcept {
    const Word* entry = record + redo::kEntriesWord;
    for (std::size_t i = 0; i < count; ++i, entry += 2) base::store_release(words[entry[0]], entry[1]);
  }

  Word* words_;
  Word* record_;
  std::size_t count_ = 0;
};

}  // namespace kantrig::ledger
