#include "sim/lockdep/lock_program.h"
#include "nlohmann/json.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sim/lockdep/validator.h"

namespace sim {
namespace {

using Json = nlohmann::ordered_json;

// Empty: absent or not a string.
std::string Text(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool Flag(const Json& object, const char* key, bool otherwise) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() ? it->get<bool>() : otherwise;
}

const Json* Child(const Json& object, const char* key, Json::value_t type) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it != object.end() && it->type() == type ? &*it : nullptr;
}

absl::Status Want(const std::string& where, const char* what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": want ", what));
}

constexpr LockClassTraits kLocalLock{WaitType::kConfig, WaitType::kInvalid, true};
constexpr LockClassTraits kRcu{WaitType::kConfig, WaitType::kFree};
constexpr LockClassTraits kRcuSched{WaitType::kSpin, WaitType::kFree};

LockClassTraits TraitsOfKind(const std::string& kind) {
  if (kind == "spin" || kind == "rwlock") return kSpinLock;
  if (kind == "raw_spin") return kRawSpinLock;
  if (kind == "local") return kLocalLock;
  if (kind == "map") return {};
  return kSleepingLock;
}

class ProgramRun {
 public:
  ProgramRun(const Json& test, std::string where)
      : test_(test),
        where_(std::move(where)),
        validator_({.raw_lock_nesting = Text(test, "level") == "wait-type"}) {}

  absl::StatusOr<ProgramVerdict> Run() {
    verdict_ = {Text(test_, "name"), Text(test_, "column"), Text(test_, "level"), {}, {}};
    const Json* threads = Child(test_, "threads", Json::value_t::array);
    if (threads == nullptr) return Want(where_, "an array \"threads\"");
    for (size_t i = 0; i < threads->size(); ++i) {
      const std::string where = absl::StrCat(where_, "/threads/", i);
      if (absl::Status status = RunThread((*threads)[i], where); !status.ok()) return status;
    }
    verdict_.reports = validator_.reports();
    return std::move(verdict_);
  }

 private:
  absl::Status RunThread(const Json& thread, const std::string& where) {
    const Json* ops = Child(thread, "ops", Json::value_t::array);
    if (ops == nullptr) return Want(where, "an array \"ops\"");
    HeldLocks held(TaskId{thread_count_++}, Text(thread, "thread"));
    irq_ = {};
    bh_off_ = 0;
    const std::string context = Text(thread, "context");
    if (context == "hardirq" || context == "softirq") {
      irq_.hardirqs_on = context == "softirq";
      irq_.softirqs_on = false;
      (context == "hardirq" ? irq_.in_hardirq : irq_.in_softirq) = true;
    }
    validator_.SetIrqState(held, irq_, {});
    for (size_t i = 0; i < ops->size(); ++i) {
      const std::string op_where = absl::StrCat(where, "/ops/", i);
      if (!(*ops)[i].is_object()) return Want(op_where, "an object");
      Step(held, (*ops)[i]);
      verdict_.report_at.resize(validator_.reports().size(), i);
    }
    return absl::OkStatus();
  }

  void Step(HeldLocks& held, const Json& json) {
    const std::string op = Text(json, "op");
    if (StepIrq(held, json, op) || StepRcu(held, op)) return;
    const std::string lock = Text(json, absl::StartsWith(op, "ww_ctx") ? "ctx" : "lock");
    if (op == "lock" || op == "ww_lock" || op == "ww_trylock" || op == "ww_lock_slow" ||
        op == "checker_acquire") {
      const std::string result = Text(json, "result");
      if (!Flag(json, "acquired", true) || result == "busy" || result == "EALREADY") return;
      const Acquisition acquisition = MakeAcquisition(json, lock);
      validator_.Acquire(held, acquisition);
      if (result == "EDEADLK") Unlock(held, lock);
    } else if (op == "unlock" || op == "checker_release" || op == "ww_ctx_fini") {
      Unlock(held, lock);
    } else if (op == "ww_ctx_init") {
      validator_.Acquire(held, {.lock_class = ContextClass(lock), .instance = Instance(lock)});
    } else if (op == "init" || op == "free") {
      validator_.CheckNotHeld(held, Instance(lock), {});
    } else if (op == "task_exit" || op == "return_to_user") {
      validator_.CheckNoneHeld(held, {});
    } else if (op == "assert_held") {
      validator_.CheckHeld(held, ClassOf(lock, "mutex"), Instance(lock), {});
    } else if (const Json* taken = Child(json, "takes", Json::value_t::array)) {
      for (const Json& inner : *taken) {
        if (inner.is_object()) Step(held, inner);
      }
    }
  }

  // False: the operation is not about interrupts.
  bool StepIrq(HeldLocks& held, const Json& json, const std::string& op) {
    if (op == "irq_off" || op == "irq_on") {
      irq_.hardirqs_on = op == "irq_on";
    } else if (op == "bh_off" || op == "bh_on") {
      bh_off_ += op == "bh_off" ? 1 : -1;
      irq_.softirqs_on = bh_off_ <= 0;
    } else if (op == "hardirq_enter" || op == "hardirq_exit") {
      irq_.in_hardirq = op == "hardirq_enter";
      irq_.threaded = irq_.in_hardirq && Flag(json, "threaded", true);
    } else if (op == "softirq_enter" || op == "softirq_exit") {
      irq_.in_softirq = op == "softirq_enter";
    } else {
      return false;
    }
    validator_.SetIrqState(held, irq_, {});
    return true;
  }

  bool StepRcu(HeldLocks& held, const std::string& op) {
    const bool lock = absl::EndsWith(op, "_lock");
    if (!absl::StartsWith(op, "rcu_") || !(lock || absl::EndsWith(op, "_unlock"))) return false;
    const std::string flavour = op.rfind("rcu_bh", 0) == 0      ? "_bh"
                                : op.rfind("rcu_sched", 0) == 0 ? "_sched"
                                                                : "";
    const std::string name = absl::StrCat("rcu_read_lock", flavour);
    const LockClassId id = validator_.Class(name, flavour == "_sched" ? kRcuSched : kRcu);
    if (lock) {
      validator_.Acquire(held, {.lock_class = id,
                                .read = ReadMode::kSharedRecursive,
                                .check = false,
                                .instance = Instance(name)});
    } else {
      validator_.Release(held, id, Instance(name), {});
    }
    return true;
  }

  Acquisition MakeAcquisition(const Json& json, const std::string& lock) {
    const auto read = json.find("read");
    const uint64_t mode =
        read != json.end() && read->is_number_unsigned() ? read->get<uint64_t>() : 0;
    const std::string nest = Text(json, "nest");
    return {.lock_class = ClassOf(lock, Text(json, "kind")),
            .read = static_cast<ReadMode>(std::min<uint64_t>(mode, 2)),
            .trylock = Flag(json, "try", false),
            .instance = Instance(lock),
            .nest_instance = nest.empty() ? 0 : Instance(nest)};
  }

  void Unlock(HeldLocks& held, const std::string& lock) {
    const LockClassId id =
        absl::StartsWith(lock, "ctx.") ? ContextClass(lock) : ClassOf(lock, "mutex");
    validator_.Release(held, id, Instance(lock), {});
  }

  std::string ClassName(const std::string& lock) const {
    const Json* locks = Child(test_, "locks", Json::value_t::object);
    const std::string name = locks == nullptr ? "" : Text(*locks, lock.c_str());
    return name.empty() ? lock : name;
  }
  LockClassId ClassOf(const std::string& lock, const std::string& kind) {
    return validator_.Class(ClassName(lock), TraitsOfKind(kind));
  }
  // A wound/wait context is a lock of its own, held from its start to its end.
  LockClassId ContextClass(const std::string& context) {
    return validator_.Class(absl::StrCat(ClassName(context), "_acquire"));
  }
  uint64_t Instance(const std::string& name) {
    return instances_.try_emplace(name, instances_.size() + 1).first->second;
  }

  const Json& test_;
  std::string where_;
  Validator validator_;
  ProgramVerdict verdict_;
  std::map<std::string, uint64_t> instances_;
  IrqState irq_;
  int bh_off_ = 0;
  uint32_t thread_count_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<ProgramVerdict>> RunLockPrograms(const Json& table) {
  const Json* tests = Child(table, "tests", Json::value_t::array);
  if (tests == nullptr) return Want("", "an object with an array \"tests\"");
  std::vector<ProgramVerdict> verdicts;
  for (size_t i = 0; i < tests->size(); ++i) {
    const std::string where = absl::StrCat("/tests/", i);
    if (!(*tests)[i].is_object()) return Want(where, "an object");
    absl::StatusOr<ProgramVerdict> verdict = ProgramRun((*tests)[i], where).Run();
    if (!verdict.ok()) return verdict.status();
    verdicts.push_back(*std::move(verdict));
  }
  return verdicts;
}

}  // namespace sim
