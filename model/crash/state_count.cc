#include "model/crash/state_count.h"

#include <boost/multiprecision/cpp_int.hpp>

namespace model {

void StateCount::AddFamilies(const Signature& sectors, uint64_t families) {
  families_ += families;
  count_[sectors] += families;
}

void StateCount::Merge(const StateCount& other) {
  for (const auto& [sectors, families] : other.count_) AddFamilies(sectors, families);
}

std::string StateCount::States() const {
  using boost::multiprecision::cpp_int;
  cpp_int sum = 0;
  for (const auto& [sectors, families] : count_) {
    cpp_int states = families;
    for (size_t n = 0; n < sectors.size(); ++n) {
      states *= boost::multiprecision::pow(cpp_int(n + 2), sectors[n]);
    }
    sum += states;
  }
  return sum.str();
}

}  // namespace model
