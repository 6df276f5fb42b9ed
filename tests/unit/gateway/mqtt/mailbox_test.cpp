#include "gateway/mqtt/mailbox.hpp"

#include <semaphore>
#include <thread>

#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

TEST(Mailbox, WakesASleeperOnce) {
  Mailbox<int> mailbox;
  EXPECT_FALSE(mailbox.has_letters());
  EXPECT_TRUE(mailbox.fall_asleep());
  EXPECT_TRUE(mailbox.post(1));
  EXPECT_FALSE(mailbox.post(2));
  EXPECT_TRUE(mailbox.has_letters());
  mailbox.wake_up();
  std::vector<int> letters;
  mailbox.take(letters);
  EXPECT_EQ(letters, (std::vector{1, 2}));
  EXPECT_FALSE(mailbox.has_letters());
  EXPECT_TRUE(mailbox.fall_asleep());
  EXPECT_TRUE(mailbox.post(3));
}

TEST(Mailbox, WakesNobodyWhoIsAtWork) {
  Mailbox<int> mailbox;
  EXPECT_FALSE(mailbox.post(1));
  EXPECT_FALSE(mailbox.fall_asleep());  // there is a letter
  EXPECT_FALSE(mailbox.post(2));
  std::vector<int> letters;
  mailbox.take(letters);
  EXPECT_TRUE(mailbox.fall_asleep());
  mailbox.wake_up();
  EXPECT_FALSE(mailbox.post(3));
}

TEST(Mailbox, NoSleeperMissesALetter) {
  constexpr int kWriters = 4;
  constexpr int kLetters = 5'000;
  Mailbox<int> mailbox;
  std::counting_semaphore<> bell(0);
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < kLetters; ++i) {
        if (mailbox.post(i)) bell.release();
      }
    });
  }
  int seen = 0;
  std::vector<int> letters;
  while (seen < kWriters * kLetters) {
    if (mailbox.fall_asleep() && !bell.try_acquire_for(std::chrono::seconds(30))) break;
    mailbox.wake_up();
    mailbox.take(letters);
    seen += static_cast<int>(letters.size());
    letters.clear();
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(seen, kWriters * kLetters);
}

TEST(Mailbox, KeepsEachWritersOrderAndLosesNothing) {
  constexpr int kWriters = 4;
  constexpr int kLetters = 5'000;
  Mailbox<std::pair<int, int>> mailbox;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&mailbox, w] {
      for (int i = 0; i < kLetters; ++i) static_cast<void>(mailbox.post({w, i}));
    });
  }
  std::vector<int> next(kWriters, 0);
  for (int seen = 0; seen < kWriters * kLetters;) {
    std::vector<std::pair<int, int>> letters;
    if (mailbox.has_letters()) mailbox.take(letters);
    for (const auto& [writer, number] : letters) ASSERT_EQ(number, next[static_cast<std::size_t>(writer)]++);
    seen += static_cast<int>(letters.size());
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_FALSE(mailbox.has_letters());
}

}  // namespace
}  // namespace wake::gateway
