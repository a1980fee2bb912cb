#include "sim/lockdep/lock_program.h"
#include "nlohmann/json.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sim/lockdep/kernel_verdict.h"
#include "sim/lockdep/reclaim.h"
#include "sim/lockdep/validator.h"
#include "sim/lockdep/ww_rules.h"

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

// 0: absent or not a number.
uint64_t Number(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
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

// What a kernel says at most: MAX_LOCK_DEPTH.
constexpr size_t kKernelLockDepth = 48;

// "GFP_NOFS" or "NOFS"; none: not one that we know.
std::optional<Gfp> GfpOf(absl::string_view name) {
  absl::ConsumePrefix(&name, "GFP_");
  if (name == "KERNEL") return Gfp::kKernel;
  if (name == "NOFS") return Gfp::kNoFs;
  if (name == "NOIO") return Gfp::kNoIo;
  if (name == "ATOMIC" || name == "NOWAIT") return Gfp::kAtomic;
  return std::nullopt;
}

class ProgramRun {
 public:
  ProgramRun(const Json& test, std::string where)
      : test_(test),
        where_(std::move(where)),
        validator_({.raw_lock_nesting = Text(test, "level") == "wait-type"}) {}

  absl::StatusOr<ProgramVerdict> Run() {
    verdict_.name = Text(test_, "name");
    verdict_.column = Text(test_, "column");
    const Json* threads = Child(test_, "threads", Json::value_t::array);
    if (threads == nullptr) return Want(where_, "an array \"threads\"");
    for (size_t i = 0; i < threads->size(); ++i) {
      const std::string where = absl::StrCat(where_, "/threads/", i);
      if (absl::Status status = RunThread((*threads)[i], where); !status.ok()) return status;
    }
    verdict_.reports = validator_.reports();
    for (size_t i = 0; i < nests_.size(); ++i) verdict_.reports[i].nest = nests_[i];
    if (verdict_.inexpressible.empty()) verdict_.difference = DifferenceFromKernel(test_, verdict_);
    return std::move(verdict_);
  }

 private:
  absl::Status RunThread(const Json& thread, const std::string& where) {
    const Json* ops = Child(thread, "ops", Json::value_t::array);
    if (ops == nullptr) return Want(where, "an array \"ops\"");
    HeldLocks held(TaskId{thread_count_++}, Text(thread, "thread"));
    irq_ = {};
    scopes_ = {};
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
      const Json& op = (*ops)[i];
      if (!op.is_object()) return Want(op_where, "an object");
      at_ = {.site = {"op", static_cast<int>(i)}, .step = i};
      if (!Step(held, op) && verdict_.inexpressible.empty()) {
        verdict_.inexpressible = absl::StrCat(op_where, ": no rule for ", op.dump());
      }
      verdict_.report_at.resize(validator_.reports().size(), i);
      nests_.resize(validator_.reports().size(), Text(op, "nest"));
    }
    return absl::OkStatus();
  }

  // False: not an operation that we know.
  bool Step(HeldLocks& held, const Json& json) {
    const std::string op = Text(json, "op");
    return StepLock(held, json, op) || StepIrq(held, json, op) || StepRcu(held, op) ||
           StepWw(held, json, op) || StepMemory(held, json, op) || StepTask(held, op);
  }

  bool StepLock(HeldLocks& held, const Json& json, const std::string& op) {
    const std::string lock = Text(json, "lock");
    const LockClassId lock_class = ClassOf(lock, Text(json, "kind"));
    const uint64_t instance = Instance(lock);
    if (op == "lock" || op == "checker_acquire") {
      if (Flag(json, "acquired", true)) Acquire(held, MakeAcquisition(json, lock));
    } else if (op == "unlock" || op == "checker_release") {
      if (op == "unlock") CheckWw(held, lock, ww_.ww_mutex_unlock(lock));
      validator_.Release(held, lock_class, instance, at_);
    } else if (op == "sync") {
      validator_.Sync(held, MakeAcquisition(json, lock));
    } else if (op == "downgrade" && held.Find(instance) != nullptr) {
      validator_.Downgrade(held, instance);
    } else if (op == "set_class") {
      validator_.SetClass(held, validator_.Class(Text(json, "class"), kSleepingLock),
                          SubclassOf(json), instance, at_);
    } else if (op == "pin") {
      validator_.Pin(held, lock_class, instance, at_);
    } else if (op == "unpin") {
      validator_.Unpin(held, lock_class, instance, at_);
    } else if (op == "assert_held") {
      validator_.CheckHeld(held, lock_class, instance, at_);
    } else if (op == "init") {
      validator_.CheckNotHeld(held, instance, at_);
      if (absl::StrContains(Text(json, "note"), "never registered")) {
        validator_.Misuse(held, absl::StrCat("BUG: key ", lock, " has not been registered!"),
                          MakeAcquisition(json, lock));
      }
    } else {
      return false;
    }
    return true;
  }

  void Acquire(HeldLocks& held, const Acquisition& acquisition) {
    validator_.Acquire(held, acquisition);
    if (held.locks().size() == kKernelLockDepth) {
      validator_.Misuse(held, "BUG: MAX_LOCK_DEPTH too low!", acquisition);
    }
  }

  bool StepIrq(HeldLocks& held, const Json& json, const std::string& op) {
    if (op == "preempt_off" || op == "preempt_on") return true;
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
    validator_.SetIrqState(held, irq_, at_);
    return true;
  }

  bool StepRcu(HeldLocks& held, const std::string& op) {
    const std::string flavour = absl::StartsWith(op, "rcu_bh")      ? "_bh"
                                : absl::StartsWith(op, "rcu_sched") ? "_sched"
                                                                    : "";
    const std::string name = absl::StrCat("rcu_read_lock", flavour);
    const LockClassId id = validator_.Class(name, flavour == "_sched" ? kRcuSched : kRcu);
    if (op == absl::StrCat("rcu", flavour, "_lock")) {
      Acquire(held, {.lock_class = id,
                     .read = ReadMode::kSharedRecursive,
                     .check = false,
                     .instance = Instance(name),
                     .at = at_});
    } else if (op == absl::StrCat("rcu", flavour, "_unlock")) {
      validator_.Release(held, id, Instance(name), at_);
    } else if (op == "rcu_dereference") {
      if (held.Find(Instance(name)) == nullptr) {
        validator_.Misuse(held, "WARNING: suspicious RCU usage", {.lock_class = id, .at = at_});
      }
    } else {
      return false;
    }
    return true;
  }

  bool StepWw(HeldLocks& held, const Json& json, const std::string& op) {
    if (op == "poke") return ww_.Poke(Text(json, "what"));
    if (op == "ww_lock" || op == "ww_trylock" || op == "ww_lock_slow") {
      WwLock(held, json, op);
      return true;
    }
    const std::string ctx = Text(json, "ctx");
    const Acquisition context{
        .lock_class = ContextClass(ctx), .instance = Instance(ctx), .at = at_};
    if (op == "ww_ctx_init") {
      ww_.ww_acquire_init(ctx, ClassName(ctx));
      Acquire(held, context);
    } else if (op == "ww_ctx_done") {
      validator_.CheckHeld(held, context.lock_class, context.instance, at_);
      CheckWw(held, ctx, ww_.ww_acquire_done(ctx));
    } else if (op == "ww_ctx_fini") {
      validator_.Release(held, context.lock_class, context.instance, at_);
      CheckWw(held, ctx, ww_.ww_acquire_fini(ctx));
    } else {
      return false;
    }
    return true;
  }

  // EALREADY and a failed trylock come before the checker is told.
  void WwLock(HeldLocks& held, const Json& json, const std::string& op) {
    const std::string lock = Text(json, "lock");
    const std::string ctx = Text(json, "nest");
    const std::string result = Text(json, "result");
    if (op == "ww_lock_slow") CheckWw(held, lock, ww_.ww_mutex_lock_slow(ctx));
    if (result == "busy" || result == "EALREADY") return;
    const Acquisition acquisition = MakeAcquisition(json, lock);
    Acquire(held, acquisition);
    if (result == "EDEADLK") {
      CheckWw(held, lock, ww_.ww_mutex_kill(lock, ctx));
      validator_.Release(held, acquisition.lock_class, acquisition.instance, at_);
    } else if (!ctx.empty()) {
      CheckWw(held, lock, ww_.ww_mutex_lock_acquired(lock, ClassName(lock), ctx));
    }
  }

  void CheckWw(HeldLocks& held, const std::string& lock, std::string_view failed) {
    if (failed.empty()) return;
    validator_.Misuse(
        held, absl::StrCat("DEBUG_LOCKS_WARN_ON(", std::string(failed), ")"),
        {.lock_class = absl::StartsWith(lock, "ctx.") ? ContextClass(lock) : ClassOf(lock, "ww"),
         .instance = Instance(lock),
         .at = at_});
  }

  bool StepMemory(HeldLocks& held, const Json& json, const std::string& op) {
    if (op == "nofs_save" || op == "nofs_restore") {
      scopes_.nofs += op == "nofs_save" ? 1 : -1;
    } else if (op == "noio_save" || op == "noio_restore") {
      scopes_.noio += op == "noio_save" ? 1 : -1;
    } else if (op == "might_alloc") {
      return MightAlloc(held, json);
    } else if (op == "free") {
      validator_.CheckNotHeld(held, Instance(Text(json, "object")), at_);
    } else {
      return op == "alloc";
    }
    return true;
  }

  bool MightAlloc(HeldLocks& held, const Json& json) {
    const std::optional<Gfp> gfp = GfpOf(Text(json, "gfp"));
    if (const Json* taken = Child(json, "takes", Json::value_t::array)) {
      return std::all_of(taken->begin(), taken->end(),
                         [&](const Json& inner) { return inner.is_object() && Step(held, inner); });
    }
    if (!gfp) return false;
    if (!scopes_.MayReclaimFs(*gfp)) return true;
    const std::string lock = ReclaimLock();
    const Acquisition reclaim{
        .lock_class = ClassOf(lock, "map"), .instance = Instance(lock), .at = at_};
    Acquire(held, reclaim);
    validator_.Release(held, reclaim.lock_class, reclaim.instance, at_);
    return true;
  }

  bool StepTask(HeldLocks& held, const std::string& op) {
    if (op == "task_exit") {
      validator_.CheckNoneHeld(held, at_);
    } else if (op == "return_to_user") {
      validator_.CheckNoneHeld(held, at_, ReportKind::kHeldInUserSpace);
    } else {
      return false;
    }
    return true;
  }

  Acquisition MakeAcquisition(const Json& json, const std::string& lock) {
    const std::string nest = Text(json, "nest");
    return {.lock_class = ClassOf(lock, Text(json, "kind")),
            .subclass = SubclassOf(json),
            .read = static_cast<ReadMode>(std::min<uint64_t>(Number(json, "read"), 2)),
            .trylock = Flag(json, "try", false),
            .instance = Instance(lock),
            .nest_instance = nest.empty() ? 0 : Instance(nest),
            .at = at_};
  }
  static uint32_t SubclassOf(const Json& json) {
    return static_cast<uint32_t>(std::min<uint64_t>(Number(json, "subclass"), kMaxSubclasses - 1));
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
  // The lock of the table that stands for reclaim.
  std::string ReclaimLock() const {
    if (const Json* locks = Child(test_, "locks", Json::value_t::object)) {
      for (const auto& [lock, unused] : locks->items()) {
        if (absl::EndsWith(lock, "fs_reclaim")) return lock;
      }
    }
    return "fs_reclaim";
  }

  const Json& test_;
  std::string where_;
  Validator validator_;
  WwRules ww_;
  ProgramVerdict verdict_;
  std::vector<std::string> nests_;  // by report
  std::map<std::string, uint64_t> instances_;
  Here at_;
  IrqState irq_;
  ReclaimScopes scopes_;
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
