// Which locks were held at the accesses to each field: counted over any number of executions, by
// field, not by object.
//
// Rows tell apart what is done, with which locks, in which stack. A lock is told apart by its
// class and by whose it is: the lock of the very object that the field is of guards it, the same
// lock of another object does not.
//
// What is held in name only is not counted: an event, by who has to bring it about.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/engine/access_listener.h"
#include "sim/engine/stack_table.h"
#include "sim/lockdep/held_locks.h"

namespace sim {

class Validator;

// Whose a lock is, seen from the object that a field is of.
enum class LockOwner : uint8_t {
  kNobody,   // there is one lock of this class only
  kSame,     // that object's
  kAnother,  // another object's of that kind
  kOther,    // something else's
};
LockOwner OwnerOf(const InstanceName& lock, const InstanceName& field_owner);

struct GuardLock {
  std::string lock;  // the class
  LockOwner owner = LockOwner::kNobody;
  std::string owner_kind;  // "inode"; kOther and kAnother only
  bool shared = false;

  bool operator==(const GuardLock&) const = default;
  auto operator<=>(const GuardLock&) const = default;
  std::string Text() const;  // "&ei->i_data_sem of another inode (shared)"
};

struct GuardField {
  std::string name;
  Sharing sharing = Sharing::kPlain;
  std::string why;
};

struct GuardRow {
  uint32_t field = 0;  // in fields()
  Access access = Access::kRead;
  std::vector<GuardLock> locks;          // in the order taken
  std::vector<const FrameSite*> frames;  // innermost first
  uint64_t count = 0;
  // The first one.
  std::string search;
  uint64_t execution = 0, step = 0;
  std::string actor;
};

class GuardTable {
 public:
  // What is counted from now on carries these: what was searched, and the number in that search.
  void set_execution(std::string search, uint64_t execution) {
    search_ = std::move(search);
    execution_ = execution;
  }

  uint32_t FieldNamed(const FieldType& type);

  // Returns the number of the row. `classes` names the locks held.
  struct Where {
    const HeldLocks& held;
    const Validator& classes;
    const StackTable& stacks;
    StackId stack;
    uint64_t step = 0;
    const std::string& actor;
  };
  uint32_t Count(uint32_t field, const InstanceName& owner, Access access, const Where& where);

  // Adds what `other` has counted as if it had been counted after all that is here; its executions
  // are then numbered from `first_execution` on.
  void Merge(const GuardTable& other, uint64_t first_execution = 0);

  // Rows have been counted so often. Requires: a number for each.
  void SetCounts(std::span<const uint64_t> counts);

  // Both in order of first sight; they only grow.
  const std::vector<GuardField>& fields() const { return fields_; }
  const std::vector<GuardRow>& rows() const { return rows_; }

 private:
  uint32_t AddField(GuardField field);

  std::string search_;
  uint64_t execution_ = 0;
  std::vector<GuardField> fields_;
  std::map<std::string, uint32_t, std::less<>> field_by_name_;
  std::vector<GuardRow> rows_;
  absl::flat_hash_map<uint64_t, uint32_t> row_by_key_;  // by a hash of what Count() was given
};

}  // namespace sim
