// The body of call.hpp's page_response. Heavy (nlohmann/json): include it in .cpp files only.
#pragma once

#include <nlohmann/json.hpp>

#include "gateway/rest/call.hpp"

namespace wake::gateway::rest {

template <class Row, class ToJson>
Response page_response(const db::Page<Row>& page, ToJson to_json) {
  nlohmann::json items = nlohmann::json::array();
  for (const Row& row : page.items) items.push_back(to_json(row));
  return json_response(200, {{"items", std::move(items)},
                             {"next", page.next ? nlohmann::json(*page.next) : nlohmann::json()}});
}

}  // namespace wake::gateway::rest
