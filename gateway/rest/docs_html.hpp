// What docs_page.cpp and docs_schema.cpp share: text for HTML, and the document.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace wake::gateway::rest {

using Document = nlohmann::ordered_json;  // in the order that openapi.json was written in

/// & < > " for HTML; what stands between backticks becomes <code>.
std::string html_of(std::string_view text);
/// The text of a member; empty: it has none.
std::string text_of(const Document& object, const char* member);
/// What a "$ref" points to, or the object itself.
const Document& resolve(const Document& document, const Document& object);

/// A link to the schema's own table, or a few words: "string, 1 to 64 characters".
std::string schema_words(const Document& schema);
/// The fields of an object schema, those of nested ones as "push.quiet_hours.start".
std::string schema_table(const Document& document, const Document& schema);
/// All of components/schemas, each with an anchor.
std::string schema_section(const Document& document);

}  // namespace wake::gateway::rest
