// A file with the given text, gone at the end of the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include <unistd.h>

namespace wake::config {

class WrittenFile {
 public:
  explicit WrittenFile(std::string_view text) {
    const int file = ::mkstemp(path_.data());
    if (file < 0) throw std::runtime_error("cannot make " + path_);
    const auto written = ::write(file, text.data(), text.size());
    ::close(file);
    if (written != static_cast<ssize_t>(text.size())) throw std::runtime_error("cannot write " + path_);
  }
  ~WrittenFile() {
    std::error_code ignored;  // the temporary directory is emptied by the system if this fails
    std::filesystem::remove(path_, ignored);
  }
  WrittenFile(const WrittenFile&) = delete;
  WrittenFile& operator=(const WrittenFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "wakemq_test_XXXXXX").string();
};

}  // namespace wake::config
