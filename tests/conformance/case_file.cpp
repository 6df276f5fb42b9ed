#include "tests/conformance/case_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/conformance/byte_pattern.hpp"

namespace wake::test {

namespace {

using Json = nlohmann::json;

/// The steps of broker_fuzz.cpp: low three bits what, the two above them who.
constexpr unsigned kSend = 0;
constexpr unsigned kWait = 3;
constexpr unsigned kDrop = 4;
constexpr unsigned kProcess = 6;

class FuzzInput {
 public:
  std::string of(const Json& one) {
    text_ = std::string(1, '\0');
    names_.clear();
    for (const Json& step : one.at("steps")) add(step);
    return text_;
  }

 private:
  void add(const Json& step) {
    const std::string verb = step.at(1);
    if (verb == "wait") return add_wait(step.at(2).get<unsigned>());
    if (verb == "crash") return put({kProcess, 0});
    const std::string name = step.at(0);
    if (verb == "hello") send(name, hello_of(step.at(2), name));
    if (verb == "send") send(name, step.at(2));
    if (verb == "drop") put({kDrop | who(name)});
  }
  void add_wait(unsigned ms) {
    unsigned exponent = 0;
    while (ms >> exponent > 1) ++exponent;
    put({kWait, exponent});
  }
  void send(const std::string& name, const std::string& pattern) {
    const std::vector<std::byte> bytes = BytePattern(pattern).bytes();
    for (std::size_t at = 0; at < std::min<std::size_t>(bytes.size(), 2000); at += 255) {
      const std::size_t size = std::min<std::size_t>(255, bytes.size() - at);
      put({kSend | who(name), static_cast<unsigned>(size)});
      for (std::size_t i = 0; i < size; ++i) text_ += static_cast<char>(bytes[at + i]);
    }
  }
  unsigned who(const std::string& name) {
    auto found = std::ranges::find(names_, name);
    if (found == names_.end()) found = names_.insert(names_.end(), name);
    return static_cast<unsigned>((found - names_.begin()) & 3) << 3;
  }
  void put(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) text_ += static_cast<char>(value);
  }

  std::string text_;
  std::vector<std::string> names_;
};

}  // namespace

std::vector<CaseFile> read_cases(const std::string& folder) {
  std::vector<CaseFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".json" || path.parent_path() == folder) continue;
    std::ifstream in(path);
    files.push_back({path.string(), path.parent_path().filename().string() + "_" + path.stem().string(),
                     Json::parse(in)});
  }
  std::ranges::sort(files, {}, &CaseFile::path);
  return files;
}

std::string hello_of(const std::string& how, const std::string& id) {
  const bool keeps = how.ends_with(" keep");
  const std::string flags = keeps ? " 00 00 00 " : " 02 00 00 ";
  if (how.starts_with("v311")) return "10 ['MQTT' 04" + flags + "'" + id + "']";
  if (how.starts_with("v31")) return "10 ['MQIsdp' 03" + flags + "'" + id + "']";
  return "10 ['MQTT' 05" + flags + (keeps ? "{11 00 00 03 e8} '" : "{} '") + id + "']";
}

void write_fuzz_corpus(const std::vector<CaseFile>& files, const std::string& folder) {
  std::filesystem::create_directories(folder);
  FuzzInput input;
  for (const CaseFile& file : files) {
    std::size_t number = 0;
    for (const Json& one : file.cases) {
      std::ofstream out(folder + "/" + file.suite + "_" + std::to_string(number++), std::ios::binary);
      out << input.of(one);
    }
  }
}

}  // namespace wake::test
