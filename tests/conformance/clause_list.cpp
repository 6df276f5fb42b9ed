#include "tests/conformance/clause_list.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace wake::test {

namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

bool has_test(const std::string& root, const std::string& test) {
  const std::size_t colon = test.find(": ");
  if (colon == std::string::npos) return false;
  const std::string file = test.substr(0, colon);
  const std::string source = text_of(root + "/" + file);
  const std::string name = test.substr(colon + 2);
  const std::size_t dot = name.find('.');
  std::string wanted = "def " + name + "(";
  if (file.ends_with(".json")) wanted = "\"" + name + "\"";
  if (file.ends_with(".cpp") && dot != std::string::npos)
    wanted = "(" + name.substr(0, dot) + ", " + name.substr(dot + 1) + ")";
  return source.find(wanted) != std::string::npos;
}

ClauseList::ClauseList(const std::string& file) {
  const auto all = nlohmann::json::parse(text_of(file));
  for (const auto& [version, clauses] : all.items()) {
    for (const auto& one : clauses) {
      const std::string id = version + " " + one.at("id").get<std::string>();
      Clause clause{version, one.at("says"), one.value("tested_by", ""), one.value("why_not", ""), 0};
      if (!clauses_.emplace(id, std::move(clause)).second)
        throw std::runtime_error("twice in the list: " + id);
      order_.push_back(id);
    }
  }
}

void ClauseList::cite(const std::string& clause) {
  const auto found = clauses_.find(clause);
  if (found != clauses_.end()) {
    ++found->second.case_count;
  } else if (clause.find(" MQTT-") != std::string::npos) {
    unknown_.insert(clause);
  }
}

std::vector<std::string> ClauseList::unaccounted() const {
  std::vector<std::string> found;
  for (const std::string& id : order_) {
    const Clause& clause = clauses_.at(id);
    if (clause.case_count == 0 && clause.tested_by.empty() && clause.why_not.empty())
      found.push_back(id + ": " + clause.says);
  }
  return found;
}

std::vector<std::string> ClauseList::contradicted() const {
  std::vector<std::string> found;
  for (const std::string& id : order_) {
    const Clause& clause = clauses_.at(id);
    const bool is_tested = clause.case_count > 0 || !clause.tested_by.empty();
    if (!clause.why_not.empty() && is_tested) found.push_back(id);
  }
  return found;
}

std::vector<std::string> ClauseList::missing_tests(const std::string& root) const {
  std::vector<std::string> missing;
  for (const std::string& id : order_) {
    const std::string& test = clauses_.at(id).tested_by;
    if (!test.empty() && !has_test(root, test)) missing.push_back(id + ": " + test);
  }
  return missing;
}

void ClauseList::report(std::ostream& out) const {
  std::set<std::string> versions;
  for (const auto& [id, clause] : clauses_) versions.insert(clause.version);
  for (const std::string& version : versions) report_version(out, version);
}

void ClauseList::report_version(std::ostream& out, const std::string& version) const {
  int all = 0;
  int by_case = 0;
  int elsewhere = 0;
  std::ostringstream open;
  for (const std::string& id : order_) {
    const Clause& clause = clauses_.at(id);
    if (clause.version != version) continue;
    ++all;
    if (clause.case_count > 0) {
      ++by_case;
    } else if (!clause.tested_by.empty()) {
      ++elsewhere;
    } else {
      open << "  [" << id.substr(id.find(' ') + 1) << "] " << clause.says << " -- "
           << (clause.why_not.empty() ? "NO REASON GIVEN" : clause.why_not) << '\n';
    }
  }
  out << "MQTT " << version.substr(1) << ": " << by_case + elsewhere << " of " << all
      << " normative clauses are covered, " << by_case << " by data cases, " << elsewhere
      << " by other tests. Not covered, and why:\n"
      << open.str();
}

}  // namespace wake::test
