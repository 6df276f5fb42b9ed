#include "broker-core/flat_index.hpp"

#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace wake::broker {
namespace {

TEST(FlatIndex, AgreesWithASetThoughHashesCollideAndChainsWrapAround) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    FlatIndex<std::uint32_t> index;
    std::set<std::uint32_t> naive;
    // Four values share a hash, hashes lie side by side at the end of the table, and 0 is among them.
    const auto hash_of = [](std::uint32_t value) { return std::uint64_t{value / 4} - 3; };
    for (int round = 0; round < 5000; ++round) {
      const std::uint32_t value = random() % 200;
      const auto is_meant = [&](std::uint32_t candidate) { return candidate == value; };
      ASSERT_EQ(index.find(hash_of(value), is_meant) != nullptr, naive.contains(value));
      if (random() % 100 < (round < 2500 ? 60u : 35u)) {
        if (naive.insert(value).second) index.insert(hash_of(value), value);
      } else {
        ASSERT_EQ(index.erase(hash_of(value), is_meant), naive.erase(value) > 0);
      }
      ASSERT_EQ(index.size(), naive.size());
    }
    std::set<std::uint32_t> visited;
    index.for_each([&](std::uint32_t value) { visited.insert(value); });
    EXPECT_EQ(visited, naive);
  }
}

TEST(FlatIndex, GivesMemoryBack) {
  FlatIndex<std::uint32_t> index;
  for (std::uint32_t value = 0; value < 10'000; ++value) index.insert(mix_hash(value, 1), value);
  const std::size_t full_bytes = index.table_bytes();
  for (std::uint32_t value = 0; value < 10'000; ++value) {
    EXPECT_TRUE(index.erase(mix_hash(value, 1), [&](std::uint32_t candidate) { return candidate == value; }));
  }
  EXPECT_LT(index.table_bytes() * 100, full_bytes);
}

TEST(HashText, EveryByteLengthAndSeedCounts) {
  std::set<std::uint64_t> hashes;
  std::size_t expected = 0;
  for (std::size_t bytes = 0; bytes < 50; ++bytes) {
    hashes.insert(hash_text(std::string(bytes, 'a'), 0));
    hashes.insert(hash_text(std::string(bytes, 'a'), 1));
    expected += 2;
    for (std::size_t at = 0; at < bytes; ++at) {
      std::string changed(bytes, 'a');
      changed[at] = 'b';
      hashes.insert(hash_text(changed, 0));
      ++expected;
    }
  }
  EXPECT_EQ(hashes.size(), expected);
}

}  // namespace
}  // namespace wake::broker
