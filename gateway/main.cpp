#include <iostream>

#include "gateway/cli/cli.hpp"
#include "gateway/server.hpp"

int main(int argc, char** argv) {
  namespace cli = wake::gateway::cli;
  cli::World world{std::cin, std::cout, std::cerr, wake::config::process_environment(), wake::gateway::serve};
  return cli::run({argv + 1, argv + argc}, world);
}
