// One push simulator (tests/sim) as a child process: started, scripted over its control port, ended by its
// pid.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace wake::tests {

class Simulator {
 public:
  /// `program` in the folder named by the environment's WAKE_BIN_DIR. Throws when it does not start within 20
  /// s.
  Simulator(const std::string& program, const std::string& key_folder, std::vector<std::string> more = {}) {
    const char* folder = std::getenv("WAKE_BIN_DIR");
    if (!folder) throw std::runtime_error("WAKE_BIN_DIR is not set: where are the simulators?");
    std::vector<std::string> words = {std::string(folder) + '/' + program, "--dir", key_folder, "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    start(words);
  }
  ~Simulator() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  /// What it said of itself at start: endpoint, ca_file, key_file …
  const nlohmann::json& said() const { return said_; }
  std::string text(const char* member) const { return said_.at(member).get<std::string>(); }

  nlohmann::json post(const std::string& path, const nlohmann::json& body = nlohmann::json::object()) const {
    const std::string text = body.dump();
    return nlohmann::json::parse(ask("POST " + path +
                                     " HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Length: " +
                                     std::to_string(text.size()) + "\r\n\r\n" + text));
  }
  std::string get(const std::string& path) const {
    return ask("GET " + path + " HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n");
  }
  /// The journal's entries, oldest first, once there are `count` or after 10 s.
  std::vector<nlohmann::json> log(std::size_t count = 1) const {
    const std::string lines = get("/log?wait_ms=10000&count=" + std::to_string(count));
    std::vector<nlohmann::json> entries;
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = std::min(lines.find('\n', at), lines.size());
      if (end > at) entries.push_back(nlohmann::json::parse(lines.substr(at, end - at)));
      at = end + 1;
    }
    return entries;
  }

 private:
  void start(const std::vector<std::string>& words) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int error = posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error != 0) throw std::runtime_error("cannot start " + words[0]);
    said_ = nlohmann::json::parse(read_line(ends[0]));
    close(ends[0]);
  }

  static std::string read_line(int from) {
    std::string line;
    char c = 0;
    pollfd ready{from, POLLIN, 0};
    while (poll(&ready, 1, 20'000) == 1 && read(from, &c, 1) == 1) {
      if (c == '\n') return line;
      line += c;
    }
    throw std::runtime_error("the simulator did not say where it listens");
  }

  std::string ask(const std::string& request) const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(said_.at("control_port").get<std::uint16_t>());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    const bool is_asked = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                          send(fd, request.data(), request.size(), MSG_NOSIGNAL) == ssize_t(request.size());
    char piece[16 * 1024];
    for (ssize_t size = 0; is_asked && (size = recv(fd, piece, sizeof piece, 0)) > 0;)
      answer.append(piece, size_t(size));
    close(fd);
    const auto body = answer.find("\r\n\r\n");
    if (body == std::string::npos) throw std::runtime_error("the simulator's control port does not answer");
    return answer.substr(body + 4);
  }

  pid_t pid_ = 0;
  nlohmann::json said_;
};

}  // namespace wake::tests
