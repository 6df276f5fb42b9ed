#include "gateway/rest/request_budget.hpp"

#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

using std::chrono::milliseconds;

const broker::SteadyTime kStart{std::chrono::hours(1)};

int spend_all(RequestBudget& budget, const std::string& caller, broker::SteadyTime now) {
  int count = 0;
  while (count < 1000 && budget.spend(caller, now)) ++count;
  return count;
}

TEST(RequestBudget, ABucketHoldsOneSecondAndRefills) {
  RequestBudget budget(10);
  EXPECT_EQ(spend_all(budget, "ann", kStart), 10);
  EXPECT_EQ(spend_all(budget, "ann", kStart + milliseconds(99)), 0);
  EXPECT_EQ(spend_all(budget, "ann", kStart + milliseconds(100)), 1);
  EXPECT_EQ(spend_all(budget, "ann", kStart + milliseconds(90'000)), 10);
}

TEST(RequestBudget, EachCallerHasItsOwn) {
  RequestBudget budget(1);
  EXPECT_TRUE(budget.spend("ann", kStart));
  EXPECT_FALSE(budget.spend("ann", kStart));
  EXPECT_TRUE(budget.spend("bob", kStart));
}

TEST(RequestBudget, ZeroIsNoLimit) {
  RequestBudget budget(0);
  EXPECT_EQ(spend_all(budget, "ann", kStart), 1000);
}

TEST(RequestBudget, WhoIsForgottenToMakeRoomHadAFullBucket) {
  RequestBudget budget(10, 3);
  EXPECT_EQ(spend_all(budget, "ann", kStart + milliseconds(950)), 10);
  EXPECT_TRUE(budget.spend("bob", kStart));
  EXPECT_TRUE(budget.spend("carl", kStart));
  EXPECT_TRUE(budget.spend("dora", kStart + milliseconds(1000))) << "bob and carl are full again and go";
  EXPECT_EQ(spend_all(budget, "ann", kStart + milliseconds(1000)), 0) << "ann is still known";
}

class LimitedRest : public RestTest {
 protected:
  LimitedRest() : RestTest(options()) {}
  static RestOptions options() {
    RestOptions limited;
    limited.requests_per_second = 5;
    return limited;
  }
};

TEST_F(LimitedRest, APrincipalOverItsBudgetIsToldWhenToComeBack) {
  const std::string ann = add_user("ann");
  const std::string bob = add_user("bob");
  Answer answer;
  for (int i = 0; i < 100 && answer.status != 429; ++i) answer = send("GET", "/v1/me/phones", ann);
  ASSERT_EQ(answer.status, 429);
  EXPECT_EQ(answer.header("retry-after"), "1");
  EXPECT_NE(answer.raw.find("requests_per_second"), std::string::npos);
  EXPECT_EQ(send("GET", "/v1/me/phones", bob).status, 200) << "another principal is not concerned";
  EXPECT_EQ(send("GET", "/healthz").status, 200);
}

class LimitedAddress : public RestTest {
 protected:
  LimitedAddress() : RestTest(options()) {}
  static RestOptions options() {
    RestOptions limited;
    limited.requests_per_second_per_address = 5;
    return limited;
  }
};

TEST_F(LimitedAddress, AnAddressIsHeldBackBeforeItIsKnownWhoAsks) {
  Answer answer;
  for (int i = 0; i < 100 && answer.status != 429; ++i)
    answer = send("GET", "/v1/me/phones", "Bearer nobody's");
  ASSERT_EQ(answer.status, 429);
  EXPECT_EQ(answer.header("retry-after"), "1");
  EXPECT_EQ(send("GET", "/healthz").status, 200) << "what watches the gateway is not held back";
}

}  // namespace
}  // namespace wake::gateway::rest
