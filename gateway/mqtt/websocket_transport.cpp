// What leaves is prefix_ (an answer to the upgrade, control frames, a frame's header), then the frame's
// payload, which stays with the caller until it is taken. Control frames go between data frames only.
#include "gateway/mqtt/websocket_transport.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "gateway/websocket/frames.hpp"
#include "gateway/websocket/upgrade.hpp"

namespace wake::gateway {

namespace {

using websocket::FrameReader;
using websocket::Opcode;
using websocket::Upgrade;

constexpr std::size_t kFramePieces = 64;
constexpr std::size_t kUpgradeBytes = 2048;  // read at once while shaking hands

class WebSocketTransport final : public Transport {
 public:
  WebSocketTransport(std::unique_ptr<Transport> inner, const WebSocketRules& rules)
      : Transport(inner->fd()),
        inner_(std::move(inner)),
        upgrade_(std::make_unique<Upgrade>(websocket::UpgradeRules{rules.allowed_origins})),
        reader_(rules.max_frame_bytes) {}

  Handshake shake_hands() override {
    if (!is_inner_open_) {
      const Handshake inner = inner_->shake_hands();
      if (inner != Handshake::Done) return inner;
      is_inner_open_ = true;
    }
    for (;;) {
      std::array<std::byte, kUpgradeBytes> in;
      const Read got = inner_->read(in);
      if (got.bytes > 0) {
        has_received_ = true;
        const Upgrade::State state = upgrade_->on_bytes({in.data(), got.bytes});
        if (state != Upgrade::State::NeedMore) return answer(state);
      }
      if (got.state == Read::State::Drained) return Handshake::Pending;
      if (got.state != Read::State::More) {
        failure_ =
            got.state == Read::State::Ended ? "closed before the request was whole" : inner_->failure();
        return Handshake::Failed;
      }
    }
  }

  Read read(std::span<std::byte> into) override {
    Read got;
    if (early_.empty()) {
      got = inner_->read(into);
    } else {
      got = {Read::State::More, std::min(early_.size(), into.size())};
      std::copy_n(early_.begin(), got.bytes, into.begin());
      early_.erase(early_.begin(), early_.begin() + static_cast<std::ptrdiff_t>(got.bytes));
    }
    const std::size_t payload = reader_.read(into.first(got.bytes));
    if (std::optional<std::string> ping = reader_.take_ping()) pong_ = std::move(ping);
    if (reader_.end()) return {answer_end(), payload};
    if (pong_) flush();
    // Whoever reads takes no bytes for the end of what is there, but frames may carry none.
    if (payload == 0 && got.bytes > 0 && got.state == Read::State::Drained) got.state = Read::State::More;
    return {got.state, payload};
  }

  Written write(std::span<const broker::Bytes> pieces) override {
    std::size_t total = 0;
    for (const broker::Bytes piece : pieces) total += piece.size();
    for (std::size_t taken = 0;;) {
      if (frame_left_ == 0) {
        add_control_frames();
        // After a Close nobody listens (RFC 6455 §5.5.1).
        if (is_close_sent_ && prefix_.empty()) return {Written::State::All, total};
        begin_frame(total - taken);
      }
      if (prefix_.empty() && frame_left_ == 0) return {Written::State::All, taken};
      const Written written = write_frame(pieces, taken);
      taken += written.bytes;
      if (written.state != Written::State::All) return {written.state, taken};
    }
  }

  /// A frame under way goes on with the next write(), and what waits here follows it.
  bool flush() override { return frame_left_ > 0 || write({}).state != Written::State::Failed; }

  void end_writing() override {
    if (is_open_ && !close_) close_ = websocket::CloseCode::Normal;
    flush();
    inner_->end_writing();
  }

  std::string certificate_cn() const override { return inner_->certificate_cn(); }
  std::string failure() const override { return failure_.empty() ? inner_->failure() : failure_; }
  bool is_tls() const override { return inner_->is_tls(); }
  Layer layer() const override { return is_inner_open_ ? Layer::WebSocket : inner_->layer(); }
  bool has_received() const override { return has_received_ || inner_->has_received(); }

 private:
  Handshake answer(Upgrade::State state) {
    prefix_ = upgrade_->answer();
    failure_ = upgrade_->refusal();
    early_.assign(upgrade_->rest().begin(), upgrade_->rest().end());
    upgrade_.reset();
    is_open_ = state == Upgrade::State::Accepted;
    if (!flush()) return Handshake::Failed;
    return is_open_ ? Handshake::Done : Handshake::Failed;
  }

  Read::State answer_end() {
    failure_ = reader_.violation();
    if (!close_) close_ = reader_.end();
    if (!failure_.empty()) return Read::State::Violated;
    end_writing();
    return Read::State::Ended;
  }

  void add_control_frames() {
    if (!is_open_ || is_close_sent_) return;
    if (pong_) prefix_ += websocket::control_frame(Opcode::Pong, *std::exchange(pong_, std::nullopt));
    if (!close_) return;
    prefix_ += websocket::close_frame(*close_);
    is_close_sent_ = true;
  }

  void begin_frame(std::size_t payload_bytes) {
    if (payload_bytes == 0 || is_close_sent_) return;
    frame_left_ = payload_bytes;
    prefix_ += websocket::frame_header(Opcode::Binary, frame_left_);
  }

  /// The prefix and what is left of the frame, whose payload begins `skipped` bytes into `pieces`.
  Written write_frame(std::span<const broker::Bytes> pieces, std::size_t skipped) {
    std::array<broker::Bytes, kFramePieces + 1> out;
    std::size_t count = 0;
    if (!prefix_.empty()) out[count++] = broker::as_bytes(prefix_);
    std::size_t left = frame_left_;
    for (std::size_t i = 0; i < pieces.size() && left > 0 && count < out.size(); ++i) {
      const std::size_t behind = std::min(skipped, pieces[i].size());
      skipped -= behind;
      const broker::Bytes piece = pieces[i].subspan(behind);
      if (piece.empty()) continue;
      out[count] = piece.first(std::min(piece.size(), left));
      left -= out[count++].size();
    }
    if (count == 0) return {};
    Written written = inner_->write({out.data(), count});
    const std::size_t of_prefix = std::min(written.bytes, prefix_.size());
    prefix_.erase(0, of_prefix);
    written.bytes -= of_prefix;
    frame_left_ -= written.bytes;
    return written;
  }

  std::unique_ptr<Transport> inner_;
  std::unique_ptr<Upgrade> upgrade_;  // while shaking hands
  FrameReader reader_;
  std::vector<std::byte> early_;  // came with the upgrade's request
  std::string prefix_;
  std::uint64_t frame_left_ = 0;  // payload of the frame under way
  std::optional<std::string> pong_;
  std::optional<websocket::CloseCode> close_;
  std::string failure_;
  bool is_inner_open_ = false;
  bool is_open_ = false;  // upgraded
  bool is_close_sent_ = false;
  bool has_received_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_websocket_transport(std::unique_ptr<Transport> inner,
                                                    const WebSocketRules& rules) {
  if (!inner) return nullptr;
  return std::make_unique<WebSocketTransport>(std::move(inner), rules);
}

}  // namespace wake::gateway
