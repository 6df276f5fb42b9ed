// The conformance data as files (README.md here).
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace wake::test {

struct CaseFile {
  std::string path;
  std::string suite;  // "v5_publish"
  nlohmann::json cases;
};

/// All files of cases below `folder`, sorted. Throws when one is not JSON.
std::vector<CaseFile> read_cases(const std::string& folder);

/// The CONNECT of a client named `id`, in the notation of bytes; `how`: "v31", "v311", "v5", each also with
/// " keep" behind it.
std::string hello_of(const std::string& how, const std::string& id);

/// Writes each case as an input of tests/fuzz/broker_fuzz.cpp into `folder`.
void write_fuzz_corpus(const std::vector<CaseFile>& files, const std::string& folder);

}  // namespace wake::test
