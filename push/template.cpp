#include "push/template.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

namespace wake::push {
namespace {

using Json = nlohmann::json;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view topic_level(std::string_view topic, std::size_t wanted) {
  for (; wanted > 0; --wanted) {
    const auto slash = topic.find('/');
    if (slash == std::string_view::npos) return {};
    topic.remove_prefix(slash + 1);
  }
  return topic.substr(0, topic.find('/'));
}

// "topic[12]" -> 12; anything else -> false.
bool parse_topic_index(std::string_view name, std::size_t& index) {
  if (!name.starts_with("topic[") || !name.ends_with("]")) return false;
  const std::string_view digits = name.substr(6, name.size() - 7);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return error == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
}

const Json* find_step(const Json& from, std::string_view step) {
  if (from.is_object()) {
    const auto it = from.find(std::string(step));
    return it == from.end() ? nullptr : &*it;
  }
  if (!from.is_array()) return nullptr;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool is_index = error == std::errc{} && end == step.data() + step.size();
  return is_index && index < from.size() ? &from[index] : nullptr;
}

}  // namespace

struct TemplateRenderer::ParsedPayload {
  Json json;
};

TemplateRenderer::TemplateRenderer(const broker::MessageRecord& message, const broker::EntryRecord* entry)
    : message_(message), entry_(entry) {}

TemplateRenderer::~TemplateRenderer() = default;

std::string TemplateRenderer::render(std::string_view source) {
  std::string out;
  while (!source.empty() && out.size() < kMaxRendered) {
    const auto open = source.find("{{");
    const auto close = open == std::string_view::npos ? open : source.find("}}", open + 2);
    if (close == std::string_view::npos) break;
    out += source.substr(0, open);
    append_value(out, trim(source.substr(open + 2, close - open - 2)));
    source.remove_prefix(close + 2);
  }
  out += source.substr(0, kMaxRendered);
  return out;
}

void TemplateRenderer::append_value(std::string& out, std::string_view name) {
  constexpr std::string_view kPayloadPath = "payload.";
  std::size_t level = 0;
  if (name.starts_with(kPayloadPath)) {
    append_payload_value(out, name.substr(kPayloadPath.size()));
  } else if (name == "payload") {
    out += std::string_view(message_.payload).substr(0, kMaxRendered);
  } else if (name == "topic") {
    out += message_.topic;
  } else if (parse_topic_index(name, level)) {
    out += topic_level(message_.topic, level);
  } else if (entry_ && name == "device.name") {
    out += entry_->device_name;
  } else if (entry_ && name == "device.id") {
    out += entry_->device_id;
  } else if (entry_ && name == "title") {
    out += entry_->title.empty() ? entry_->device_name : entry_->title;
  }
}

void TemplateRenderer::append_payload_value(std::string& out, std::string_view path) {
  if (message_.payload.size() > kMaxSearchedPayload) return;
  if (!payload_) {
    payload_ = std::make_unique<ParsedPayload>();
    payload_->json = Json::parse(message_.payload, nullptr, false);
  }
  const Json* value = &payload_->json;
  while (value) {
    const auto dot = path.find('.');
    value = find_step(*value, path.substr(0, dot));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (!value) return;
  if (value->is_string()) {
    out += value->get_ref<const std::string&>();
  } else if (value->is_number() || value->is_boolean()) {
    out += value->dump();
  }  // null, lists and objects render empty: nobody wants JSON on a lock screen
}

}  // namespace wake::push
