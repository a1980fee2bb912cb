// A number for the state in which an execution ended: the same where the state is the same.
//
// Of a lock program: its variables, events and who holds which lock. Of a file system: each inode's
// name, links, sizes, extents, and which write each byte of it is of (writes are numbered in the
// order in which they began). Of both: how it ended, and where tasks were stuck. Not: time, numbers
// of transactions, blocks' places in the log.
#pragma once

#include <cstdint>

#include "model/ext4/ext4.h"
#include "model/program/machine.h"
#include "sim/engine/world.h"

namespace scenario {

uint64_t FinalState(const sim::World& world, sim::ExecutionEnd end, model::Ext4SbInfo& sbi);
uint64_t FinalState(const sim::World& world, sim::ExecutionEnd end, model::Machine& machine);

}  // namespace scenario
