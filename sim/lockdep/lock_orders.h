// The lock orders that a subsystem documents, held against those that were observed.
//
// A documented order is a chain of classes, outermost first: whoever holds one of them may take
// those behind it, and nobody may do the opposite. Chains add up: with A > B and B > C documented,
// an observed C -> A contradicts both. What the documents say nothing about is allowed.
#pragma once

#include <string>
#include <vector>

#include "sim/lockdep/class_names.h"
#include "sim/lockdep/report.h"
#include "sim/lockdep/validator.h"

namespace sim {

struct DocumentedChain {
  std::string name;                  // which path it is about
  std::string source;                // where it is written
  std::vector<std::string> classes;  // outermost first; as LockOrders::classes names them
};

struct LockOrders {
  std::string name, about;
  std::vector<ClassAlias> classes;
  std::vector<DocumentedChain> chains;
};

// One documented order: chains[chain].classes[at] goes before [at + 1].
struct DocumentedOrder {
  size_t chain = 0, at = 0;

  bool operator==(const DocumentedOrder&) const = default;
};

// An observed order, and the documented ones that together demand the opposite.
struct OrderContradiction {
  LockEdge observed;                        // by the names of LockOrders
  std::vector<DocumentedOrder> documented;  // from observed.acquired to observed.held
};

// Both by way of Project(): `observed` may have any names.
std::vector<OrderContradiction> FindContradictions(const Validator& observed,
                                                   const LockOrders& orders);
// Those of which the second lock was never waited for under the first, in the order of the chains,
// each pair of classes once.
std::vector<DocumentedOrder> FindUnexercised(const Validator& observed, const LockOrders& orders);

// "jbd2_handle -> i_data_sem [write, buffer heads; fs/ext4/super.c]"
std::string RenderText(const DocumentedOrder& order, const LockOrders& orders);
std::string RenderText(const OrderContradiction& contradiction, const LockOrders& orders);

}  // namespace sim
