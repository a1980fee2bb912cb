#include "model/scenario/compile_program.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "model/scenario/nearest_name.h"
#include "model/scenario/text.h"
#include "sim/check.h"

namespace scenario {
namespace {

using model::Expression;
using model::Instruction;
using model::LockProgram;
using model::Opcode;
using model::Routine;

// Of a kind, elements of arrays included: more is a mistake, or mischief.
constexpr size_t kMaxObjects = 1 << 16;

// Where the elements of a declared name are among the objects of its kind.
struct Range {
  uint32_t first = 0;
  int64_t count = 0;  // 0: no array
};
using Ranges = std::map<std::string, Range, std::less<>>;

struct DeclaredNames {
  Ranges locks, events, variables, queues, works;
};

std::vector<std::string_view> KeysOf(const Ranges& ranges) {
  std::vector<std::string_view> keys;
  for (const auto& [name, range] : ranges) keys.push_back(name);
  return keys;
}

// Those that are not about blocks are in step.
constexpr Opcode SameOpcode(OpKind kind) {
  return static_cast<Opcode>(static_cast<int>(kind) - static_cast<int>(OpKind::kSleep));
}
static_assert(SameOpcode(OpKind::kSleep) == Opcode::kSleep);
static_assert(SameOpcode(OpKind::kLet) == Opcode::kLet);
static_assert(SameOpcode(OpKind::kFlush) == Opcode::kFlush);

// One list of operations.
class RoutineCompiler {
 public:
  RoutineCompiler(LockProgram& program, const DeclaredNames& names, std::string pointer,
                  std::vector<Problem>& problems)
      : program_(program),
        names_(names),
        pointer_(std::move(pointer)),
        site_file_(program.texts.emplace_back(pointer_).c_str()),
        problems_(problems) {
    (void)Register("me");
  }

  void Compile(const std::vector<Op>& ops, Routine& routine) {
    for (at_ = 0; at_ < ops.size(); ++at_) CompileOp(ops[at_]);
    if (!blocks_.empty()) {
      Add(PointerTo(pointer_, blocks_.back().op), "want an \"end\" for this block");
    }
    routine.code = std::move(code_);
    routine.registers = registers_.size();
  }

 private:
  struct Block {
    OpKind kind = OpKind::kIf;
    size_t op = 0;               // its first operation
    std::vector<size_t> to_end;  // jumps past its end
    std::optional<size_t> to_else;
    size_t again = 0;  // loops: where the next round begins
  };

  void CompileOp(const Op& op) {
    switch (op.kind) {
      case OpKind::kIf:
        Open(op.kind).to_else = JumpUnless(Parse(op.on.condition, "condition"));
        return;
      case OpKind::kTrylock:
        Open(op.kind).to_else = code_.size();
        return Plain(op);
      case OpKind::kElse:
        return Else();
      case OpKind::kWhile:
      case OpKind::kRepeat:
        return Loop(op);
      case OpKind::kEnd:
        return End();
      default:
        return Plain(op);
    }
  }

  void Plain(const Op& op) {
    Instruction& code = Emit(SameOpcode(op.kind));
    const ProgramOperands& on = op.on;
    code.gets_on = std::none_of(blocks_.begin(), blocks_.end(),
                                [](const Block& block) { return block.kind == OpKind::kWhile; });
    code.read = on.read;
    code.subclass = static_cast<uint32_t>(on.subclass);
    code.gfp = static_cast<sim::Gfp>(on.gfp);
    code.lo_ns = op.kind == OpKind::kSleep ? op.duration_ns : on.latency_ns.lo_ns;
    code.hi_ns = on.latency_ns.hi_ns;
    if (!on.lock.empty()) Object(on.lock, "lock", names_.locks, code);
    if (!on.event.empty()) Object(on.event, "event", names_.events, code);
    if (!on.variable.empty()) Object(on.variable, "variable", names_.variables, code);
    if (!on.queue.empty()) Object(on.queue, "queue", names_.queues, code);
    if (!on.work.empty()) code.work = Find(on.work, "work", names_.works).first;
    if (!on.value.empty()) code.value = Parse(on.value, "value");
    if (!on.old_value.empty()) code.old_value = Parse(on.old_value, "old");
    if (op.kind == OpKind::kAssert) {
      code.value = Parse(on.condition, "condition");
      code.text =
          program_.texts.emplace_back(on.message.empty() ? on.condition : on.message).c_str();
    }
    if (!on.into.empty()) code.into = Register(on.into);
    CheckKind(op, code);
    CheckSharing(op, code);
    if (on.latency_ns.lo_ns > on.latency_ns.hi_ns) {
      Complain("latency_ns", Cat("want the lowest first, got [", on.latency_ns.lo_ns, ", ",
                                 on.latency_ns.hi_ns, "]"));
    }
  }

  // Whether the lock has what is asked of it.
  void CheckKind(const Op& op, const Instruction& code) {
    if (op.on.lock.empty() || code.first >= program_.locks.size()) return;
    const model::LockKind kind = program_.locks[code.first].kind;
    const bool has_readers =
        kind == model::LockKind::kRwsem || kind == model::LockKind::kPercpuRwsem;
    if (has_readers) return;
    if (op.on.read) Complain("read", "want a lock with readers");
    if (op.kind == OpKind::kDowngrade) Complain("lock", "want a lock with readers");
  }

  void CheckSharing(const Op& op, const Instruction& code) {
    if (op.kind != OpKind::kAdd && op.kind != OpKind::kCas) return;
    if (code.first >= program_.variables.size()) return;
    const sim::Sharing sharing = program_.variables[code.first].sharing;
    if (sharing == sim::Sharing::kAtomic || sharing == sim::Sharing::kOrdered) return;
    Complain("variable", "want one that is \"atomic\" or \"ordered\"");
  }

  Block& Open(OpKind kind) { return blocks_.emplace_back(Block{.kind = kind, .op = at_}); }

  void Else() {
    if (blocks_.empty() || !blocks_.back().to_else) {
      return Complain("", "\"else\" without an \"if\" or \"trylock\"");
    }
    Block& block = blocks_.back();
    block.to_end.push_back(code_.size());
    Emit(Opcode::kJump);
    code_[*block.to_else].jump = static_cast<uint32_t>(code_.size());
    block.to_else.reset();
  }

  // A counter of its own bounds each loop.
  void Loop(const Op& op) {
    const std::string counter = Cat("_round", at_);
    Block block{.kind = op.kind, .op = at_};
    Emit(Opcode::kLet).into = Register(counter);
    block.again = code_.size();
    block.to_end.push_back(JumpUnless(Parse(Cat(counter, " < ", op.on.times), "times")));
    if (op.kind == OpKind::kWhile) {
      block.to_end.push_back(JumpUnless(Parse(op.on.condition, "condition")));
    }
    Instruction& count = Emit(Opcode::kLet);
    count.value = Parse(Cat(counter, " + 1"), "times");
    count.into = Register(counter);
    blocks_.push_back(std::move(block));
  }

  void End() {
    if (blocks_.empty()) return Complain("", "\"end\" without a block");
    const Block block = std::move(blocks_.back());
    blocks_.pop_back();
    if (block.kind == OpKind::kWhile || block.kind == OpKind::kRepeat) {
      Emit(Opcode::kJump).jump = static_cast<uint32_t>(block.again);
    }
    const auto end = static_cast<uint32_t>(code_.size());
    for (const size_t jump : block.to_end) code_[jump].jump = end;
    if (block.to_else) code_[*block.to_else].jump = end;
  }

  size_t JumpUnless(Expression condition) {
    Emit(Opcode::kJumpUnless).value = std::move(condition);
    return code_.size() - 1;
  }

  Instruction& Emit(Opcode opcode) {
    Instruction& code = code_.emplace_back();
    code.op = opcode;
    code.site = {site_file_, static_cast<int>(at_)};
    return code;
  }

  // "name" or "name[expression]".
  void Object(std::string_view text, std::string_view key, const Ranges& ranges,
              Instruction& code) {
    const size_t bracket = text.find('[');
    const std::string_view name = text.substr(0, bracket);
    const Range range = Find(name, key, ranges);
    code.first = range.first;
    code.count = static_cast<uint32_t>(std::max<int64_t>(range.count, 1));
    const bool indexed = bracket != std::string_view::npos;
    if (indexed && !text.ends_with(']')) return Complain(key, "want a \"]\" at the end");
    if (indexed != (range.count > 0) && ranges.contains(name)) {
      return Complain(key, range.count > 0 ? Cat("want an element, \"", name, "[expression]\"")
                                           : Cat("\"", name, "\" is no array"));
    }
    if (indexed) {
      code.index = Parse(text.substr(bracket + 1, text.size() - bracket - 2), key);
    }
  }

  Range Find(std::string_view name, std::string_view key, const Ranges& ranges) {
    const auto it = ranges.find(name);
    if (it != ranges.end()) return it->second;
    Complain(key, Cat("no such ", key, " in \"program\"", Suggestion(name, KeysOf(ranges))));
    return {UINT32_MAX, 0};
  }

  Expression Parse(std::string_view text, std::string_view key) {
    auto expression = Expression::Parse(text, [this](std::string_view name) {
      const auto it = registers_.find(name);
      return it == registers_.end() ? -1 : it->second;
    });
    if (expression.ok()) return *std::move(expression);
    Complain(key, Cat(expression.status().message(), " in \"", text, "\""));
    return Expression();
  }
  int Register(const std::string& name) {
    return registers_.try_emplace(name, static_cast<int>(registers_.size())).first->second;
  }

  void Complain(std::string_view key, std::string message) {
    const std::string pointer = PointerTo(pointer_, at_);
    Add(key.empty() ? pointer : PointerTo(pointer, key), std::move(message));
  }
  void Add(std::string pointer, std::string message) {
    problems_.push_back({std::move(pointer), std::move(message)});
  }

  LockProgram& program_;
  const DeclaredNames& names_;
  std::string pointer_;
  const char* site_file_;
  std::vector<Problem>& problems_;
  std::vector<Instruction> code_;
  std::vector<Block> blocks_;
  std::map<std::string, int, std::less<>> registers_;
  size_t at_ = 0;  // the operation
};

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
    InferDebts();
    FindWhatIsLearnt();
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
    RoutineCompiler(*program_, names_, list, problems_).Compile(ops, routine);
    routine.frame = {program_->texts.emplace_back(name).c_str(),
                     {program_->texts.emplace_back(list).c_str(), 0}};
  }

  // Whoever waits for an event that one routine signals, once and for all, waits for that routine;
  // if only items of one queue do, for a slot of it.
  void InferDebts() {
    for (uint32_t event = 0; event < program_->events.size(); ++event) {
      model::EventDecl& decl = program_->events[event];
      decl.learns = decl.initial == 0 && !IsMentioned(Opcode::kOwe, event);
      if (decl.counting || decl.initial > 0 || !IsOnlySignalled(event)) continue;
      const std::vector<Routine*> threads = Signallers(program_->threads, event);
      const std::vector<Routine*> works = Signallers(program_->works, event);
      if (threads.size() + works.size() == 1) {
        (threads.empty() ? works : threads)[0]->owes.push_back(event);
        decl.learns = false;
      }
      if (threads.empty()) decl.left_to = QueueOf(event);
    }
  }
  void FindWhatIsLearnt() {
    const auto learns = [](const model::EventDecl& event) { return event.learns; };
    program_->learns_ends = std::any_of(program_->events.begin(), program_->events.end(), learns);
    for (uint32_t i = 0; i < program_->variables.size(); ++i) {
      program_->learns_ends |= IsMentioned(Opcode::kWaitUntil, i);
    }
  }
  // And never cleared.
  bool IsOnlySignalled(uint32_t event) const {
    return !IsMentioned(Opcode::kClear, event) && !IsMentioned(Opcode::kSubmit, event) &&
           !IsMentioned(Opcode::kOwe, event);
  }
  bool IsMentioned(Opcode opcode, uint32_t event) const {
    const auto mentions = [&](const Routine& routine) { return Mentions(routine, opcode, event); };
    return std::any_of(program_->threads.begin(), program_->threads.end(), mentions) ||
           std::any_of(program_->works.begin(), program_->works.end(), mentions);
  }
  static std::vector<Routine*> Signallers(std::deque<Routine>& routines, uint32_t event) {
    std::vector<Routine*> signallers;
    for (Routine& routine : routines) {
      if (Mentions(routine, Opcode::kSignal, event)) signallers.push_back(&routine);
    }
    return signallers;
  }
  // The only queue that items which signal the event are put into; -1: there is no such queue.
  int32_t QueueOf(uint32_t event) const {
    std::set<int32_t> queues;
    for (const auto* routines : {&program_->threads, &program_->works}) {
      for (const Routine& routine : *routines) {
        for (const Instruction& code : routine.code) {
          if (code.op != Opcode::kQueue || code.work >= program_->works.size()) continue;
          if (!Mentions(program_->works[code.work], Opcode::kSignal, event)) continue;
          queues.insert(static_cast<int32_t>(code.first));
        }
      }
    }
    return queues.size() == 1 ? *queues.begin() : -1;
  }
  static bool Mentions(const Routine& routine, Opcode opcode, uint32_t event) {
    return std::any_of(routine.code.begin(), routine.code.end(), [&](const Instruction& code) {
      return code.op == opcode && code.first == event;
    });
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
