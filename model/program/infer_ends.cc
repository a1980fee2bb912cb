#include "model/program/infer_ends.h"

#include <algorithm>
#include <set>
#include <vector>

namespace model {
namespace {

using Routines = std::deque<Routine>;

// Of an event or a variable.
bool Mentions(const Routine& routine, Opcode opcode, uint32_t object) {
  return std::any_of(routine.code.begin(), routine.code.end(), [&](const Instruction& code) {
    return code.op == opcode && code.first == object;
  });
}

bool IsMentioned(const LockProgram& program, Opcode opcode, uint32_t object) {
  const auto mentions = [&](const Routine& routine) { return Mentions(routine, opcode, object); };
  return std::any_of(program.threads.begin(), program.threads.end(), mentions) ||
         std::any_of(program.works.begin(), program.works.end(), mentions);
}

// And never cleared.
bool IsOnlySignalled(const LockProgram& program, uint32_t event) {
  return !IsMentioned(program, Opcode::kClear, event) &&
         !IsMentioned(program, Opcode::kSubmit, event) &&
         !IsMentioned(program, Opcode::kOwe, event);
}

std::vector<Routine*> Signallers(Routines& routines, uint32_t event) {
  std::vector<Routine*> signallers;
  for (Routine& routine : routines) {
    if (Mentions(routine, Opcode::kSignal, event)) signallers.push_back(&routine);
  }
  return signallers;
}

// The only queue that items which signal the event are put into; -1: there is no such queue.
int32_t QueueOf(const LockProgram& program, uint32_t event) {
  std::set<int32_t> queues;
  for (const Routines* routines : {&program.threads, &program.works}) {
    for (const Routine& routine : *routines) {
      for (const Instruction& code : routine.code) {
        if (code.op != Opcode::kQueue || code.work >= program.works.size()) continue;
        if (!Mentions(program.works[code.work], Opcode::kSignal, event)) continue;
        queues.insert(static_cast<int32_t>(code.first));
      }
    }
  }
  return queues.size() == 1 ? *queues.begin() : -1;
}

void InferEndOf(LockProgram& program, uint32_t event) {
  EventDecl& decl = program.events[event];
  decl.learns = decl.initial == 0 && !IsMentioned(program, Opcode::kOwe, event);
  if (decl.counting || decl.initial > 0 || !IsOnlySignalled(program, event)) return;
  const std::vector<Routine*> threads = Signallers(program.threads, event);
  const std::vector<Routine*> works = Signallers(program.works, event);
  if (threads.size() + works.size() == 1) {
    (threads.empty() ? works : threads)[0]->owes.push_back(event);
    decl.learns = false;
  }
  if (threads.empty()) decl.left_to = QueueOf(program, event);
}

}  // namespace

void InferEnds(LockProgram& program) {
  for (uint32_t event = 0; event < program.events.size(); ++event) InferEndOf(program, event);
  const auto learns = [](const EventDecl& event) { return event.learns; };
  program.learns_ends = std::any_of(program.events.begin(), program.events.end(), learns);
  for (uint32_t variable = 0; variable < program.variables.size(); ++variable) {
    program.learns_ends |= IsMentioned(program, Opcode::kWaitUntil, variable);
  }
}

}  // namespace model
