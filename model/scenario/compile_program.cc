#include "model/scenario/compile_program.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "model/program/infer_ends.h"
#include "model/scenario/compile_routine.h"
#include "model/scenario/text.h"
#include "sim/check.h"

namespace scenario {
namespace {

using model::LockProgram;
using model::Routine;

// Of a kind, elements of arrays included: more is a mistake, or mischief.
constexpr size_t kMaxObjects = 1 << 16;

class ProgramCompiler {
 public:
  ProgramCompiler(const Scenario& scenario, std::vector<Problem>& problems)
      : scenario_(scenario), config_(*scenario.program), problems_(problems) {}

  std::unique_ptr<LockProgram> Compile() {
    DeclareLocks();
    DeclareEvents();
    CheckUniqueLocks();
    DeclareVariables();
    for (size_t i = 0; i < config_.queues.size(); ++i) {
      const QueueConfig& queue = config_.queues[i];
      Declare(names_.queues, queue.name, 0, program_->queues.size(), "/program/queues", i);
      program_->queues.push_back({queue.name, static_cast<int>(queue.max_active)});
    }
    for (size_t i = 0; i < config_.works.size(); ++i) {
      Declare(names_.works, config_.works[i].name, 0, i, "/program/works", i);
    }
    for (size_t i = 0; i < config_.works.size(); ++i) {
      const WorkConfig& work = config_.works[i];
      Routine& routine = program_->works.emplace_back();
      CompileRoutine(work.name, work.ops, PointerTo("/program/works", i), routine);
    }
    for (size_t i = 0; i < scenario_.threads.size(); ++i) {
      CompileThread(scenario_.threads[i], static_cast<int64_t>(i));
    }
    InferEnds(*program_);
    return std::move(program_);
  }

 private:
  void Declare(Ranges& ranges, const std::string& name, int64_t count, size_t first,
               std::string_view list, size_t i) {
    if (first + static_cast<size_t>(count) > kMaxObjects) {
      problems_.push_back(
          {PointerTo(list, i), Cat("want at most ", kMaxObjects, " of them, elements included")});
    }
    const Range range{static_cast<uint32_t>(first), count};
    if (!ranges.try_emplace(name, range).second) {
      problems_.push_back(
          {PointerTo(PointerTo(list, i), "name"), Cat("\"", name, "\" is there twice")});
    }
  }

  void DeclareLocks() {
    for (size_t i = 0; i < config_.locks.size(); ++i) {
      const LockConfig& lock = config_.locks[i];
      Declare(names_.locks, lock.name, lock.count, program_->locks.size(), "/program/locks", i);
      if (lock.ordered && lock.count == 0) {
        problems_.push_back({PointerTo(PointerTo("/program/locks", i), "ordered"),
                             "want a \"count\": it is about the elements of an array"});
      }
      if (program_->locks.size() > kMaxObjects) return;
      for (int64_t element = 0; element < std::max<int64_t>(lock.count, 1); ++element) {
        model::LockDecl decl;
        decl.name = lock.name;
        decl.lock_class = lock.lock_class.empty() ? lock.name : lock.lock_class;
        decl.kind = static_cast<model::LockKind>(lock.kind);
        decl.unique = lock.unique;
        if (lock.count > 0)
          (lock.ordered ? decl.index : decl.number) = static_cast<uint64_t>(element);
        program_->locks.push_back(std::move(decl));
      }
    }
  }

  void CheckUniqueLocks() {
    std::map<std::string_view, size_t> locks_of_class;
    for (const model::LockDecl& lock : program_->locks) ++locks_of_class[lock.lock_class];
    for (const model::EventDecl& event : program_->events) ++locks_of_class[event.lock_class];
    for (size_t i = 0; i < config_.locks.size(); ++i) {
      const LockConfig& lock = config_.locks[i];
      if (!lock.unique) continue;
      const std::string& name = lock.lock_class.empty() ? lock.name : lock.lock_class;
      if (locks_of_class[name] == 1 && lock.kind != LockKind::kFolio) continue;
      problems_.push_back(
          {PointerTo(PointerTo("/program/locks", i), "unique"),
           Cat("want the only lock of class \"", name, "\", and one that its taker gives back")});
    }
  }

  void DeclareEvents() {
    for (size_t i = 0; i < config_.events.size(); ++i) {
      const EventConfig& event = config_.events[i];
      Declare(names_.events, event.name, 0, program_->events.size(), "/program/events", i);
      program_->events.push_back({event.name,
                                  event.lock_class.empty() ? event.name : event.lock_class,
                                  event.initial, event.counting});
    }
  }

  void DeclareVariables() {
    for (size_t i = 0; i < config_.variables.size(); ++i) {
      const VariableConfig& variable = config_.variables[i];
      Declare(names_.variables, variable.name, variable.count, program_->variables.size(),
              "/program/variables", i);
      if (program_->variables.size() > kMaxObjects) return;
      for (int64_t element = 0; element < std::max<int64_t>(variable.count, 1); ++element) {
        model::VariableDecl decl{variable.name, variable.initial,
                                 static_cast<sim::Sharing>(variable.sharing)};
        if (variable.count > 0) decl.number = static_cast<uint64_t>(element);
        program_->variables.push_back(std::move(decl));
      }
    }
  }

  void CompileThread(const ThreadConfig& thread, int64_t number) {
    Routine& routine = program_->threads.emplace_back();
    routine.me = number;
    routine.repeat = thread.repeat;
    routine.daemon = thread.daemon;
    if (thread.context != ThreadContext::kTask) {
      routine.irq.in_hardirq = thread.context == ThreadContext::kHardirq;
      routine.irq.in_softirq = !routine.irq.in_hardirq;
      routine.irq.hardirqs_on = !routine.irq.in_hardirq;
      routine.irq.softirqs_on = false;
    }
    const std::string pointer = PointerTo("/threads", static_cast<size_t>(number));
    CompileRoutine(thread.name, thread.ops, pointer, routine);
    if (thread.daemon && (thread.ops.empty() || thread.ops[0].kind != OpKind::kWait)) {
      problems_.push_back({PointerTo(pointer, "daemon"),
                           "want a daemon to begin with a \"wait\", for something to do"});
    }
  }

  void CompileRoutine(const std::string& name, const std::vector<Op>& ops,
                      const std::string& pointer, Routine& routine) {
    routine.name = name;
    const std::string list = PointerTo(pointer, "ops");
    CompileOps(ops, list, names_, *program_, routine, problems_);
    routine.frame = {program_->texts.emplace_back(name).c_str(),
                     {program_->texts.emplace_back(list).c_str(), 0}};
  }

  const Scenario& scenario_;
  const ProgramConfig& config_;
  std::vector<Problem>& problems_;
  DeclaredNames names_;
  std::unique_ptr<LockProgram> program_ = std::make_unique<LockProgram>();
};

}  // namespace

std::unique_ptr<LockProgram> CompileProgram(const Scenario& scenario,
                                            std::vector<Problem>& problems) {
  SIM_CHECK(scenario.program.has_value());
  return ProgramCompiler(scenario, problems).Compile();
}

std::unique_ptr<model::LockProgram> CompiledProgram(const Scenario& scenario) {
  if (!scenario.program) return nullptr;
  std::vector<Problem> problems;
  auto program = CompileProgram(scenario, problems);
  SIM_CHECK(problems.empty());
  return program;
}

std::shared_ptr<const sim::Validator> KeepWith(std::shared_ptr<const model::LockProgram> program,
                                               std::shared_ptr<const sim::Validator> locks) {
  const sim::Validator* const validator = locks.get();
  auto both = std::make_shared<
      std::pair<std::shared_ptr<const model::LockProgram>, std::shared_ptr<const sim::Validator>>>(
      std::move(program), std::move(locks));
  return {std::move(both), validator};
}

}  // namespace scenario
