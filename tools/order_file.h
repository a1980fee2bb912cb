// Files that document lock orders, such as orders/ext4.json: JSON -> sim::LockOrders.
//
//   {"schema": 1, "name", "about",
//    "classes": [{"name": "i_rwsem", "known_as": ["&sb->s_type->i_mutex_key", ...]}],
//    "chains": [{"name": "write", "source": "...", "classes": ["i_rwsem", "jbd2_handle", ...]}]}
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"
#include "sim/lockdep/lock_orders.h"

namespace tools {

// Any bytes. `path` is for messages; failure: "path:line:column: pointer: want ..., got ...", one
// line for each place.
absl::StatusOr<sim::LockOrders> ParseLockOrders(std::string_view path, std::string_view text);
absl::StatusOr<sim::LockOrders> LoadLockOrders(const std::string& path);

nlohmann::ordered_json LockOrdersSchema();

}  // namespace tools
