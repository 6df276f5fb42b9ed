// The bytes a connection still has to write: small packets copied one behind the other, large payloads shared
// by reference. The shell gathers them for one writev and says how much was taken. Not thread-safe; holds
// memory only while not empty.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::broker {

/// An encoded packet that many connections share.
using SharedBytes = std::shared_ptr<const std::vector<std::byte>>;

class Outbound {
 public:
  /// Below this, copying costs less than another piece in the writev.
  static constexpr std::size_t kShareFrom = 2048;

  void append(Bytes bytes);
  void append_shared(const SharedBytes& bytes, std::size_t offset = 0);
  /// For write(packet, version, vector): appends to the end of the vector returned. Call own_bytes_written()
  /// afterwards.
  std::vector<std::byte>& own_bytes() { return own_; }
  void own_bytes_written();

  std::size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }
  /// Fills at most `capacity` pieces, oldest first; returns how many.
  std::size_t gather(Bytes* pieces, std::size_t capacity) const;
  /// The first `bytes` bytes are written.
  void consume(std::size_t bytes);
  void clear();

 private:
  struct Piece {
    SharedBytes shared;      // null: bytes of own_
    std::size_t offset = 0;  // of what is left, in shared or in own_
    std::size_t length = 0;
  };
  std::vector<std::byte> own_;
  std::vector<Piece> pieces_;
  std::size_t first_ = 0;      // pieces before it are written
  std::size_t own_taken_ = 0;  // bytes of own_ that belong to pieces
  std::size_t size_ = 0;
};

}  // namespace wake::broker
