// A fixture for stories about tasks and locks: a lock's name is its class, "i_rwsem/1" has a
// subclass, and "i_rwsem:2" is the second instance.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/lockdep/validator.h"

namespace sim {

class LockStory {
 public:
  HeldLocks& Task(const std::string& name) {
    return tasks_.try_emplace(name, TaskId{static_cast<uint32_t>(tasks_.size() + 1)}, name)
        .first->second;
  }

  Acquisition Lock(const std::string& lock, ReadMode read = ReadMode::kExclusive) {
    const size_t colon = lock.find(':');
    const std::string kind = lock.substr(0, colon);
    const size_t slash = kind.find('/');
    Acquisition acquisition;
    acquisition.lock_class = validator.Class(kind.substr(0, slash), traits);
    if (slash != std::string::npos) {
      acquisition.subclass = static_cast<uint32_t>(std::stoul(kind.substr(slash + 1)));
    }
    acquisition.read = read;
    acquisition.instance = Instance(lock);
    acquisition.at = {.site = {"story.cc", ++step_}, .step = static_cast<uint64_t>(step_)};
    return acquisition;
  }
  uint64_t Instance(const std::string& lock) {
    return instances_.try_emplace(lock, instances_.size() + 1).first->second;
  }

  void Take(const std::string& task, const std::string& lock,
            ReadMode read = ReadMode::kExclusive) {
    validator.Acquire(Task(task), Lock(lock, read));
  }
  void Try(const std::string& task, const std::string& lock) {
    Acquisition acquisition = Lock(lock);
    acquisition.trylock = true;
    validator.Acquire(Task(task), acquisition);
  }
  void Drop(const std::string& task, const std::string& lock) {
    const Acquisition acquisition = Lock(lock);
    validator.Release(Task(task), acquisition.lock_class, acquisition.instance, acquisition.at);
  }
  // Takes the locks in order, and drops them all.
  void Nest(const std::string& task, const std::vector<std::string>& locks,
            ReadMode read = ReadMode::kExclusive) {
    for (const std::string& lock : locks) Take(task, lock, read);
    for (auto lock = locks.rbegin(); lock != locks.rend(); ++lock) Drop(task, *lock);
  }

  // One line for each report, without the headline.
  std::vector<std::string> Found() const {
    std::vector<std::string> found;
    for (const LockReport& report : validator.reports()) {
      const std::string message = Message(report);
      const std::string headline = Headline(report) + ": ";
      found.push_back(message.substr(headline.size()));
    }
    return found;
  }

  LockClassTraits traits = kSleepingLock;  // of the classes named from now on
  Validator validator;

 private:
  std::map<std::string, HeldLocks> tasks_;
  std::map<std::string, uint64_t> instances_;
  int step_ = 0;
};

}  // namespace sim
