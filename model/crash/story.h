// Tells people what a CrashFault is.
#pragma once

#include <string>

#include "model/crash/minimal_state.h"

namespace model {

// One of the kinds in crash_checker.h.
const char* FindingKindOf(const CrashFault& fault);
// The same for all occurrences of one fault; of damage to a file, with the range.
std::string MessageOf(const CrashScene& scene, const CrashFault& fault);
// What occurrences are told apart by: the message, less what depends on where it was seen first.
std::string IdentityOf(const CrashScene& scene, const CrashFault& fault);
// What happened, in the smallest state that shows it: which transactions are recovered and which of
// them carried the metadata; the writes that are lost, and why they are not durable; those that
// have to be there; for each, who submitted it, for which operation, holding what; and the rule
// that would have excluded it.
std::string DetailOf(const CrashScene& scene, const CrashFault& fault, const MinimalState& minimal);

}  // namespace model
