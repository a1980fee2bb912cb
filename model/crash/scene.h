// Where an execution is when a family is judged: what stories and images are made from.
#pragma once

#include "model/crash/committed_states.h"
#include "model/crash/history.h"
#include "model/crash/recovery.h"
#include "model/crash/submissions.h"

namespace model {

struct CrashScene {
  const sim::World& world;
  const sim::BlockDevice& device;
  const Geometry& geometry;
  const ImageStore& images;
  const History& history;
  CommittedStates& states;
  const Submissions& submissions;
  RecoveryRules recovery_rules;
};

}  // namespace model
