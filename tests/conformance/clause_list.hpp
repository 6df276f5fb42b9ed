// The list of all normative clauses (clauses.json here) against what the cases cite: what is covered, what is
// not, and why.
#pragma once

#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace wake::test {

class ClauseList {
 public:
  /// Throws std::exception when the file cannot be read or two entries have the same id.
  explicit ClauseList(const std::string& file);

  /// A case proves this clause, "v5 MQTT-3.1.0-1". Citations of other documents are not counted.
  void cite(const std::string& clause);

  /// Cited, but not in the list.
  const std::set<std::string>& unknown() const { return unknown_; }
  /// Neither a case, nor a test elsewhere, nor a reason why not.
  std::vector<std::string> unaccounted() const;
  /// A reason why not is given, and yet there is a case or a test.
  std::vector<std::string> contradicted() const;
  /// Tests that are said to prove a clause, but are not there. `root` is the checkout.
  std::vector<std::string> missing_tests(const std::string& root) const;

  void report(std::ostream& out) const;

 private:
  struct Clause {
    std::string version;  // "v3.1.1", "v5"
    std::string says;
    std::string tested_by;  // a test outside of the data, as has_test() takes it
    std::string why_not;
    int case_count = 0;
  };
  void report_version(std::ostream& out, const std::string& version) const;

  std::map<std::string, Clause> clauses_;  // by "v5 MQTT-3.1.0-1"
  std::vector<std::string> order_;
  std::set<std::string> unknown_;
};

/// Is there such a test? `test` is "path: Suite.Name" (C++), "path: test_name" (Python) or "path: case"
/// (data).
bool has_test(const std::string& root, const std::string& test);

}  // namespace wake::test
