// What real kernels tell of their locks, in whatever form: lock traces (ftrace.h), /proc/lockdep
// and /proc/lockdep_chains (proc_lockdep.h), each recognised by its first lines. All that is added
// makes one lock graph.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "sim/lockdep/validator.h"
#include "tools/import/ftrace.h"
#include "tools/import/proc_lockdep.h"
#include "tools/import/unused_lines.h"

namespace tools {

enum class LockText : uint8_t {
  kTrace,       // or nothing known
  kClasses,     // /proc/lockdep
  kChains,      // /proc/lockdep_chains
  kStatistics,  // /proc/lockdep_stats, /proc/lock_stat: no graph in them
};

LockText LockTextOf(std::string_view text);

class LockImporter {
 public:
  LockImporter() = default;
  LockImporter(const LockImporter&) = delete;
  LockImporter& operator=(const LockImporter&) = delete;

  // One file, of any bytes. False: neither a lock event nor a class or chain is in it.
  bool AddFile(std::string_view name, std::string_view text);

  // Reports point to the names of files, which live as long as this.
  const sim::Validator& validator() const { return validator_; }
  const UnusedLines& unused() const { return unused_; }
  const FtraceImporter& traces() const { return traces_; }
  uint64_t line_count() const { return traces_.line_count() + proc_.line_count(); }

 private:
  std::deque<std::string> files_;
  UnusedLines unused_;
  sim::Validator validator_;
  FtraceImporter traces_{validator_, unused_};
  ProcImporter proc_{validator_, unused_};
};

// Counts, classes with their direct dependencies, and every report, in lockdep's words; then a line
// for each cycle that cannot become a deadlock. `conclusions` are those of its validator.
std::string RenderText(const LockImporter& import, const sim::Validator::Conclusions& conclusions);

}  // namespace tools
