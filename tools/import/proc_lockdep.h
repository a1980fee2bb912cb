// /proc/lockdep and /proc/lockdep_chains, as a kernel prints them [kernel/locking/lockdep_proc.c],
// or as this program writes them (sim/lockdep/proc.h).
//
//   <address> [OPS: n] FD: n BD: n <usage>: <name>     irq_context: 0
//    -> [<address>] <name>                             [<address>] <name>
//
// Classes are told by their printed names, which the kernel makes unique: "name#2" is the second
// class of a name, "name/1" a subclass. Addresses are not used; early in a boot they are not there.
//
// /proc/lockdep gives usage and the dependencies between neighbours. The last lock of a chain was
// waited for, under all those before it. Where a chain's beginning is not itself a chain, its last
// lock was tried, so what is taken next depends on the locks below that one, too: with the chains
// the graph has the dependencies across tried locks, which /proc/lockdep leaves out. Both files
// together give the most; each will do.
//
// Not in these files: whether a lock was taken shared. Every dependency counts as exclusive, so a
// cycle that only recursive readers close would be reported; and a lock that occurs twice in a
// chain was nested legally, which is believed.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/lockdep/validator.h"
#include "tools/import/unused_lines.h"

namespace tools {

class ProcImporter {
 public:
  // Both must outlive this.
  ProcImporter(sim::Validator& validator, UnusedLines& unused)
      : validator_(validator), unused_(unused) {}

  // One file, of any bytes. `name`, for reports, outlives the validator.
  void AddClasses(const char* name, std::string_view text);
  void AddChains(const char* name, std::string_view text);

  uint64_t line_count() const { return line_count_; }
  uint64_t record_count() const { return record_count_; }  // classes and chains

 private:
  struct Lock {
    sim::LockClassId lock_class;
    uint32_t subclass = 0;

    auto operator<=>(const Lock&) const = default;
  };
  struct Chain {
    uint8_t irq_context = 0;
    uint64_t first_line = 0;  // of its locks
    std::vector<Lock> locks;
  };

  template <class Use>
  void EachLine(const char* name, std::string_view text, Use use);
  std::optional<Lock> UseClassLine(std::string_view text);
  void Learn(const Chain& chain, const std::set<std::vector<Lock>>& known);
  Lock LockNamed(std::string_view name);
  sim::Acquisition AcquisitionOf(const Lock& lock, uint64_t line) const;
  void CountUnused(std::string_view why, std::string_view text) {
    unused_.Add(why, file_, line_in_file_, text);
  }

  sim::Validator& validator_;
  UnusedLines& unused_;
  const char* file_ = "";
  uint64_t line_in_file_ = 0;
  uint64_t line_count_ = 0, record_count_ = 0;
};

}  // namespace tools
