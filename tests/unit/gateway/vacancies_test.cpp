#include "gateway/vacancies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wake::gateway {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

const broker::SteadyTime kStart = broker::SteadyTime() + std::chrono::hours(1);

TEST(Vacancies, ANumberIsGoneWhenNobodyHeldItForTheWholeGrace) {
  Vacancies vacancies;
  EXPECT_THAT(vacancies.gone({3}, kStart), IsEmpty());
  EXPECT_THAT(vacancies.gone({3, 4}, kStart + Vacancies::kGrace - milliseconds(1)), IsEmpty());
  EXPECT_THAT(vacancies.gone({3, 4}, kStart + Vacancies::kGrace), ElementsAre(3));
}

TEST(Vacancies, WhoIsBackInTimeStartsAnew) {
  Vacancies vacancies;
  vacancies.gone({3}, kStart);
  vacancies.gone({}, kStart + Vacancies::kGrace - milliseconds(1));
  EXPECT_THAT(vacancies.gone({3}, kStart + Vacancies::kGrace), IsEmpty());
}

TEST(Vacancies, WhatWasSeenBeforeAFailedLookSaysNothing) {
  Vacancies vacancies;
  vacancies.gone({3}, kStart);
  vacancies.forget();
  EXPECT_THAT(vacancies.gone({3}, kStart + Vacancies::kGrace), IsEmpty());
}

}  // namespace
}  // namespace wake::gateway
