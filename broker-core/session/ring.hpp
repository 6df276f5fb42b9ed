// A queue in one block of memory that takes none while empty at birth, with access by position from the
// front. std::deque costs over 500 bytes when empty, and every session has several.
#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>

namespace wake::broker {

template <class T>
class Ring {
 public:
  Ring() = default;
  Ring(Ring&& other) noexcept { swap(other); }
  Ring& operator=(Ring&& other) noexcept {
    swap(other);
    return *this;
  }

  std::size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return slots_[(first_ + i) & (capacity_ - 1)]; }
  const T& operator[](std::size_t i) const { return slots_[(first_ + i) & (capacity_ - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }

  void push_back(T value) {
    if (size_ == capacity_) grow();
    ++size_;
    back() = std::move(value);
  }
  void pop_front() {
    assert(size_ > 0);
    front() = T{};
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
    if (size_ == 0 && capacity_ > kKeep) release();
  }
  void pop_back() {
    assert(size_ > 0);
    back() = T{};
    --size_;
  }
  void clear() {
    while (size_ > 0) pop_front();
    release();
  }

 private:
  static constexpr std::size_t kKeep = 64;  // a larger block is given back when the ring runs empty

  void grow() {
    const std::size_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
    auto slots = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) slots[i] = std::move((*this)[i]);
    slots_ = std::move(slots);
    first_ = 0;
    capacity_ = capacity;
  }
  void release() {
    slots_.reset();
    first_ = capacity_ = 0;
  }
  void swap(Ring& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  std::unique_ptr<T[]> slots_;
  std::size_t first_ = 0, size_ = 0, capacity_ = 0;  // capacity_ is a power of two
};

}  // namespace wake::broker
