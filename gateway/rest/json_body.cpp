#include "gateway/rest/json_body.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {

using nlohmann::json;

struct JsonBody::State {
  json object;
  std::string path;  // "" or "topics[1]."
  std::set<std::string> known;
};

namespace {

constexpr int kMaxDepth = 32;

bool is_json(std::string type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

/// Two fields of one name: parsers differ in which they believe, so neither is.
json parse(const std::string& text) {
  std::vector<std::set<std::string>> seen;
  const auto check = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > kMaxDepth)
      throw malformed_json("It is nested deeper than " + std::to_string(kMaxDepth) + " levels.");
    if (event == json::parse_event_t::object_start) seen.emplace_back();
    if (event == json::parse_event_t::object_end) seen.pop_back();
    if (event == json::parse_event_t::key && !seen.back().insert(value.get<std::string>()).second) {
      throw malformed_json("The field " + value.get<std::string>() + " is there twice.");
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::parse_error& error) {
    throw malformed_json("It stops being JSON at byte " + std::to_string(error.byte) + ".");
  } catch (const json::out_of_range&) {
    throw malformed_json("It holds a number too large to read.");
  }
}

std::string text_rule(TextRule rule) {
  std::string text = "a string";
  if (rule.max_bytes != kAnyLength) {
    text += " of " + std::to_string(rule.min_bytes) + " to " + std::to_string(rule.max_bytes) + " bytes";
  }
  return rule.may_hold_nul ? text : text + " without U+0000";
}

/// Null when it is not such a text.
const std::string* as_text(const json& value, TextRule rule) {
  const auto* text = value.get_ptr<const std::string*>();
  const bool is_good = text != nullptr && text->size() >= rule.min_bytes && text->size() <= rule.max_bytes &&
                       (rule.may_hold_nul || text->find('\0') == std::string::npos);
  return is_good ? text : nullptr;
}

std::string list_of(std::initializer_list<const char*> words) {
  std::string all;
  for (const char* word : words) all += (all.empty() ? "\"" : " or \"") + std::string(word) + "\"";
  return all;
}

}  // namespace

JsonBody::JsonBody(const Request& request) {
  if (!is_json(request.content_type)) throw wrong_media_type();
  json object = parse(request.body);
  if (!object.is_object()) throw invalid_field("body", "a JSON object");
  state_ = std::make_unique<State>(State{std::move(object), "", {}});
}
JsonBody::JsonBody(const json& object, std::string path)
    : state_(std::make_unique<State>(State{object, std::move(path), {}})) {}
JsonBody::JsonBody(JsonBody&&) noexcept = default;
JsonBody::~JsonBody() = default;

const json* JsonBody::find(const std::string& field) {
  state_->known.insert(field);
  const auto found = state_->object.find(field);
  return found == state_->object.end() ? nullptr : &*found;
}

void JsonBody::expect_none(const Request& request) {
  if (!request.body.empty()) JsonBody(request).done();
}

std::string JsonBody::name_of(const std::string& field) const { return state_->path + field; }

std::optional<std::string> JsonBody::maybe_text(const std::string& field, TextRule rule) {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  const std::string* text = as_text(*value, rule);
  if (text == nullptr) throw invalid_field(name_of(field), text_rule(rule));
  return *text;
}

std::string JsonBody::text(const std::string& field, TextRule rule) {
  auto text = maybe_text(field, rule);
  if (!text) throw invalid_field(name_of(field), text_rule(rule) + ", and it is missing");
  return std::move(*text);
}

std::optional<std::string> JsonBody::maybe_word(const std::string& field,
                                                std::initializer_list<const char*> words) {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  for (const char* word : words) {
    if (*value == word) return word;
  }
  throw invalid_field(name_of(field), list_of(words));
}

std::string JsonBody::word(const std::string& field, std::initializer_list<const char*> words) {
  auto word = maybe_word(field, words);
  if (!word) throw invalid_field(name_of(field), list_of(words) + ", and it is missing");
  return std::move(*word);
}

std::optional<bool> JsonBody::maybe_flag(const std::string& field) {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) throw invalid_field(name_of(field), "true or false");
  return value->get<bool>();
}

std::optional<std::int64_t> JsonBody::maybe_number(const std::string& field, std::int64_t min,
                                                   std::int64_t max) {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  const bool is_whole =
      value->is_number_integer() &&
      !(value->is_number_unsigned() &&
        value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  if (!is_whole || value->get<std::int64_t>() < min || value->get<std::int64_t>() > max) {
    throw invalid_field(name_of(field),
                        "a whole number, " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value->get<std::int64_t>();
}

std::optional<std::vector<std::string>> JsonBody::maybe_texts(const std::string& field, std::size_t max_count,
                                                              TextRule rule) {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  const bool is_list = value->is_array() && value->size() <= max_count;
  if (!is_list) throw invalid_field(name_of(field), "a list of at most " + std::to_string(max_count));
  for (const json& item : *value) {
    const std::string* text = as_text(item, rule);
    if (text == nullptr)
      throw invalid_field(name_of(field) + "[" + std::to_string(texts.size()) + "]", text_rule(rule));
    texts.push_back(*text);
  }
  return texts;
}

std::optional<std::vector<JsonBody>> JsonBody::maybe_objects(const std::string& field,
                                                             std::size_t max_count) {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  std::vector<JsonBody> objects;
  const bool is_list = value->is_array() && value->size() <= max_count;
  if (!is_list)
    throw invalid_field(name_of(field), "a list of at most " + std::to_string(max_count) + " objects");
  for (const json& item : *value) {
    const std::string path = name_of(field) + "[" + std::to_string(objects.size()) + "]";
    if (!item.is_object()) throw invalid_field(path, "an object");
    objects.push_back(JsonBody(item, path + "."));
  }
  return objects;
}

std::optional<std::string> JsonBody::maybe_raw(const std::string& field) {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  return value->dump();
}

void JsonBody::done() const {
  std::string known;
  for (const std::string& field : state_->known) known += (known.empty() ? "" : ", ") + field;
  for (const auto& [field, value] : state_->object.items()) {
    if (!state_->known.contains(field)) throw unknown_field(name_of(field), known);
  }
}

}  // namespace wake::gateway::rest
