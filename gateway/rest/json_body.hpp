// A JSON object from outside, read field by field. Each reader names the field, checks its type and bounds,
// and throws the Problem that says what was expected; done() refuses every field nobody asked for.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "gateway/rest/exchange.hpp"

namespace wake::gateway::rest {

inline constexpr std::size_t kAnyLength = SIZE_MAX;

struct TextRule {
  std::size_t min_bytes = 0;
  std::size_t max_bytes = 200;  // kAnyLength: the caller bounds it
  bool may_hold_nul = false;    // else U+0000 is refused: PostgreSQL's text and MQTT's strings cannot hold it
};

class JsonBody {
 public:
  /// Throws 415, 400 (not JSON, nested deeper than 32, repeated field), 422 (not an object).
  explicit JsonBody(const Request& request);
  JsonBody(JsonBody&&) noexcept;
  ~JsonBody();

  std::string text(const std::string& field, TextRule rule);
  std::optional<std::string> maybe_text(const std::string& field, TextRule rule);
  std::string word(const std::string& field, std::initializer_list<const char*> words);
  std::optional<std::string> maybe_word(const std::string& field, std::initializer_list<const char*> words);
  std::optional<bool> maybe_flag(const std::string& field);
  std::optional<std::int64_t> maybe_number(const std::string& field, std::int64_t min, std::int64_t max);
  std::optional<std::vector<std::string>> maybe_texts(const std::string& field, std::size_t max_count,
                                                      TextRule rule);
  std::optional<std::vector<JsonBody>> maybe_objects(const std::string& field, std::size_t max_count);
  /// The value as JSON text, whatever it is.
  std::optional<std::string> maybe_raw(const std::string& field);
  /// The field's name with its path: "topics[1].filter".
  std::string name_of(const std::string& field) const;
  /// Of a call that takes no body: an empty one, or an object without fields. Throws as the constructor and
  /// done().
  static void expect_none(const Request& request);
  /// Call when all fields were asked for: 422 names the first that was not.
  void done() const;

 private:
  struct State;
  JsonBody(const nlohmann::json& object, std::string path);
  const nlohmann::json* find(const std::string& field);
  std::unique_ptr<State> state_;
};

}  // namespace wake::gateway::rest
