#include "broker-core/session/outbound.hpp"

#include <algorithm>
#include <cassert>

namespace wake::broker {

void Outbound::append(Bytes bytes) {
  own_.insert(own_.end(), bytes.begin(), bytes.end());
  own_bytes_written();
}

void Outbound::append_shared(const SharedBytes& bytes, std::size_t offset) {
  if (bytes->size() - offset < kShareFrom) {
    append(Bytes(*bytes).subspan(offset));
    return;
  }
  own_bytes_written();
  pieces_.push_back({bytes, offset, bytes->size() - offset});
  size_ += bytes->size() - offset;
}

void Outbound::own_bytes_written() {
  const std::size_t added = own_.size() - own_taken_;
  if (added == 0) return;
  const bool extends = pieces_.size() > first_ && !pieces_.back().shared &&
                       pieces_.back().offset + pieces_.back().length == own_taken_;
  if (extends) {
    pieces_.back().length += added;
  } else {
    pieces_.push_back({nullptr, own_taken_, added});
  }
  own_taken_ = own_.size();
  size_ += added;
}

std::size_t Outbound::gather(Bytes* pieces, std::size_t capacity) const {
  const std::size_t count = std::min(capacity, pieces_.size() - first_);
  for (std::size_t i = 0; i < count; ++i) {
    const Piece& piece = pieces_[first_ + i];
    const std::byte* base = piece.shared ? piece.shared->data() : own_.data();
    pieces[i] = Bytes(base + piece.offset, piece.length);
  }
  return count;
}

void Outbound::consume(std::size_t bytes) {
  assert(bytes <= size_);
  size_ -= bytes;
  while (bytes > 0) {
    Piece& piece = pieces_[first_];
    const std::size_t taken = std::min(bytes, piece.length);
    piece.offset += taken;
    piece.length -= taken;
    bytes -= taken;
    if (piece.length > 0) break;
    piece.shared.reset();
    ++first_;
  }
  if (size_ == 0) {
    clear();
  } else if (first_ > 64 && first_ * 2 > pieces_.size()) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  // The written front of own_ goes once it is the larger half.
  if (size_ > 0 && own_.size() > 65536) {
    const auto oldest = std::find_if(pieces_.begin() + static_cast<std::ptrdiff_t>(first_), pieces_.end(),
                                     [](const Piece& piece) { return !piece.shared; });
    const std::size_t dead = oldest == pieces_.end() ? own_.size() : oldest->offset;
    if (dead * 2 > own_.size()) {
      own_.erase(own_.begin(), own_.begin() + static_cast<std::ptrdiff_t>(dead));
      for (auto piece = oldest; piece != pieces_.end(); ++piece) {
        if (!piece->shared) piece->offset -= dead;
      }
      own_taken_ -= dead;
    }
  }
}

void Outbound::clear() {
  // Memory is given back when idle; a busy connection keeps a little so that the steady path does not
  // allocate.
  constexpr std::size_t kKeep = 4096;
  own_.clear();
  if (own_.capacity() > kKeep) own_.shrink_to_fit();
  pieces_.clear();
  if (pieces_.capacity() > 64) pieces_.shrink_to_fit();
  first_ = own_taken_ = size_ = 0;
}

}  // namespace wake::broker
