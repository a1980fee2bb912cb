#include "sim/race/guard_table.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check.h"
#include "sim/lockdep/validator.h"

namespace sim {
namespace {

constexpr uint64_t kHashFactor = 0x9e3779b97f4a7c15;

uint64_t Mix(uint64_t key, uint64_t value) {
  key = (key ^ value) * kHashFactor;
  return key ^ (key >> 29);
}

bool SameKind(const InstanceName& a, const InstanceName& b) {
  return a.kind == b.kind || std::strcmp(a.kind, b.kind) == 0;
}

std::vector<GuardLock> LocksOf(const HeldLocks& held, const Validator& classes,
                               const InstanceName& owner) {
  std::vector<GuardLock> locks;
  for (const HeldLock& one : held.locks()) {
    const Acquisition& lock = one.acquisition;
    if (lock.event) continue;
    GuardLock guard{classes.ClassName(lock.lock_class), OwnerOf(lock.name, owner), "",
                    lock.read != ReadMode::kExclusive};
    if (guard.owner >= LockOwner::kAnother) guard.owner_kind = lock.name.kind;
    locks.push_back(std::move(guard));
  }
  return locks;
}

// What tells a row from every other, in all tables alike.
std::string KeyOf(const std::string& field, const GuardRow& row) {
  std::string key = absl::StrCat(field, "\n", static_cast<int>(row.access), "\n");
  for (const GuardLock& lock : row.locks) absl::StrAppend(&key, lock.Text(), "\n");
  for (const FrameSite* const frame : row.frames) {
    absl::StrAppend(&key, frame->function, " ", frame->site.file, ":", frame->site.line, "\n");
  }
  return key;
}

}  // namespace

LockOwner OwnerOf(const InstanceName& lock, const InstanceName& field_owner) {
  if (lock.number == InstanceName::kNoNumber) return LockOwner::kNobody;
  if (!SameKind(lock, field_owner)) return LockOwner::kOther;
  const bool same = lock.number == field_owner.number && lock.index == field_owner.index;
  return same ? LockOwner::kSame : LockOwner::kAnother;
}

std::string GuardLock::Text() const {
  std::string text = lock;
  if (owner == LockOwner::kAnother) absl::StrAppend(&text, " of another ", owner_kind);
  if (owner == LockOwner::kOther) absl::StrAppend(&text, " of some ", owner_kind);
  if (shared) absl::StrAppend(&text, " (shared)");
  return text;
}

uint32_t GuardTable::FieldNamed(const FieldType& type) {
  const auto known = field_by_name_.find(std::string_view(type.name));
  if (known != field_by_name_.end()) return known->second;
  return AddField({type.name, type.sharing, type.why});
}

uint32_t GuardTable::AddField(GuardField field) {
  const auto [it, is_new] =
      field_by_name_.try_emplace(field.name, static_cast<uint32_t>(fields_.size()));
  if (is_new) fields_.push_back(std::move(field));
  return it->second;
}

uint32_t GuardTable::Count(uint32_t field, const InstanceName& owner, Access access,
                           const Where& where) {
  uint64_t key =
      Mix(Mix(uint64_t{field} << 8 | static_cast<uint64_t>(access), 0), where.stack.value);
  for (const HeldLock& held : where.held.locks()) {
    const Acquisition& lock = held.acquisition;
    if (lock.event) continue;
    key = Mix(key, uint64_t{lock.lock_class.value} << 8 | static_cast<uint64_t>(lock.read) << 4 |
                       static_cast<uint64_t>(OwnerOf(lock.name, owner)));
  }
  const auto [it, is_new] = row_by_key_.try_emplace(key, static_cast<uint32_t>(rows_.size()));
  if (is_new) {
    GuardRow row;
    row.field = field;
    row.access = access;
    row.locks = LocksOf(where.held, where.classes, owner);
    row.frames = where.stacks.Frames(where.stack);
    row.search = search_;
    row.execution = execution_;
    row.step = where.step;
    row.actor = where.actor;
    rows_.push_back(std::move(row));
  }
  ++rows_[it->second].count;
  return it->second;
}

void GuardTable::Merge(const GuardTable& other, uint64_t first_execution) {
  absl::flat_hash_map<std::string, uint32_t> mine;
  for (uint32_t i = 0; i < rows_.size(); ++i)
    mine[KeyOf(fields_[rows_[i].field].name, rows_[i])] = i;
  for (const GuardField& field : other.fields_) (void)AddField(field);
  for (const GuardRow& row : other.rows_) {
    const std::string& field = other.fields_[row.field].name;
    const auto [it, is_new] =
        mine.try_emplace(KeyOf(field, row), static_cast<uint32_t>(rows_.size()));
    if (is_new) {
      rows_.push_back(row);
      rows_.back().field = field_by_name_.find(field)->second;
      rows_.back().execution += first_execution;
    } else {
      rows_[it->second].count += row.count;
    }
  }
}

void GuardTable::SetCounts(std::span<const uint64_t> counts) {
  SIM_CHECK(counts.size() == rows_.size());
  for (size_t i = 0; i < counts.size(); ++i) rows_[i].count = counts[i];
}

}  // namespace sim
