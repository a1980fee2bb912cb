// Random operations of two files on a TinyFs.
#pragma once

#include "tests/crash/tiny_fs.h"

namespace model {

// So many, drawn from the world's seed.
void RunRandomHistory(TinyFs& fs, int operations);

}  // namespace model
