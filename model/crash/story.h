// Tells people what a CrashFault is.
#pragma once

#include <string>

#include "model/crash/family.h"

namespace model {

// Where an execution is when a family is judged: what stories and images are made from.
struct CrashScene {
  const sim::World& world;
  const sim::BlockDevice& device;
  const Geometry& geometry;
  const ImageStore& images;
  const History& history;
  CommittedStates& states;
};

// One of the kinds in crash_checker.h.
const char* FindingKindOf(const CrashFault& fault);
// The same for all occurrences of one fault; of damage to a file, with the range.
std::string MessageOf(const CrashScene& scene, const CrashFault& fault);
// What occurrences are told apart by: the message, less what depends on where it was seen first.
std::string IdentityOf(const CrashScene& scene, const CrashFault& fault);
// The concrete state, as the device is now: which transactions are recovered, which pending writes
// are there and which are lost; those not named may be either.
std::string DetailOf(const CrashScene& scene, const PossibleRecovery& recovery,
                     const CrashFault& fault);

}  // namespace model
