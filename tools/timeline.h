// An execution's events, each with what its task holds and what is under way just then: for
// renderings of a run (tools/timeline_text.h, tools/trace_event.h).
//
// Read from the log alone (sim/engine/event_log.h). What a task holds is what the lock checker says
// that it holds, but for a lock that it waits for; events that it has to bring about are among it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/engine/event_log.h"

namespace tools {

struct HeldLock {
  uint64_t id = 0;
  std::string subject;  // as logged
  bool shared = false;
  bool owed = false;  // an event, which the task has to bring about

  bool operator==(const HeldLock&) const = default;
};

struct TimelineEvent {
  static constexpr size_t kNone = SIZE_MAX;

  const sim::LoggedEvent* event = nullptr;
  // By its task, outermost first: while a lock is asked for, before that; else after the event.
  std::vector<HeldLock> held;
  bool waits = false;           // a lock that the task parks for next
  std::optional<HeldLock> got;  // what the task has from now on
  bool owed = false;            // the end of an owed event, not of a lock
  // Of the task: the transaction that its handle is in, or that it commits.
  std::optional<uint64_t> tid;
  size_t in_flight = 0;  // bios, after the event
  // wake: where the task goes on; submit: where it is completed. Indexes; kNone: nowhere.
  size_t leads_to = kNone;
};

// `log` must outlive it.
std::vector<TimelineEvent> MakeTimeline(const sim::EventLog& log);

// Short names for the locks and events in a log: "i_data_sem(12)" for "&ei->i_data_sem of inode
// 12", "i_data_sem" if there is no other of its class. A name that would stand for two has as much
// of the full one as it takes to tell them apart.
class ShortNames {
 public:
  explicit ShortNames(const sim::EventLog& log);

  // Others stay as they are.
  const std::string& Of(const std::string& subject) const;

 private:
  std::map<std::string, std::string> names_;  // by what was logged
};

}  // namespace tools
