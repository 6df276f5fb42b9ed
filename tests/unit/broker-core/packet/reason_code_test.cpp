#include "broker-core/packet/reason_code.hpp"

#include <gtest/gtest.h>

namespace wake::broker {
namespace {

TEST(ReasonCode, BecomesTheNearestReturnCodeOfOldClients) {  // v3.1.1 table 3.1
  EXPECT_EQ(connack_return_code_v3(ReasonCode::Success), 0);
  EXPECT_EQ(connack_return_code_v3(ReasonCode::UnsupportedProtocolVersion), 1);
  EXPECT_EQ(connack_return_code_v3(ReasonCode::ClientIdentifierNotValid), 2);
  EXPECT_EQ(connack_return_code_v3(ReasonCode::ServerUnavailable), 3);
  EXPECT_EQ(connack_return_code_v3(ReasonCode::ServerBusy), 3);
  EXPECT_EQ(connack_return_code_v3(ReasonCode::QuotaExceeded), 3);
  EXPECT_EQ(connack_return_code_v3(ReasonCode::BadUserNameOrPassword), 4);
  EXPECT_EQ(connack_return_code_v3(ReasonCode::NotAuthorized), 5);
  EXPECT_EQ(connack_return_code_v3(ReasonCode::Banned), 5);
}

TEST(ReasonCode, OldReturnCodesComeBack) {
  for (std::uint8_t code = 0; code <= 5; ++code) {
    const auto reason = reason_from_connack_v3(code);
    ASSERT_TRUE(reason) << int{code};
    EXPECT_EQ(connack_return_code_v3(*reason), code);
  }
  EXPECT_FALSE(reason_from_connack_v3(6));
  EXPECT_FALSE(reason_from_connack_v3(0x84));
}

TEST(ReasonCode, FailuresBeginAt0x80) {  // v5 §2.4
  EXPECT_FALSE(is_failure(ReasonCode::Reauthenticate));
  EXPECT_TRUE(is_failure(ReasonCode::UnspecifiedError));
}

TEST(ReasonCode, EachHasItsName) {
  int named = 0;
  for (int value = 0; value < 256; ++value) {
    if (to_string(static_cast<ReasonCode>(value)) != "Unknown reason code") ++named;
  }
  EXPECT_EQ(named, 43);  // v5 table 2-6, with the three names of 0x00 counted once
  EXPECT_EQ(to_string(ReasonCode::NotAuthorized), "Not authorized");
}

}  // namespace
}  // namespace wake::broker
