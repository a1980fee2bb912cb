// Who has to end a wait for an event, as far as the program's text says so.
//
// - An event that one routine alone signals, once and for all: whoever waits for it waits for that
//   routine from its start (Routine::owes).
// - One that only items of one queue signal: for a slot of that queue (EventDecl::left_to).
// - Of others it is learnt from executions (EventDecl::learns, LockProgram::learns_ends), unless
//   the program says it ("owe") or the event is there from the start.
#pragma once

#include "model/program/program.h"

namespace model {

// Sets these fields. Requires: all else has been compiled.
void InferEnds(LockProgram& program);

}  // namespace model
