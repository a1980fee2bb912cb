// Runs as trace-event JSON, which timeline viewers open (ui.perfetto.dev, chrome://tracing).
//
// A run is a process, a task a track in it, and so are interrupts. The axis counts turns: turn n
// begins at n us and is 1 us long, with its events spread over it. (Virtual time, which stands
// beside each, has seconds without an event between turns of 200 ns.) On a task's track lie its
// system calls, the locks that it holds and its waits, nested as the format wants it: when a lock
// is given up that others were taken under, their spans are cut there and go on. Transactions, with
// their states, and bios are asynchronous spans; how many bios are under way is a counter. Arrows
// lead from whoever ends a wait to the waiter, and from submission to completion.
//
// [Trace Event Format; bytes are a function of the runs]
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "model/scenario/runner.h"

namespace tools {

void WriteTraceEvents(const std::string& scenario, const std::vector<scenario::ReplayedRun>& runs,
                      std::ostream& out);

}  // namespace tools
