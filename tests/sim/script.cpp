#include "tests/sim/script.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace wake::sim {
namespace {

using Json = nlohmann::json;

Show parse_show(const Json& value) {
  if (value == "first") return Show::First;
  return value.get<bool>() ? Show::Always : Show::Never;
}

GoAway parse_goaway(const Json& value) {
  GoAway goaway;
  if (value.is_object()) {
    goaway.reason = value.value("reason", goaway.reason);
    goaway.include_this = value.value("include_this", goaway.include_this);
  }
  return goaway;
}

Fate parse_lost(const Json& value) {
  if (value == true || value == "close") return Fate::Closed;
  if (value == "silent") return Fate::Silent;
  if (value == "freeze") return Fate::Frozen;
  if (value == false) return Fate::Sent;
  throw std::invalid_argument("lose_answer is true, \"close\", \"silent\" or \"freeze\"");
}

void read_member(Answer& answer, const std::string& name, const Json& value) {
  if (name == "status") {
    answer.status = value.get<int>();
  } else if (name == "reason") {
    answer.reason = value.get<std::string>();
  } else if (name == "timestamp") {
    answer.timestamp_ms = value.get<std::int64_t>();
  } else if (name == "delay_ms") {
    answer.delay = std::chrono::milliseconds(value.get<std::uint32_t>());
  } else if (name == "retry_after") {
    answer.retry_after = value.is_number() ? value.dump() : value.get<std::string>();
  } else if (name == "raw_body") {
    answer.raw_body = value.get<std::string>();
  } else if (name == "content_type") {
    answer.content_type = value.get<std::string>();
  } else if (name == "headers") {
    for (const auto& [header, text] : value.items())
      answer.headers.emplace_back(header, text.get<std::string>());
  } else if (name == "details") {
    answer.details = std::make_shared<const Json>(value);
  } else if (name == "show") {
    answer.show = parse_show(value);
  } else if (name == "lose_answer") {
    answer.fate = parse_lost(value);
  } else if (name == "reset") {
    answer.fate = Fate::Reset;
    answer.reset_code = value.get<std::uint32_t>();
  } else if (name == "refuse_stream") {
    answer.refuse_stream = value.get<bool>();
  } else if (name == "goaway") {
    if (value != false) answer.goaway = parse_goaway(value);
  } else {
    throw std::invalid_argument("unknown member of an answer: " + name);
  }
}

}  // namespace

Answer parse_answer(const Json& json) {
  if (!json.is_object()) throw std::invalid_argument("an answer is a JSON object");
  Answer answer;
  for (const auto& [name, value] : json.items()) {
    try {
      read_member(answer, name, value);
    } catch (const Json::exception&) {
      throw std::invalid_argument("wrong type for " + name + ": " + value.dump());
    }
  }
  if (answer.status && (*answer.status < 200 || *answer.status > 599)) {
    throw std::invalid_argument("status is 200 to 599");
  }
  return answer;
}

void ScriptBook::add(const std::string& token, std::vector<Answer> answers) {
  if (answers.empty()) return;
  auto& queue = waiting_[token];
  std::move(answers.begin(), answers.end(), std::back_inserter(queue));
}

std::optional<Answer> ScriptBook::take(const std::string& token) {
  if (waiting_.empty()) return std::nullopt;
  auto found = waiting_.find(token);
  if (found == waiting_.end()) found = waiting_.find("*");
  if (found == waiting_.end()) return std::nullopt;
  Answer answer = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) waiting_.erase(found);
  return answer;
}

std::size_t ScriptBook::size() const {
  return std::accumulate(waiting_.begin(), waiting_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& entry) { return sum + entry.second.size(); });
}

}  // namespace wake::sim
