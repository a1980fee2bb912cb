// What a CrashFault, and what it is about, is called.
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

std::string FileName(const CrashScene& scene, FileKey key);
// By what the metadata has at that place at any time.
std::string BlockName(const CrashScene& scene, Pblk pblk);
std::string ContentText(const CrashScene& scene, SectorContent content);

}  // namespace model
