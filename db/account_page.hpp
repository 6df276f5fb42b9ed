// Paging of lists, the same for every subject: rows after a key, at most `limit` of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace wake::db {

struct PageRequest {
  std::string after;  // `next` of the page before; empty: from the start
  int limit = 100;    // 1..1000
};

template <class Row>
struct Page {
  std::vector<Row> items;
  std::optional<std::string> next;  // absent: this was the last page
};

}  // namespace wake::db
