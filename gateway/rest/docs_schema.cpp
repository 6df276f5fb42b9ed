#include "gateway/rest/docs_html.hpp"

namespace wake::gateway::rest {
namespace {

constexpr int kMaxNesting = 4;

std::string name_in(const std::string& reference) { return reference.substr(reference.rfind('/') + 1); }

std::string list_of(const Document& values) {
  std::string list;
  for (const Document& value : values)
    list += (list.empty() ? "<code>" : " | <code>") + html_of(value.dump()) + "</code>";
  return list;
}

/// "string" or, of several, "integer or null".
std::string type_of(const Document& schema) {
  const auto type = schema.find("type");
  if (type == schema.end()) return "any";
  if (type->is_string()) return type->get<std::string>();
  std::string types;
  for (const Document& one : *type) types += (types.empty() ? "" : " or ") + one.get<std::string>();
  return types;
}

void append_bounds(std::string& words, const Document& schema, const char* min, const char* max,
                   const char* unit) {
  const bool has_min = schema.contains(min);
  const bool has_max = schema.contains(max);
  if (!has_min && !has_max) return;
  words += ", ";
  if (has_min && has_max) {
    words += schema[min].dump() + " to " + schema[max].dump();
  } else {
    words += (has_min ? "at least " + schema[min].dump() : "at most " + schema[max].dump());
  }
  words += unit;
}

std::string choice_words(const Document& choices) {
  std::string words;
  for (const Document& choice : choices) words += (words.empty() ? "" : " or ") + schema_words(choice);
  return words;
}

/// The object that a field holds, by itself, in a list, or as one of several choices; null: none of these.
const Document* object_in(const Document& schema) {
  if (schema.contains("properties")) return &schema;
  if (schema.contains("items")) return object_in(schema["items"]);
  if (!schema.contains("oneOf")) return nullptr;
  for (const Document& choice : schema["oneOf"]) {
    if (const Document* object = object_in(choice)) return object;
  }
  return nullptr;
}

bool is_required(const Document& schema, const std::string& field) {
  const auto required = schema.find("required");
  if (required == schema.end()) return false;
  for (const Document& one : *required) {
    if (one == field) return true;
  }
  return false;
}

void append_rows(std::string& html, const Document& schema, const std::string& path, int nesting) {
  for (const auto& [field, about] : schema["properties"].items()) {
    const bool is_list = about.contains("items");
    const std::string name = path + field;
    html += "<tr><td><code>" + html_of(name) + "</code>" +
            (is_required(schema, field) ? " <b title=\"required\">*</b>" : "") + "</td><td>" +
            schema_words(about) + "</td><td>" + html_of(text_of(about, "description")) + "</td></tr>\n";
    const Document* const nested = object_in(about);
    if (nested != nullptr && nesting < kMaxNesting)
      append_rows(html, *nested, name + (is_list ? "[]." : "."), nesting + 1);
  }
}

}  // namespace

std::string schema_words(const Document& schema) {
  if (schema.contains("$ref")) {
    const std::string name = html_of(name_in(schema["$ref"].get<std::string>()));
    return "<a href=\"#schema-" + name + "\">" + name + "</a>";
  }
  if (schema.contains("oneOf")) return choice_words(schema["oneOf"]);
  if (schema.contains("enum")) return list_of(schema["enum"]);
  if (schema.contains("const")) return "<code>" + html_of(schema["const"].dump()) + "</code>";
  if (schema.contains("items")) {
    std::string words = "list of " + schema_words(schema["items"]);
    append_bounds(words, schema, "minItems", "maxItems", " of them");
    return words;
  }
  std::string words = html_of(type_of(schema));
  append_bounds(words, schema, "minLength", "maxLength", " characters");
  append_bounds(words, schema, "minimum", "maximum", "");
  if (schema.contains("format")) words += ", " + html_of(text_of(schema, "format"));
  if (schema.contains("default")) words += ", default <code>" + html_of(schema["default"].dump()) + "</code>";
  return words;
}

std::string schema_table(const Document& document, const Document& schema) {
  const Document& object = resolve(document, schema);
  if (!object.contains("properties")) return {};
  std::string html = "<table><tr><th>Field</th><th>Value</th><th></th></tr>\n";
  append_rows(html, object, "", 0);
  return html + "</table>\n";
}

std::string schema_section(const Document& document) {
  std::string html =
      "<section><h2 id=\"schemas\">Schemas</h2>\n<p>A field with <b>*</b> is always there.</p>\n";
  for (const auto& [name, schema] : document["components"]["schemas"].items()) {
    html += "<article id=\"schema-" + html_of(name) + "\"><h3>" + html_of(name) + "</h3>\n<p>" +
            html_of(text_of(schema, "description")) + "</p>\n" + schema_table(document, schema) +
            "</article>\n";
  }
  return html + "</section>\n";
}

}  // namespace wake::gateway::rest
