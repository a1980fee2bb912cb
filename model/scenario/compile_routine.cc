#include "model/scenario/compile_routine.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "model/scenario/nearest_name.h"
#include "model/scenario/text.h"

namespace scenario {
namespace {

using model::Expression;
using model::Instruction;
using model::LockProgram;
using model::Opcode;
using model::Routine;

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

}  // namespace

void CompileOps(const std::vector<Op>& ops, const std::string& pointer, const DeclaredNames& names,
                LockProgram& program, Routine& routine, std::vector<Problem>& problems) {
  RoutineCompiler(program, names, pointer, problems).Compile(ops, routine);
}

}  // namespace scenario
