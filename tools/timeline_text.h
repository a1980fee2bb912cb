// A run as one line per event, for people who look for where it went wrong.
//
// Columns: turn and virtual time in seconds, both given once for all that a turn does; the task, or
// irq; the transaction that its handle is in or that it commits; how many bios are under way; the
// innermost modelled function; the operation; the locks that the task holds, outermost first: in
// parentheses those held shared, with "..." events that it owes. There " stands for those of the
// last line above that has them in full. For an operation that takes a lock they are those before.
// Lock names are short (ShortNames).
//
// A lock taken and given back with nothing in between is one line. Nothing is left out: what is too
// long for its column pushes the next one aside, and locks that do not fit in 120 columns go on in
// the next line.
#pragma once

#include <ostream>

#include "model/scenario/runner.h"

namespace tools {

void WriteTimeline(const scenario::ReplayedRun& run, std::ostream& out);

}  // namespace tools
