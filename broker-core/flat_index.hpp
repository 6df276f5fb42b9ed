// A flat hash table from a 64-bit hash to a small value: the index of things that know their own key. The
// table keeps the hash only; the caller says whether a candidate is the one meant. One slot is looked at on
// nearly every find. Not here: keys, ownership. Open addressing, linear probing, at most three quarters full;
// erasing leaves no tombstones. The price of being flat: the insert that doubles the table moves every slot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace wake::broker {

/// Mixes two words into one by the halves of their 128-bit product.
inline std::uint64_t mix_hash(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD1B54A32D192ED03u);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// A hash of any text, the same in every build on a little-endian machine. `seed` unknown to clients keeps
/// them from choosing texts that collide.
inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  const auto word_at = [&](std::size_t at, std::size_t bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, bytes);
    return word;
  };
  std::uint64_t hash = mix_hash(seed, text.size());
  std::size_t at = 0;
  for (; text.size() - at > 16; at += 16) hash = mix_hash(word_at(at, 8) ^ hash, word_at(at + 8, 8));
  const std::size_t left = text.size() - at;
  if (left >= 8) return mix_hash(word_at(at, 8) ^ hash, word_at(text.size() - 8, 8));
  return mix_hash(hash, left == 0 ? 0 : word_at(at, left));
}

template <class Value>
class FlatIndex {
  static_assert(std::is_trivially_copyable_v<Value>);

 public:
  std::size_t size() const { return size_; }
  /// Bytes of the table itself.
  std::size_t table_bytes() const { return slots_.capacity() * sizeof(Slot); }

  /// The value under `hash` that `is_meant(value)` accepts, or null. Valid until the next insert or erase.
  template <class IsMeant>
  Value* find(std::uint64_t hash, IsMeant&& is_meant) {
    return const_cast<Value*>(std::as_const(*this).find(hash, is_meant));
  }
  template <class IsMeant>
  const Value* find(std::uint64_t hash, IsMeant&& is_meant) const {
    if (slots_.empty()) return nullptr;
    hash = used(hash);
    for (std::size_t at = hash & mask(); slots_[at].hash != 0; at = (at + 1) & mask()) {
      if (slots_[at].hash == hash && is_meant(slots_[at].value)) return &slots_[at].value;
    }
    return nullptr;
  }

  /// Asks for the slot of `hash` to be brought near; the find comes later.
  void prefetch(std::uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[used(hash) & mask()]);
  }

  /// The caller has made sure that the value is not there yet.
  void insert(std::uint64_t hash, Value value) {
    if ((size_ + 1) * 4 > slots_.size() * 3) resize(slots_.empty() ? kSmallest : slots_.size() * 2);
    place({used(hash), value});
    ++size_;
  }

  template <class IsMeant>
  bool erase(std::uint64_t hash, IsMeant&& is_meant) {
    Value* found = find(hash, is_meant);
    if (!found) return false;
    const auto offset =
        reinterpret_cast<const char*>(found) - reinterpret_cast<const char*>(&slots_[0].value);
    close_gap(static_cast<std::size_t>(offset) / sizeof(Slot));
    --size_;
    if (slots_.size() > kSmallest && size_ * 8 < slots_.size()) resize(slots_.size() / 2);
    return true;
  }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.hash != 0) visit(slot.value);
    }
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;  // 0: nothing here
    Value value{};
  };
  static constexpr std::size_t kSmallest = 8;

  static std::uint64_t used(std::uint64_t hash) { return hash == 0 ? 1 : hash; }
  std::size_t mask() const { return slots_.size() - 1; }

  void place(Slot slot) {
    std::size_t at = slot.hash & mask();
    while (slots_[at].hash != 0) at = (at + 1) & mask();
    slots_[at] = slot;
  }

  /// Moves up whatever was pushed past `gap` by what lay there.
  void close_gap(std::size_t gap) {
    for (std::size_t at = (gap + 1) & mask(); slots_[at].hash != 0; at = (at + 1) & mask()) {
      const std::size_t home = slots_[at].hash & mask();
      if (((at - home) & mask()) < ((at - gap) & mask())) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    slots_[gap] = Slot{};
  }

  void resize(std::size_t slot_count) {
    std::vector<Slot> old(slot_count);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.hash != 0) place(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace wake::broker
