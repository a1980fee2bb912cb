// What the bytes of a metadata block say: the reverse of render.h, for blocks that were torn or
// overwritten and so are no image any more.
//
// Read is what the structures have; what they do not have (times, modes, flags) is not looked at.
#pragma once

#include "model/ondisk/render.h"

namespace model {

// Block `pblk`, block_bytes of it. At the fixed places it is taken for what belongs there,
// elsewhere for a node of an extent tree. std::monostate if it cannot be that.
BlockContent ParseBlock(const Geometry& geometry, Pblk pblk, absl::Span<const uint8_t> bytes);

}  // namespace model
