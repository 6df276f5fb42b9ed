// Names the calling thread, as top -H and a debugger show it.
#pragma once

#include <string>

#include <pthread.h>

namespace wake::gateway {

/// At most 15 characters; the rest is cut off.
inline void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace wake::gateway
