// A lock graph as a picture: text for Graphviz.
//
// Sleeping locks are boxes, spinlocks rounded boxes, and what is waited for without being a lock
// (events, handles) ellipses; what a kernel's checker cannot see is filled. An edge A -> B says
// that B was waited for while A was held. Edges of a reported cycle are thick and red, and
// numbered; with a report, the picture shows the locks of its cycles and the edges among them, each
// with who was first seen with it. Without one it shows the whole graph, and the same in tooltips.
#pragma once

#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "sim/lockdep/validator.h"

namespace sim {

// `unseen`: how names of classes begin that a kernel's checker does not know.
std::string RenderDot(const Validator& validator, absl::Span<const std::string_view> unseen);

}  // namespace sim
