#include "gateway/rest/docs_page.hpp"

#include "gateway/rest/docs_html.hpp"

namespace wake::gateway::rest {

std::string html_of(std::string_view text) {
  std::string html;
  bool is_code = false;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '`':
        html += is_code ? "</code>" : "<code>";
        is_code = !is_code;
        break;
      default:
        html += c;
    }
  }
  return is_code ? html + "</code>" : html;
}

std::string text_of(const Document& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const Document& resolve(const Document& document, const Document& object) {
  const auto reference = object.find("$ref");
  if (reference == object.end()) return object;
  return document.at(Document::json_pointer(reference->get<std::string>().substr(1)));
}

namespace {

/// Upper case, as in a request.
std::string method_name(std::string method) {
  for (char& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return method;
}

std::string caller_words(const Document& document, const Document& operation) {
  std::string words;
  for (const Document& choice : operation["security"]) {
    const std::string one =
        choice.empty()
            ? "nothing, where that is allowed"
            : text_of(document["components"]["securitySchemes"][choice.begin().key()], "description");
    words += (words.empty() ? "" : "; or ") + html_of(one);
  }
  return "<p class=\"who\">Credentials: " + (words.empty() ? "none" : words) + "</p>\n";
}

std::string parameter_table(const Document& document, const Document& operation) {
  const auto parameters = operation.find("parameters");
  if (parameters == operation.end() || parameters->empty()) return {};
  std::string html = "<table><tr><th>Parameter</th><th>Value</th><th></th></tr>\n";
  for (const Document& one : *parameters) {
    const Document& parameter = resolve(document, one);
    html += "<tr><td><code>" + html_of(text_of(parameter, "name")) + "</code> <small>" +
            html_of(text_of(parameter, "in")) + "</small></td><td>" + schema_words(parameter["schema"]) +
            "</td><td>" + html_of(text_of(parameter, "description")) + "</td></tr>\n";
  }
  return html + "</table>\n";
}

/// "application/json: Phone", of a body or an answer; empty: it has no content.
std::string content_words(const Document& owner) {
  std::string words;
  const auto content = owner.find("content");
  if (content == owner.end()) return words;
  for (const auto& [type, body] : content->items()) {
    words += (words.empty() ? "" : ", ") + std::string("<small>") + html_of(type) + "</small> " +
             schema_words(body["schema"]);
  }
  return words;
}

std::string body_part(const Document& document, const Document& operation) {
  const auto body = operation.find("requestBody");
  if (body == operation.end()) return {};
  std::string html = "<h4>Body</h4>\n<p>" + content_words(*body) + "</p>\n";
  for (const auto& [type, content] : (*body)["content"].items())
    html += schema_table(document, content["schema"]);
  return html;
}

std::string answer_table(const Document& document, const Document& operation) {
  std::string html = "<h4>Answers</h4>\n<table>\n";
  for (const auto& [status, one] : operation["responses"].items()) {
    const Document& answer = resolve(document, one);
    html += "<tr class=\"s" + html_of(status.substr(0, 1)) + "\"><td><code>" + html_of(status) +
            "</code></td><td>" + html_of(text_of(answer, "description")) + "</td><td>" +
            content_words(answer) + "</td></tr>\n";
  }
  return html + "</table>\n";
}

std::string call_line(const std::string& path, const std::string& method) {
  return "<span class=\"method " + html_of(method) + "\">" + html_of(method_name(method)) + "</span> <code>" +
         html_of(path) + "</code>";
}

std::string operation_article(const Document& document, const std::string& path, const std::string& method,
                              const Document& operation) {
  const std::string id = html_of(text_of(operation, "operationId"));
  return "<article id=\"" + id + "\"><h3><a href=\"#" + id + "\">" + call_line(path, method) +
         "</a></h3>\n<p>" + html_of(text_of(operation, "summary")) + "</p>\n<p>" +
         html_of(text_of(operation, "description")) + "</p>\n" + caller_words(document, operation) +
         parameter_table(document, operation) + body_part(document, operation) +
         answer_table(document, operation) + "</article>\n";
}

/// Calls `visit(path, method, operation)` for each operation of the tag.
template <class Visit>
void for_each_operation(const Document& document, const std::string& tag, Visit&& visit) {
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      if (operation["tags"][0] == tag) visit(path, method, operation);
    }
  }
}

std::string navigation(const Document& document) {
  std::string html = "<nav><ul>\n";
  for (const Document& one : document["tags"]) {
    const std::string tag = text_of(one, "name");
    html += "<li><a href=\"#tag-" + html_of(tag) + "\">" + html_of(tag) + "</a><ul>\n";
    for_each_operation(document, tag, [&](const auto& path, const auto& method, const Document& operation) {
      html += "<li><a href=\"#" + html_of(text_of(operation, "operationId")) + "\">" +
              call_line(path, method) + "</a></li>\n";
    });
    html += "</ul></li>\n";
  }
  return html + "<li><a href=\"#schemas\">schemas</a></li>\n</ul></nav>\n";
}

}  // namespace

std::string docs_page(std::string_view text) {
  const Document document = Document::parse(text);
  const std::string title =
      html_of(text_of(document["info"], "title") + " " + text_of(document["info"], "version"));
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<title>" +
      title + ": REST API</title><link rel=\"stylesheet\" href=\"docs.css\"></head>\n<body>\n" +
      navigation(document) + "<main><h1>" + title + "</h1>\n<p>" +
      html_of(text_of(document["info"], "description")) +
      "</p>\n<p>For programs: <a href=\"openapi.json\">openapi.json</a>.</p>\n";
  for (const Document& one : document["tags"]) {
    const std::string tag = text_of(one, "name");
    html += "<section><h2 id=\"tag-" + html_of(tag) + "\">" + html_of(tag) + "</h2>\n";
    for_each_operation(document, tag, [&](const auto& path, const auto& method, const Document& operation) {
      html += operation_article(document, path, method, operation);
    });
    html += "</section>\n";
  }
  return html + schema_section(document) + "</main>\n</body>\n</html>\n";
}

}  // namespace wake::gateway::rest
