// Names the calling thread, as top -H and a debugger show it.
#pragma once

#include <string>

#include <pthread.h>

namespace wake::gateway {

/// At most 15 characters; the rest is cut off.
inline void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

/// Threads started meanwhile by folders that name none inherit this one.
class InheritedThreadName {
 public:
  explicit InheritedThreadName(const std::string& name) {
    pthread_getname_np(pthread_self(), before_, sizeof before_);
    name_this_thread(name);
  }
  ~InheritedThreadName() { name_this_thread(before_); }
  InheritedThreadName(const InheritedThreadName&) = delete;
  InheritedThreadName& operator=(const InheritedThreadName&) = delete;

 private:
  char before_[16] = "";
};

}  // namespace wake::gateway
