// The first byte chooses: an upgrade's request, or frames. Either is read whole and in pieces, and both ways
// must come to the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "gateway/websocket/frames.hpp"
#include "gateway/websocket/upgrade.hpp"

namespace {

using namespace wake::gateway::websocket;

constexpr std::uint64_t kMaxFrame = 2000;

void require(bool is_true) {
  if (!is_true) std::abort();
}

struct Outcome {
  std::string payload;
  std::optional<CloseCode> end;
  std::string violation;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read_frames(std::string wire, std::size_t step) {
  FrameReader reader(kMaxFrame);
  Outcome outcome;
  for (std::size_t at = 0; at < wire.size(); at += step) {
    const std::span<char> piece(wire.data() + at, std::min(step, wire.size() - at));
    const std::size_t size = reader.read(std::as_writable_bytes(piece));
    require(size <= piece.size());
    outcome.payload.append(piece.data(), size);
    if (const auto ping = reader.take_ping()) require(ping->size() <= kMaxControlBytes);
  }
  outcome.end = reader.end();
  outcome.violation = reader.violation();
  require(outcome.end || outcome.violation.empty());
  return outcome;
}

struct Answer {
  Upgrade::State state = Upgrade::State::NeedMore;
  std::string text;
  friend bool operator==(const Answer&, const Answer&) = default;
};

Answer read_request(std::string_view request, std::size_t step) {
  Upgrade upgrade({{"https://app.example.com"}});
  Answer answer;
  for (std::size_t at = 0; at < request.size() && answer.state == Upgrade::State::NeedMore; at += step) {
    const std::string_view piece = request.substr(at, step);
    answer.state = upgrade.on_bytes(std::as_bytes(std::span(piece)));
  }
  answer.text = upgrade.answer();
  require((answer.state == Upgrade::State::NeedMore) == answer.text.empty());
  require((answer.state == Upgrade::State::Accepted) == answer.text.starts_with("HTTP/1.1 101 "));
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t step = 1 + (data[0] >> 1) % 16;
  if ((data[0] & 1) == 0) {
    require(read_frames(input, input.size()) == read_frames(input, step));
  } else {
    // A request that is wrong and unfinished may be refused at once or when its end has come.
    const Answer in_pieces = read_request(input, step);
    const Answer whole = read_request(input, input.size());
    require(in_pieces.state == Upgrade::State::NeedMore || in_pieces == whole);
  }
  return 0;
}
